"""Orders for the eyes of the people who answer: what the customer has proven, and nothing else.

Nothing is written: no try is counted against the customer, no order becomes theirs by it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.actions import identity
from bot.actions.deeds import Book, Page
from bot.actions.identity import Claim, Owner, Verdict
from bot.actions.orders_db import Order


@dataclass(frozen=True)
class Shown:
    """An order as agents see it, with how it was proven: customer, conversation or address."""

    order: Order
    proof: str
    return_number: str | None = None


def of_conversation(
    orders: Path, conversation_id: str, customer: str | None, at: datetime
) -> list[Shown]:
    """Return the proven customer's orders, then those that were proven in the conversation."""
    with Book(orders).reading(at) as page:
        own = page.orders_of(customer or "")
        numbers = {order.number for order in own}
        proven = [one for one in page.identified(conversation_id) if one.number not in numbers]
        return [
            *(_shown(page, order, "customer") for order in own),
            *(_shown(page, order, "conversation") for order in proven),
        ]


def by_address(orders: Path, number: str, email: str, at: datetime) -> Shown | None:
    """Return the order of this number, where it was placed with this e-mail address.

    None says as little as the bot does: the order may be somebody else's, or nobody's.
    """
    with Book(orders).reading(at) as page:
        order = page.order(number)
        owner = Owner(order.number, order.email, order.customer) if order else None
        claim = Claim(number, email, None, frozenset())
        if order is None or identity.judge(claim, owner, 0) is not Verdict.PROVEN:
            return None
        return _shown(page, order, "address")


def _shown(page: Page, order: Order, proof: str) -> Shown:
    started = page.return_of(order.number)
    return Shown(order, proof, started.number if started else None)


def as_json(shown: Shown) -> dict[str, object]:
    """Return an order without the name and the e-mail address of who placed it."""
    order = shown.order
    dates = {"placed": order.placed, "eta": order.eta, "delivered": order.delivered}
    return {
        "number": order.number,
        "proof": shown.proof,
        "status": order.status,
        "items": order.items,
        **{name: _iso(day) for name, day in dates.items()},
        "shipping": order.shipping,
        "packed": order.packed,
        "country": order.country,
        "address": order.address,
        "paid_by": order.paid_by,
        "refund": order.refund,
        "refund_on": _iso(order.refund_on),
        "return_number": shown.return_number,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
