"""Conversion of a logged conversation into a test that expects the logged decisions."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.actions.records import ProofSource
from bot.assistant.protocols import Actions
from bot.core import serialization
from bot.core.types import CarelineError, Decision, NotFoundError, Role, Route, Turn
from bot.dialogue.handoff import WITH_BOT, ConversationOwner
from bot.dialogue.policy_file import IDENTIFIED
from bot.evaluation.conversation_tests.expectations import intent_of
from bot.evaluation.conversation_tests.yaml_writer import GeneratedTests
from bot.store.read_model import ConversationReader

# Personal data is not in the log; these values replace it, and belong to nobody.
_EMAIL: Final = "nobody@example.com"
_PLACEHOLDERS: Final = {"[phone]": "+1 202 555 0143", "[card]": "4242 4242 4242 4242"}


def proofs_of(actions: Actions | None) -> ProofSource | None:
    """Return what a home's dry actions know of the values that prove a customer's records."""
    from bot.actions.runner import ActionRunner

    return actions.proofs if isinstance(actions, ActionRunner) else None


def record(
    reader: ConversationReader,
    conversation_id: str,
    proofs: ProofSource | None,
    identifying: Collection[str] = (),
) -> GeneratedTests:
    """Return a test of one conversation; raise NotFoundError where it is not in the log.

    `identifying` are the slots that say which record a message is about.
    """
    recording = _Recording(proofs, identifying)
    lines = reader.history(conversation_id)
    turns = {line["id"]: _turn(reader, line) for line in lines if line["role"] == Role.CUSTOMER}
    recording.known = {
        value.upper()
        for recorded_turn in turns.values()
        if recorded_turn
        for name, value in recorded_turn[0].slots
        if name in identifying
    }
    for line in lines:
        recording.add_line(line, turns.get(line["id"]))
    if not recording.turns:
        message = f"nobody answered a message of conversation {conversation_id}: nothing to record"
        raise CarelineError(message)
    first = next(turn for turn, _ in filter(None, turns.values()))
    test = {
        "name": f"conversation {conversation_id}",
        "language": "zh" if first.understanding.language == "zh" else "en",
        "at": first.message.at.replace(microsecond=0).isoformat(),
        "turns": recording.turns,
    }
    return GeneratedTests((test,), tuple(recording.comments), tuple(recording.skipped))


def _turn(
    reader: ConversationReader, line: Mapping[str, Any]
) -> tuple[Turn, ConversationOwner] | None:
    """Return the turn of a message, and the owner of the conversation before it."""
    try:
        values, trace = reader.turn(line["id"])
    except NotFoundError:
        return None
    return serialization.from_record(values), ConversationOwner(
        trace.get("before", {}).get("owner", ConversationOwner.BOT)
    )


@dataclass
class _Recording:
    """The turns of a test while they are collected."""

    proofs: ProofSource | None
    identifying: Collection[str] = ()
    known: set[str] = field(default_factory=set)
    turns: list[dict[str, Any]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    with_agent: bool = False

    def add_line(
        self, line: Mapping[str, Any], turn: tuple[Turn, ConversationOwner] | None
    ) -> None:
        """Add one message of the log."""
        if line["role"] == Role.AGENT:
            if not self.with_agent:
                self.turns.append({"event": "take"})
            self.with_agent = True
            self.turns.append({"agent": line["text"]})
        elif line["role"] == Role.CUSTOMER and turn is None:
            self.skipped.append(f"a message nobody answered: {line['text']}")
        elif line["role"] == Role.CUSTOMER and turn is not None:
            self._customer(line["text"], *turn)

    def _customer(self, text: str, turn: Turn, before: ConversationOwner) -> None:
        if before is ConversationOwner.HUMAN and not self.with_agent:
            self.turns.append({"event": "take"})
        elif before in WITH_BOT and self.with_agent:
            self.turns.append({"event": "give_back"})
        elif before is ConversationOwner.CLOSED:
            self.turns.append({"event": "close"})
        self.with_agent = before is ConversationOwner.HUMAN
        message = self._with_placeholders(text, turn)
        self.turns.append({"customer": message, "expect": dict(_expectations(turn, before))})

    def _with_placeholders(self, text: str, turn: Turn) -> str:
        """Return a text with placeholders for removed personal data."""
        complete = text
        if "[email]" in complete:
            complete = complete.replace("[email]", self._address(turn))
        for label, placeholder in _PLACEHOLDERS.items():
            complete = complete.replace(label, placeholder)
        if complete != text:
            self.comments.append(f"Personal data is not in the log; stand-ins are in: {complete}")
        return complete

    def _address(self, turn: Turn) -> str:
        """Return the address that proves the same identity, one of nobody where none was proven."""
        proven = dict(turn.slots).get(IDENTIFIED, "")
        if any(action.asks in self.identifying or action.failed for action in turn.acted):
            return _EMAIL
        numbers = [proven] if proven else sorted(self.known)
        known = (self.proofs.proof_values(n).get("email") for n in numbers if self.proofs)
        return next(filter(None, known), _EMAIL)


def _expectations(turn: Turn, before: ConversationOwner) -> Iterator[tuple[str, Any]]:
    """Yield the logged decision; texts are left out, because templates vary them."""
    decision = turn.decision
    yield "route", decision.route.value
    if intent := intent_of(turn, decision):
        yield "intent", intent
    yield "reason", decision.reason
    if template := _template(decision, before):
        yield "template", template
    if turn.acted:
        yield "action", turn.acted[0].action
    if slots := {k: v or None for k, v in turn.slots if not v.startswith("[")}:
        yield "slots", slots
    if cited := list(dict.fromkeys(c.article for c in turn.reply.citations)):
        yield "reply", {"cites": cited}
    if turn.handoff:
        yield "handoff", {"state": str(turn.handoff.state), "queue": turn.handoff.queue}


def _template(decision: Decision, before: ConversationOwner) -> str | None:
    """Return the template of the reply, where the decision alone determines it."""
    has_template = (
        decision.route in {Route.TEMPLATE, Route.HANDOFF} or decision.slot or decision.confirms
    )
    if not has_template or decision.reason in {"with_human", "error", "action_failed"}:
        return None
    is_queued = before is ConversationOwner.QUEUED and decision.reason != "contact_given"
    return "handoff_waiting" if decision.route is Route.HANDOFF and is_queued else decision.template
