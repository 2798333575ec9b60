"""What the shop's actions share: the proof of who asks, one transaction, one effect a message."""

import asyncio
import unicodedata
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import uuid4

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ConversationPaused, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import identity
from bot.actions.calls import BLOCKED, ActionReply, ActionResult
from bot.actions.deeds import Book, Key, Page
from bot.actions.identity import Claim, Owner, Verdict
from bot.actions.orders_db import Order
from bot.actions.rules import Answer

REQUESTED: Final = "requested_slot"  # Rasa's name for the slot that is asked for
_LONGEST: Final = 500  # characters of a slot that are kept


@dataclass(frozen=True)
class Asked:
    """Who asks for what, as the tracker tells."""

    conversation_id: str
    message_id: str
    language: str
    slots: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, tracker: Tracker) -> "Asked":
        """Read a tracker; a message without an id is one of its own."""
        latest = tracker.latest_message or {}
        metadata = latest.get("metadata") or {}
        found = metadata.get("message_id") or latest.get("message_id") or uuid4().hex
        slots = {key: _clean(str(v)) for key, v in tracker.slots.items() if v is not None}
        return cls(
            str(tracker.sender_id),
            str(found),
            "zh" if metadata.get("language") == "zh" else "en",
            {key: value for key, value in slots.items() if value},
        )


def _clean(value: str) -> str:
    """Return a value on one line, without control characters, not longer than is kept."""
    spaced = "".join(" " if unicodedata.category(c).startswith("C") else c for c in value)
    return " ".join(spaced.split())[:_LONGEST]


class ShopAction(Action):  # type: ignore[misc] # rasa_sdk ships no types
    """An action on the shop's book; a subclass says what it needs and what it does."""

    action: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    acts: ClassVar[bool] = False  # whether it changes anything that must not happen twice

    def __init__(self, book: Book, clock: Callable[[], datetime]) -> None:
        """Take the book and the clock; nothing is opened yet."""
        self._book = book
        self._clock = clock

    def name(self) -> str:
        """Return the name the policy refers to."""
        return self.action

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Do it beside the event loop, which others share, and say what came of it."""
        del domain
        result = await asyncio.to_thread(self._done, Asked.of(tracker))
        for said in result.said:
            dispatcher.utter_message(response=said.template, **said.values)
        events = [SlotSet(name, value) for name, value in result.slots.items()]
        if result.asks:
            events.append(SlotSet(REQUESTED, result.asks))
        if result.failed:
            events.append(ConversationPaused())
        return events

    def _done(self, asked: Asked) -> ActionResult:
        """Return what came of it: this time, or when the same message came before."""
        subject = asked.slots.get("order_number", "").upper()
        key = Key(asked.conversation_id, asked.message_id, self.action, subject)
        with self._book.writing(self._clock()) as page:
            if self.acts and (before := page.recorded(key)):
                return before
            if (question := self._missing(asked, page)) is not None:
                return question
            result = self.perform(asked, page)
            if self.acts:
                page.record(key, result)
            return result

    def _missing(self, asked: Asked, page: Page) -> ActionResult | None:
        """Return the question for the first slot that is missing."""
        del page
        slot = next((name for name in self.needs if name not in asked.slots), None)
        return asking(slot) if slot else None

    @abstractmethod
    def perform(self, asked: Asked, page: Page) -> ActionResult:
        """Do it, within one transaction."""


class OrderAction(ShopAction):
    """An action on an order, for nobody but its customer."""

    def perform(self, asked: Asked, page: Page) -> ActionResult:
        """Check who asks; then do it."""
        number = asked.slots["order_number"]
        order = page.order(number)
        verdict = self._verdict(asked, page, order)
        if verdict is Verdict.PROVEN and order is not None:
            page.identify(asked.conversation_id, order.number)
            answer = self.on_order(order, asked, page)
            slots: dict[str, str | None] = {"identified": order.number}
            if "email" in asked.slots:
                slots["email"] = None
            asks = self.unclear(answer.template)
            if asks:
                slots[asks] = None
            return ActionResult((said(answer),), slots, asks)
        if verdict is Verdict.UNPROVEN:
            return asking("email")
        forget: dict[str, str | None] = {"order_number": None, "email": None}
        if asked.slots.get("email"):
            page.add_try(asked.conversation_id, asked.message_id, number.upper())
        if verdict is Verdict.BLOCKED:
            return ActionResult((ActionReply(None, "identity_blocked"),), forget, failed=BLOCKED)
        return ActionResult((ActionReply(None, "identity_mismatch"),), forget, "order_number")

    @abstractmethod
    def on_order(self, order: Order, asked: Asked, page: Page) -> Answer:
        """Do it with the order of the one who asks."""

    def unclear(self, template: str) -> str | None:
        """Return the slot whose value was of no use, by what is said about it."""
        del template
        return None

    def _missing(self, asked: Asked, page: Page) -> ActionResult | None:
        """Ask for the number, then for the proof, then for what else is missing."""
        if "order_number" not in asked.slots:
            return asking("order_number")
        slot = next((name for name in self.needs if name not in asked.slots), None)
        if slot is None:
            return None
        if "email" in asked.slots:
            return asking(slot)
        verdict = self._verdict(asked, page, page.order(asked.slots["order_number"]))
        return asking(slot) if verdict is Verdict.PROVEN else None

    def _verdict(self, asked: Asked, page: Page, order: Order | None) -> Verdict:
        claimed = asked.slots.get("identified")
        proven = claimed and page.is_identified(asked.conversation_id, claimed)
        claim = Claim(
            asked.slots["order_number"],
            asked.slots.get("email"),
            asked.slots.get("customer"),
            frozenset({claimed.upper()} if claimed and proven else ()),
        )
        owner = Owner(order.number, order.email, order.customer) if order else None
        return identity.judge(claim, owner, page.tries(asked.conversation_id, asked.message_id))


def asking(slot: str) -> ActionResult:
    """Return the question for a slot; nothing is cleared."""
    return ActionResult((ActionReply(None, f"ask_{slot}"),), {}, slot)


def said(answer: Answer) -> ActionReply:
    """Return an answer as it is said."""
    return ActionReply(None, answer.template, answer.values)
