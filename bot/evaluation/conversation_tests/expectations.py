"""What should come of a turn beside what came of it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.types import Decision, Turn
from bot.dialogue.state import State
from bot.evaluation.conversation_tests.cases import RequestExpectation, TurnExpectation

_ABSENT = "nothing"


@dataclass(frozen=True)
class UnmetExpectation:
    """One thing that is not as it should be."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True)
class TurnOutcome:
    """What came of a turn: the words, and the state after it."""

    text: str
    state: State
    templates: tuple[str, ...] = ()  # those that were said
    actions: tuple[str, ...] = ()  # those that ran
    turn: Turn | None = None  # of a customer's message


def intent_of(turn: Turn, decision: Decision) -> str | None:
    """Return what a request was taken for: the form's intent where it belongs to a form."""
    return decision.intent or turn.understanding.intent


def differences(wanted: TurnExpectation, outcome: TurnOutcome) -> list[UnmetExpectation]:
    """Return what is not as it should be."""
    return [
        *_decided(wanted, outcome),
        *_said(wanted, outcome),
        *_remembered(wanted, outcome),
    ]


def _decided(wanted: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    turn = outcome.turn
    if turn is not None:
        yield from _asked(wanted, turn, turn.decision)
        yield from _one_of("language", wanted.language, [turn.understanding.language])
        for number, asked in enumerate(wanted.requests):
            prefix = f"requests.{number}."
            if number < len(turn.decisions):
                yield from _asked(asked, turn, turn.decisions[number], prefix)
            else:
                yield UnmetExpectation(prefix[:-1], "a request", _ABSENT)
        if wanted.requests and len(turn.decisions) > len(wanted.requests):
            yield UnmetExpectation("requests", str(len(wanted.requests)), str(len(turn.decisions)))
    elif wanted.model_fields_set & {"route", "intent", "reason", "language", "requests"}:
        yield UnmetExpectation("turn", "an answer of the assistant", "no customer wrote")
    yield from _one_of("template", wanted.template, outcome.templates)
    yield from _one_of("action", wanted.action, outcome.actions)


def _asked(
    wanted: RequestExpectation, turn: Turn, decision: Decision, prefix: str = ""
) -> Iterator[UnmetExpectation]:
    yield from _one_of(f"{prefix}route", wanted.route, [decision.route.value])
    yield from _one_of(f"{prefix}intent", wanted.intent, [intent_of(turn, decision)])
    yield from _one_of(f"{prefix}reason", wanted.reason, [decision.reason])


def _said(wanted: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    text, reply = outcome.text, wanted.reply
    for parts in reply.contains:
        if not any((part or "") in text for part in parts):
            yield UnmetExpectation("reply contains", _words(parts), text or _ABSENT)
    for parts in reply.not_contains:
        if bad := [part for part in parts if part and part in text]:
            yield UnmetExpectation("reply does not contain", _words(bad), text)
    if reply.equals is not None and text not in reply.equals:
        yield UnmetExpectation("reply equals", _words(reply.equals), text or _ABSENT)
    cited = [c.article for c in outcome.turn.reply.citations] if outcome.turn else []
    for parts in reply.cites:
        if not set(parts) & set(cited):
            yield UnmetExpectation("reply cites", _words(parts), _words(cited))
    if wanted.buttons is not None:
        yield from _pressable(wanted, outcome)


def _pressable(wanted: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    buttons = outcome.turn.reply.buttons if outcome.turn else ()
    there = {name for button in buttons for name in (button.title, button.payload)}
    shown = _words([f"{button.title} ({button.payload})" for button in buttons])
    for parts in wanted.buttons or ():
        if not set(parts) & there:
            yield UnmetExpectation("buttons", _words(parts), shown)
    if wanted.buttons == () and buttons:
        yield UnmetExpectation("buttons", _ABSENT, shown)


def _remembered(wanted: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    state = outcome.state
    for name, values in wanted.slots.items():
        yield from _one_of(f"slots.{name}", values, [state.slots.get(name)])
    if "form" in wanted.model_fields_set:
        yield from _one_of("form", wanted.form or (None,), [state.open_slot])
    handoff = wanted.handoff
    yield from _one_of("handoff.state", handoff.state, [state.owner.value])
    yield from _one_of("handoff.queue", handoff.queue, [state.queue])
    given = outcome.turn.handoff if outcome.turn else None
    if handoff.position is not None and (given is None or given.position != handoff.position):
        found = str(given.position) if given else _ABSENT
        yield UnmetExpectation("handoff.position", str(handoff.position), found)


def _one_of(
    what: str, wanted: Sequence[str | None] | None, found: Sequence[str | None]
) -> Iterator[UnmetExpectation]:
    """Yield a difference unless one of the wanted values was found; None stands for nothing."""
    if wanted is None or set(wanted) & set(found) or (None in wanted and not found):
        return
    yield UnmetExpectation(what, _words(wanted), _words(found))


def _words(values: Sequence[str | None]) -> str:
    return " | ".join(_ABSENT if value is None else value for value in values) or _ABSENT
