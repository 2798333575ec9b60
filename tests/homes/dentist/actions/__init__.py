"""The practice's actions: appointments are booked, moved and cancelled."""

from rasa_sdk import Action

from bot.actions import ActionContext

from .appointments import Book, Cancel, Move
from .diary import TABLE


def actions(context: ActionContext) -> list[Action]:
    """Return the practice's actions."""
    context.effects.add_tables(TABLE)
    return [kind(context) for kind in (Book, Move, Cancel)]
