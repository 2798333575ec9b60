"""Comparison of the expected and the actual result of a turn. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.types import Decision, Turn
from bot.dialogue.state import State
from bot.evaluation.conversation_tests.cases import RequestExpectation, TurnExpectation

_ABSENT = "nothing"


@dataclass(frozen=True)
class UnmetExpectation:
    """A difference between the expected and the actual result."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True)
class TurnOutcome:
    """The actual result of a turn: the text, and the state after it."""

    text: str
    state: State
    templates: tuple[str, ...] = ()  # the rendered ones
    actions: tuple[str, ...] = ()  # those that ran
    turn: Turn | None = None  # of a customer's message


def intent_of(turn: Turn, decision: Decision) -> str | None:
    """Return the intent of a request: the form's intent where it belongs to a form."""
    return decision.intent or turn.understanding.intent


def differences(expected: TurnExpectation, outcome: TurnOutcome) -> list[UnmetExpectation]:
    """Return the differences between the expected and the actual result."""
    return [
        *_check_decisions(expected, outcome),
        *_check_reply(expected, outcome),
        *_check_state(expected, outcome),
    ]


def _check_decisions(expected: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    turn = outcome.turn
    if turn is not None:
        yield from _check_request(expected, turn, turn.decision)
        yield from _check_value("language", expected.language, [turn.understanding.language])
        for number, request in enumerate(expected.requests):
            prefix = f"requests.{number}."
            if number < len(turn.decisions):
                yield from _check_request(request, turn, turn.decisions[number], prefix)
            else:
                yield UnmetExpectation(prefix[:-1], "a request", _ABSENT)
        if expected.requests and len(turn.decisions) > len(expected.requests):
            yield UnmetExpectation(
                "requests", str(len(expected.requests)), str(len(turn.decisions))
            )
    elif expected.model_fields_set & {"route", "intent", "reason", "language", "requests"}:
        yield UnmetExpectation("turn", "an answer of the assistant", "no customer wrote")
    yield from _check_value("template", expected.template, outcome.templates)
    yield from _check_value("action", expected.action, outcome.actions)


def _check_request(
    expected: RequestExpectation, turn: Turn, decision: Decision, prefix: str = ""
) -> Iterator[UnmetExpectation]:
    yield from _check_value(f"{prefix}route", expected.route, [decision.route.value])
    yield from _check_value(f"{prefix}intent", expected.intent, [intent_of(turn, decision)])
    yield from _check_value(f"{prefix}reason", expected.reason, [decision.reason])


def _check_reply(expected: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    text, reply = outcome.text, expected.reply
    for parts in reply.contains:
        if not any((part or "") in text for part in parts):
            yield UnmetExpectation("reply contains", _join(parts), text or _ABSENT)
    for parts in reply.not_contains:
        if unwanted := [part for part in parts if part and part in text]:
            yield UnmetExpectation("reply does not contain", _join(unwanted), text)
    if reply.equals is not None and text not in reply.equals:
        yield UnmetExpectation("reply equals", _join(reply.equals), text or _ABSENT)
    cited = [c.article for c in outcome.turn.reply.citations] if outcome.turn else []
    for parts in reply.cites:
        if not set(parts) & set(cited):
            yield UnmetExpectation("reply cites", _join(parts), _join(cited))
    if expected.buttons is not None:
        yield from _check_buttons(expected, outcome)


def _check_buttons(expected: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    buttons = outcome.turn.reply.buttons if outcome.turn else ()
    names = {name for button in buttons for name in (button.title, button.payload)}
    actual = _join([f"{button.title} ({button.payload})" for button in buttons])
    for parts in expected.buttons or ():
        if not set(parts) & names:
            yield UnmetExpectation("buttons", _join(parts), actual)
    if expected.buttons == () and buttons:
        yield UnmetExpectation("buttons", _ABSENT, actual)


def _check_state(expected: TurnExpectation, outcome: TurnOutcome) -> Iterator[UnmetExpectation]:
    state = outcome.state
    for name, values in expected.slots.items():
        yield from _check_value(f"slots.{name}", values, [state.slots.get(name)])
    if "form" in expected.model_fields_set:
        yield from _check_value("form", expected.form or (None,), [state.open_slot])
    handoff = expected.handoff
    yield from _check_value("handoff.state", handoff.state, [state.owner.value])
    yield from _check_value("handoff.queue", handoff.queue, [state.queue])
    handoff_status = outcome.turn.handoff if outcome.turn else None
    if handoff.position is not None and (
        handoff_status is None or handoff_status.position != handoff.position
    ):
        position = str(handoff_status.position) if handoff_status else _ABSENT
        yield UnmetExpectation("handoff.position", str(handoff.position), position)


def _check_value(
    name: str, expected: Sequence[str | None] | None, actual: Sequence[str | None]
) -> Iterator[UnmetExpectation]:
    """Yield a difference unless an expected value is an actual one; None matches no value."""
    if expected is None or set(expected) & set(actual) or (None in expected and not actual):
        return
    yield UnmetExpectation(name, _join(expected), _join(actual))


def _join(values: Sequence[str | None]) -> str:
    return " | ".join(_ABSENT if value is None else value for value in values) or _ABSENT
