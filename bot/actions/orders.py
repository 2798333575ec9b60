"""Actions over the shop's orders database."""

from pathlib import Path
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.orders_db import Order, find


class ActionOrderStatus(Action):  # type: ignore[misc] # rasa_sdk ships no types
    """Tells where an order is, by the number in the slot `order_number`."""

    def __init__(self, database: Path) -> None:
        """Remember where the orders are kept; nothing is opened yet."""
        self._database = database

    def name(self) -> str:
        """Return the name the policy refers to."""
        return "action_order_status"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Say the state of the order, or ask for its number, or that there is none such."""
        del domain
        number = tracker.get_slot("order_number")
        if not number:
            dispatcher.utter_message(response="ask_order_number")
            return []
        order = find(self._database, number)
        if order is None:
            dispatcher.utter_message(response="order_not_found", order_number=number)
            return [SlotSet("order_number", None)]
        dispatcher.utter_message(response=f"order_status_{order.status}", **_values(order))
        return []


def _values(order: Order) -> dict[str, str]:
    return {
        "order_number": order.number,
        "placed": order.placed.isoformat(),
        "eta": order.eta.isoformat(),
        "items": order.items,
    }
