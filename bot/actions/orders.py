"""The demo shop's actions: on orders, and a call back."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from bot.actions import rules
from bot.actions.calls import ActionResult
from bot.actions.deeds import Book, Callback, Page
from bot.actions.orders_db import Order
from bot.actions.rules import Answer
from bot.actions.shop import Asked, OrderAction, ShopAction, said


class ActionIdentify(OrderAction):
    """Checks that the order is the customer's, and does nothing else."""

    action: ClassVar = "action_identify"

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Say that it is."""
        del asked, page
        return Answer("identity_confirmed", {"order_number": order.number})


class ActionOrderStatus(OrderAction):
    """Tells where an order is."""

    action: ClassVar = "action_order_status"

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Say the state of the order."""
        del asked, page
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

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Cancel it, or say what can be done instead."""
        del asked
        answer = rules.cancelling(order, page.today)
        if answer.may:
            page.cancel(order.number)
        return answer


class ActionChangeAddress(OrderAction):
    """Sends an order that is not packed to the address in `new_address`."""

    action: ClassVar = "action_change_address"
    needs: ClassVar = ("new_address",)
    acts: ClassVar = True

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Change the address, or say what can be done instead."""
        address = asked.slots["new_address"]
        answer = rules.changing_address(order, address)
        if answer.may:
            page.change_address(order.number, address)
        return answer

    def unclear(self, template: str) -> str | None:
        """Ask for another address where this one is of no use."""
        return "new_address" if template in {"address_unclear", "address_po_box"} else None


class ActionStartReturn(OrderAction):
    """Starts the return of a delivered order; `return_reason` and `items` may be given."""

    action: ClassVar = "action_start_return"
    acts: ClassVar = True

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Start it, or say what can be done instead."""
        answer = rules.returning(order, page.return_of(order.number), page.today)
        if not answer.may:
            return answer
        reason, items = asked.slots.get("return_reason", ""), asked.slots.get("items", "")
        started = page.start_return(order.number, reason, items)
        return Answer(answer.template, {**answer.values, "return_number": started.number})


class ActionRefundStatus(OrderAction):
    """Tells where the money for an order is."""

    action: ClassVar = "action_refund_status"

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Say what is known of the refund."""
        del asked
        return rules.refunding(order, page.return_of(order.number), page.today)


class ActionSendInvoice(OrderAction):
    """Sends an order's invoice again, to the address the order was placed with and no other."""

    action: ClassVar = "action_send_invoice"
    acts: ClassVar = True

    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Send it, or say when there is one."""
        del asked
        answer = rules.sending_invoice(order, page.today)
        if answer.may:
            page.send_invoice(order.number)
        return answer


class ActionBookCallback(ShopAction):
    """Books a call back to `phone` at `callback_time`; nothing of an order is told."""

    action: ClassVar = "action_book_callback"
    needs: ClassVar = ("phone", "callback_time")
    acts: ClassVar = True

    def perform(self, asked: Asked, page: Page) -> ActionResult:
        """Book it, or ask for what is of no use again."""
        wanted = Callback(asked.slots["phone"], asked.slots["callback_time"])
        before = page.callback(asked.conversation_id)
        answer = rules.calling_back(wanted, before, asked.language, page.now)
        if answer.may:
            number = asked.slots.get("order_number")
            page.book(asked.conversation_id, wanted, asked.language, number)
        useless = {
            "callback_bad_phone": "phone",
            "callback_outside_hours": "callback_time",
            "callback_past": "callback_time",
        }.get(answer.template)
        return ActionResult((said(answer),), {useless: None} if useless else {}, useless)


_ALL: tuple[type[ShopAction], ...] = (
    ActionIdentify,
    ActionOrderStatus,
    ActionCancelOrder,
    ActionChangeAddress,
    ActionStartReturn,
    ActionRefundStatus,
    ActionSendInvoice,
    ActionBookCallback,
)


def actions(book: Book, clock: Callable[[], datetime]) -> list[ShopAction]:
    """Return the shop's actions on a book."""
    return [kind(book, clock) for kind in _ALL]
