"""Base classes of the shop's actions: identity check, one transaction, one effect per message."""

import asyncio
import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final, Self

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ConversationPaused, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import ActionContext, ActionRequest, EffectKey

from . import identity
from .changes import Changes
from .identity import Claim, Owner, Verdict
from .orders_db import Order, Orders
from .rules import Answer

REQUESTED: Final = "requested_slot"  # Rasa's slot for the name of the next slot
BLOCKED: Final = "blocked"


@dataclass(frozen=True)
class Outcome:
    """The reply of an action, the slots it sets (None clears one) and the slot it asks for.

    `failed` is a short reason why a person must take over.
    """

    template: str
    values: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, str | None] = field(default_factory=dict)
    asks: str | None = None
    failed: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the outcome for the record."""
        values = asdict(self)
        return {"said": [[values.pop("template"), values.pop("values")]], **values}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the recorded outcome."""
        recorded = json.loads(text)
        ((template, values),) = recorded.pop("said")
        return cls(template, values, **recorded)


class ShopAction(Action):  # type: ignore[misc] # rasa_sdk ships no types
    """An action of the shop; subclasses define the required slots and the effect."""

    action: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    acts: ClassVar[bool] = False  # True if it changes anything that must not happen twice

    def __init__(self, context: ActionContext, orders: Orders) -> None:
        """Store the context and the orders."""
        self._context = context
        self._orders = orders

    def name(self) -> str:
        """Return the name used in the policy."""
        return self.action

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Perform the action outside of the shared event loop, and send the reply."""
        del domain
        outcome = await asyncio.to_thread(self._outcome, ActionRequest.of(tracker))
        dispatcher.utter_message(response=outcome.template, **outcome.values)
        events = [SlotSet(name, value) for name, value in outcome.slots.items()]
        if outcome.asks:
            events.append(SlotSet(REQUESTED, outcome.asks))
        if outcome.failed:
            events.append(ConversationPaused())
        return events

    def _outcome(self, request: ActionRequest) -> Outcome:
        """Return the outcome: of this call, or the recorded one if the message came before."""
        subject = request.slots.get("order_number", "").upper()
        key = EffectKey(request.conversation_id, request.message_id, self.action, subject)
        with self._context.effects.transaction() as transaction:
            if self.acts and (recorded := transaction.result(key)):
                return Outcome.from_json(recorded)
            changes = Changes(transaction, self._orders)
            if (question := self._missing(request, changes)) is not None:
                return question
            outcome = self.perform(request, changes)
            if self.acts:
                transaction.record(key, outcome.as_json())
            return outcome

    def _missing(self, request: ActionRequest, changes: Changes) -> Outcome | None:
        """Return the question for the first missing slot."""
        del changes
        slot = next((name for name in self.needs if name not in request.slots), None)
        return ask(slot) if slot else None

    @abstractmethod
    def perform(self, request: ActionRequest, changes: Changes) -> Outcome:
        """Perform the action within one transaction."""


class OrderAction(ShopAction):
    """An action on an order, only for its verified customer."""

    def perform(self, request: ActionRequest, changes: Changes) -> Outcome:
        """Check the identity, then perform the action."""
        number = request.slots["order_number"]
        order = changes.order(number)
        verdict = self._verdict(request, changes, order)
        if verdict is Verdict.PROVEN and order is not None:
            changes.identify(request.conversation_id, order.number)
            answer = self.on_order(order, request, changes)
            slots: dict[str, str | None] = {"identified": order.number}
            if "email" in request.slots:
                slots["email"] = None
            asks = self.unclear(answer.template)
            if asks:
                slots[asks] = None
            return Outcome(answer.template, answer.values, slots, asks)
        if verdict is Verdict.UNPROVEN:
            return ask("email")
        cleared: dict[str, str | None] = {"order_number": None, "email": None}
        if request.slots.get("email"):
            changes.add_try(request.conversation_id, request.message_id, number.upper())
        if verdict is Verdict.BLOCKED:
            return Outcome("identity_blocked", slots=cleared, failed=BLOCKED)
        return Outcome("identity_mismatch", slots=cleared, asks="order_number")

    @abstractmethod
    def on_order(self, order: Order, request: ActionRequest, changes: Changes) -> Answer:
        """Perform the action on the order of the verified customer."""

    def unclear(self, template: str) -> str | None:
        """Return the slot with an unusable value, derived from the reply."""
        del template
        return None

    def _missing(self, request: ActionRequest, changes: Changes) -> Outcome | None:
        """Ask for the order number, then the proof, then any other missing slot."""
        if "order_number" not in request.slots:
            return ask("order_number")
        slot = next((name for name in self.needs if name not in request.slots), None)
        if slot is None:
            return None
        if "email" in request.slots:
            return ask(slot)
        order = changes.order(request.slots["order_number"])
        verdict = self._verdict(request, changes, order)
        return ask(slot) if verdict is Verdict.PROVEN else None

    def _verdict(self, request: ActionRequest, changes: Changes, order: Order | None) -> Verdict:
        claimed = request.slots.get("identified")
        proven = claimed and changes.is_identified(request.conversation_id, claimed)
        claim = Claim(
            request.slots["order_number"],
            request.slots.get("email"),
            request.slots.get("customer"),
            frozenset({claimed.upper()} if claimed and proven else ()),
        )
        owner = Owner(order.number, order.email, order.customer) if order else None
        tries = changes.tries(request.conversation_id, request.message_id)
        return identity.judge(claim, owner, tries)


def ask(slot: str) -> Outcome:
    """Return the question for a slot; nothing is cleared."""
    return Outcome(f"ask_{slot}", asks=slot)
