"""The shop's actions on orders, and the callback."""

from typing import ClassVar

from bot.actions import ActionRequest

from . import rules
from .base import OrderAction, Outcome, ShopAction
from .changes import Callback, Changes
from .orders_db import Order
from .records import ActionIdentify
from .rules import Answer


class ActionOrderStatus(OrderAction):
    """Reports the status of an order."""

    action: ClassVar = "action_order_status"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Return the status of the order."""
        del request, changes
        values = {
            "order_number": order.number,
            "placed": order.placed.isoformat(),
            "eta": order.eta.isoformat(),
            "items": order.items,
        }
        return Answer(f"order_status_{order.status}", values)


class ActionCancelOrder(OrderAction):
    """Cancels an order that is not packed yet."""

    action: ClassVar = "action_cancel_order"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Cancel the order, or offer an alternative."""
        del request
        answer = rules.check_cancellation(order, changes.today)
        if answer.may:
            changes.cancel(order.number)
        return answer


class ActionChangeAddress(OrderAction):
    """Changes the address of an order that is not packed yet to `new_address`."""

    action: ClassVar = "action_change_address"
    needs: ClassVar = ("new_address",)
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Change the address, or offer an alternative."""
        address = request.slots["new_address"]
        answer = rules.check_address_change(order, address)
        if answer.may:
            changes.change_address(order.number, address)
        return answer

    def unclear(self, template: str) -> str | None:
        """Ask for another address if this one cannot be used."""
        return "new_address" if template in {"address_unclear", "address_po_box"} else None


class ActionStartReturn(OrderAction):
    """Starts the return of a delivered order; `return_reason` and `items` are optional."""

    action: ClassVar = "action_start_return"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Start the return, or offer an alternative."""
        answer = rules.check_return(order, changes.return_of(order.number), changes.today)
        if not answer.may:
            return answer
        reason, items = request.slots.get("return_reason", ""), request.slots.get("items", "")
        started = changes.start_return(order.number, reason, items)
        return Answer(answer.template, {**answer.values, "return_number": started.number})


class ActionRefundStatus(OrderAction):
    """Reports the status of a refund."""

    action: ClassVar = "action_refund_status"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Return the status of the refund."""
        del request
        return rules.refund_status(order, changes.return_of(order.number), changes.today)


class ActionSendInvoice(OrderAction):
    """Sends an order's invoice again, only to the address of the order."""

    action: ClassVar = "action_send_invoice"
    acts: ClassVar = True

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Send the invoice, or say when it will be available."""
        del request
        answer = rules.check_invoice(order, changes.today)
        if answer.may:
            changes.send_invoice(order.number)
        return answer


class ActionBookCallback(ShopAction):
    """Books a callback to `phone` at `callback_time`; reveals nothing about orders."""

    action: ClassVar = "action_book_callback"
    needs: ClassVar = ("phone", "callback_time")
    acts: ClassVar = True

    def perform(self, request: ActionRequest, changes: Changes) -> Outcome:
        """Book the callback, or ask again for a value that cannot be used."""
        requested = Callback(request.slots["phone"], request.slots["callback_time"])
        before = changes.callback(request.conversation_id)
        answer = rules.check_callback(requested, before, request.language, changes.now)
        if answer.may:
            number = request.slots.get("order_number")
            changes.book(request.conversation_id, requested, request.language, number)
        invalid_slot = {
            "callback_bad_phone": "phone",
            "callback_outside_hours": "callback_time",
            "callback_past": "callback_time",
        }.get(answer.template)
        return Outcome(
            answer.template,
            answer.values,
            {invalid_slot: None} if invalid_slot else {},
            invalid_slot,
        )


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
