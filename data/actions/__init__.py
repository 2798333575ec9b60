"""The shop's actions: for the orders of `orders.csv`, and for callbacks."""

from rasa_sdk import Action

from bot.actions import ActionContext

from .changes import TABLES
from .orders import ALL
from .orders_db import Orders


def actions(context: ActionContext) -> list[Action]:
    """Return the shop's actions."""
    orders = Orders(context)
    context.effects.add_tables(*TABLES)
    return [action(context, orders) for action in ALL]
