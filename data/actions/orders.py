"""The shop's actions on orders, and a call back."""

from typing import ClassVar

from bot.actions import ActionRequest

from . import rules
from .base import OrderAction, Outcome, ShopAction
from .changes import Callback, Changes
from .orders_db import Order
from .records import ActionIdentify
from .rules import Answer


class ActionOrderStatus(OrderAction):
    """Tells where an order is."""

    action: ClassVar = "action_order_status"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Say the state of the order."""
        del request, changes
        values = {
            "order_number": order.number,
            "placed": order.placed.isoformat(),
            "eta": order.eta.isoformat(),
            "items": order.items,
        }
        return Answer(f"order_status_{order.status}", values)


class ActionCancelOrder(OrderAction):
    """Cancels an order that is not packed."""

    action: ClassVar = "action_cancel_order"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Cancel it, or say what can be done instead."""
        del request
        answer = rules.cancelling(order, changes.today)
        if answer.may:
            changes.cancel(order.number)
        return answer


class ActionChangeAddress(OrderAction):
    """Sends an order that is not packed to the address in `new_address`."""

    action: ClassVar = "action_change_address"
    needs: ClassVar = ("new_address",)
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Change the address, or say what can be done instead."""
        address = request.slots["new_address"]
        answer = rules.changing_address(order, address)
        if answer.may:
            changes.change_address(order.number, address)
        return answer

    def unclear(self, template: str) -> str | None:
        """Ask for another address where this one is of no use."""
        return "new_address" if template in {"address_unclear", "address_po_box"} else None


class ActionStartReturn(OrderAction):
    """Starts the return of a delivered order; `return_reason` and `items` may be given."""

    action: ClassVar = "action_start_return"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Start it, or say what can be done instead."""
        answer = rules.returning(order, changes.return_of(order.number), changes.today)
        if not answer.may:
            return answer
        reason, items = request.slots.get("return_reason", ""), request.slots.get("items", "")
        started = changes.start_return(order.number, reason, items)
        return Answer(answer.template, {**answer.values, "return_number": started.number})


class ActionRefundStatus(OrderAction):
    """Tells where the money for an order is."""

    action: ClassVar = "action_refund_status"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Say what is known of the refund."""
        del request
        return rules.refunding(order, changes.return_of(order.number), changes.today)


class ActionSendInvoice(OrderAction):
    """Sends an order's invoice again, to the address the order was placed with and no other."""

    action: ClassVar = "action_send_invoice"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Send it, or say when there is one."""
        del request
        answer = rules.sending_invoice(order, changes.today)
        if answer.may:
            changes.send_invoice(order.number)
        return answer


class ActionBookCallback(ShopAction):
    """Books a call back to `phone` at `callback_time`; nothing of an order is told."""

    action: ClassVar = "action_book_callback"
    needs: ClassVar = ("phone", "callback_time")
    acts: ClassVar = True

    def perform(self, request: ActionRequest, changes: Changes) -> Outcome:
        """Book it, or ask for what is of no use again."""
        wanted = Callback(request.slots["phone"], request.slots["callback_time"])
        before = changes.callback(request.conversation_id)
        answer = rules.calling_back(wanted, before, request.language, changes.now)
        if answer.may:
            number = request.slots.get("order_number")
            changes.book(request.conversation_id, wanted, request.language, number)
        useless = {
            "callback_bad_phone": "phone",
            "callback_outside_hours": "callback_time",
            "callback_past": "callback_time",
        }.get(answer.template)
        return Outcome(answer.template, answer.values, {useless: None} if useless else {}, useless)


ALL: tuple[type[ShopAction], ...] = (
    ActionIdentify,
    ActionOrderStatus,
    ActionCancelOrder,
    ActionChangeAddress,
    ActionStartReturn,
    ActionRefundStatus,
    ActionSendInvoice,
    ActionBookCallback,
)
