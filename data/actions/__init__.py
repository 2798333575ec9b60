"""The shop's actions: on the orders of `orders.csv`, and a call back."""

from rasa_sdk import Action

from bot.actions import ActionContext

from .changes import TABLES
from .orders import ALL
from .orders_db import Orders


def actions(context: ActionContext) -> list[Action]:
    """Return the shop's actions."""
    orders = Orders(context)
    context.effects.add_tables(*TABLES)
    return [kind(context, orders) for kind in ALL]
