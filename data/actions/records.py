"""Records of orders for agents: only those that the customer has proven.

Reading writes nothing: no failed attempt is counted and no order is marked as proven.
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
    """Checks that an order belongs to the customer; shows proven orders to agents."""

    action: ClassVar = "action_identify"

    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Confirm the identity."""
        del request, changes
        return Answer("identity_confirmed", {"order_number": order.number})

    @property
    def titles(self) -> Mapping[str, Mapping[str, str]]:
        """The texts around the orders."""
        return _words()["titles"]

    @property
    def proof_fields(self) -> Sequence[ProofField]:
        """The values that prove an order: its number and its e-mail address."""
        return tuple(ProofField(name, title) for name, title in _words()["proof_fields"].items())

    def records(self, customer: str | None, conversation: str, /) -> list[Record]:
        """Return the verified customer's orders, then those proven in the conversation."""
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
        """Return the order with this number, if it has this e-mail address.

        An empty result does not reveal whether the order exists.
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
        """Return the e-mail address of an order."""
        order = self._orders.find(identifier)
        return {"email": order.email} if order and order.email else {}


def _record(changes: Changes, order: Order, proof: str) -> Record:
    """Return an order without the customer's name and e-mail address."""
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
