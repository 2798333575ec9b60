"""Orders for the people who answer: what the customer has proven, and nothing else.

Nothing is written: no try is counted against the customer, no order becomes theirs by it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from bot.actions import ActionRequest, ProofField, Record, RecordValue

from . import identity
from .base import OrderAction
from .changes import Changes
from .identity import Claim, Owner, Verdict
from .orders_db import Order
from .rules import Answer

_WORDS: Final = Path(__file__).with_name("words.yml")
_VALUES: Final = (
    *("items", "placed", "eta", "delivered", "shipping"),
    *("address", "paid_by", "refund", "return_number"),
)
_TERMS: Final = frozenset({"shipping", "paid_by", "refund"})


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(
        _WORDS.read_text(encoding="utf-8")
    )
    return words


class ActionIdentify(OrderAction):
    """Checks that an order is the customer's; shows agents the orders they have proven."""

    action: ClassVar = "action_identify"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Say that it is."""
        del request, changes
        return Answer("identity_confirmed", {"order_number": order.number})

    @property
    def titles(self) -> Mapping[str, Mapping[str, str]]:
        """The words around the orders."""
        return _words()["titles"]

    @property
    def proof_fields(self) -> Sequence[ProofField]:
        """What proves an order: its number and the address it was placed with."""
        return tuple(ProofField(name, title) for name, title in _words()["proof_fields"].items())

    def records(self, customer: str | None, conversation: str, /) -> list[Record]:
        """Return the proven customer's orders, then those that were proven in the conversation."""
        with self._context.effects.reading() as transaction:
            changes = Changes(transaction, self._orders)
            own = changes.orders_of(customer or "")
            numbers = {order.number for order in own}
            proven = [o for o in changes.identified(conversation) if o.number not in numbers]
            return [
                *(_record(changes, order, "customer") for order in own),
                *(_record(changes, order, "conversation") for order in proven),
            ]

    def prove(self, fields: Mapping[str, str], /) -> list[Record]:
        """Return the order of this number, where it was placed with this e-mail address.

        No order says as little as the bot does: it may be somebody else's, or nobody's.
        """
        with self._context.effects.reading() as transaction:
            changes = Changes(transaction, self._orders)
            order = changes.order(fields["number"])
            owner = Owner(order.number, order.email, order.customer) if order else None
            claim = Claim(fields["number"], fields["email"], None, frozenset())
            if order is None or identity.judge(claim, owner, 0) is not Verdict.PROVEN:
                return []
            return [_record(changes, order, "address")]

    def proof_values(self, identifier: str, /) -> Mapping[str, str]:
        """Return the e-mail address an order was placed with."""
        order = self._orders.find(identifier)
        return {"email": order.email} if order and order.email else {}


def _record(changes: Changes, order: Order, proof: str) -> Record:
    """Return an order without the name and the e-mail address of who placed it."""
    started = changes.return_of(order.number)
    data: dict[str, Any] = {
        "number": order.number,
        "proof": proof,
        "status": order.status,
        "items": order.items,
        "placed": _iso(order.placed),
        "eta": _iso(order.eta),
        "delivered": _iso(order.delivered),
        "shipping": order.shipping,
        "packed": order.packed,
        "country": order.country,
        "address": order.address,
        "paid_by": order.paid_by,
        "refund": order.refund,
        "refund_on": _iso(order.refund_on),
        "return_number": started.number if started else None,
    }
    words = _words()
    values = tuple(
        RecordValue(words["values"][name], _value(name, str(data[name])))
        for name in _VALUES
        if data[name]
    )
    return Record(order.number, words["terms"][order.status], words["proofs"][proof], values, data)


def _value(name: str, value: str) -> Mapping[str, str]:
    if name in _TERMS and value in _words()["terms"]:
        return _words()["terms"][value]
    return {"en": value, "zh": value}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
