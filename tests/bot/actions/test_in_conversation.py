"""Actions in the story of a message: words as they come, slots, a person where it fails."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.actions.calls import ActionCall, ActionReply, ActionResult, Steps, run_to_end
from bot.actions.runner import ActionRunner
from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import Actions, Components
from bot.core.types import Button, Message, Route, Turn, Understanding
from bot.dialogue import templates as texts
from bot.dialogue.policy import Policy, PolicyContent
from bot.dialogue.state import State
from bot.dialogue.templates import LANGUAGES, Templates
from bot.generation.answerers import ExtractiveAnswerer
from bot.store.in_memory_log import MemoryLog
from tests.bot.actions.calling import EMAILS, NUMBERS, ON_ORDERS, ROWS, call, shop
from tests.conftest import DEMO


class Understands:
    """Takes every message for the request that acts."""

    def understand(self, text: str, /, *, today: date, **context: object) -> Understanding:
        del text, today, context
        return Understanding("en", "neutral", "calm", "request", 0.99)

    def explain(self, text: str, /) -> None:
        del text


class Acts:
    """Actions that do what a test wants."""

    def __init__(self, *said: ActionReply, error: Exception | None = None, **result: Any) -> None:
        self._said, self._error, self._result = said, error, result
        self.calls: list[ActionCall] = []

    def run(self, call: ActionCall, /) -> ActionResult:
        return run_to_end(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        self.calls.append(call)
        yield from self._said
        if self._error:
            raise self._error
        return ActionResult(self._said, **self._result)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return texts.load(DEMO / "templates")


def assistant(templates: Templates, actions: Actions | None) -> Assistant:
    rule = {"route": "act", "action": "action_order_status"}
    content = PolicyContent.model_validate({"routes": {"request": rule}})
    policy, composer = Policy(content, "p-1"), ExtractiveAnswerer(None)
    parts = Components(MemoryLog(), Understands(), policy, templates, composer, None, actions)
    return Assistant(parts)


def said(bot: Assistant, message: Message) -> tuple[list[str], Turn]:
    """Return the words as they came, and the turn; what came is what the reply says."""
    *events, turn = bot.stream(message)
    assert isinstance(turn, Turn)
    words = [event for event in events if isinstance(event, str)]
    assert "".join(words) == turn.reply.text
    return words, turn


def test_words_come_once_and_lines_and_pieces_join(templates: Templates) -> None:
    acts = Acts(
        ActionReply("One moment.", None),
        ActionReply("It is ", None),
        ActionReply("blue.", None, continues=True, buttons=(Button("Ok", "/ok"),)),
        slots={"colour": "blue", "email": None},
    )
    bot = assistant(templates, acts)
    message = Message("what colour", "c1")
    _, turn = said(bot, message)
    assert turn.reply.text == "One moment.\nIt is blue."
    assert turn.reply.buttons == (Button("Ok", "/ok"),)
    assert (turn.decision.route, turn.decision.slot, turn.reply.composer) == (
        Route.ACT, None, "action",
    )  # fmt: skip
    assert dict(turn.slots) == {"colour": "blue", "email": ""}
    (asked,) = acts.calls
    assert (asked.name, asked.message_id, asked.intent) == (
        "action_order_status", message.id, "request",
    )  # fmt: skip
    assert (asked.at, asked.customer, asked.language) == (message.at, None, "en")


def test_the_first_words_do_not_wait_for_the_last(templates: Templates) -> None:
    went_on: list[str] = []

    class Slow(Acts):
        def stream(self, call: ActionCall, /) -> Steps:
            del call
            yield ActionReply("First.", None)
            went_on.append("yes")
            return ActionResult(())

    events: Iterator[Any] = assistant(templates, Slow()).stream(Message("x"))
    assert next(event for event in events if isinstance(event, str)) == "First."
    assert went_on == []


def test_a_slot_an_action_asks_for_is_open(templates: Templates) -> None:
    bot = assistant(templates, Acts(ActionReply(None, "ask_email"), asks="email"))
    _, turn = said(bot, Message("x"))
    assert (turn.decision.route, turn.decision.slot) == (Route.ACT, "email")


def test_a_question_without_a_template_is_asked_in_plain_words() -> None:
    bare = texts.load(Path("nowhere"))
    bot = assistant(bare, Acts(ActionReply(None, "ask_shoe_size"), asks="shoe_size"))
    assert "shoe size" in said(bot, Message("x"))[1].reply.text


def test_a_template_may_name_slots(templates: Templates) -> None:
    acts = Acts(ActionReply(None, "invoice_sent", {}))
    bot = assistant(templates, acts)
    bot.components.log.states["c1"] = State(slots={"order_number": "A1"})  # type: ignore[attr-defined]
    assert "A1" in said(bot, Message("x", "c1"))[1].reply.text
    assert dict(acts.calls[0].slots) == {"order_number": "A1"}


@pytest.mark.parametrize(
    "acts",
    [
        None,
        Acts(failed="timeout"),
        Acts(error=ValueError("bug")),
        Acts(ActionReply(None, "no_such_template")),
        Acts(ActionReply(None, "cancel_done")),  # its variables are missing
    ],
    ids=["no actions", "failed", "raises", "unknown template", "no values"],
)
def test_what_cannot_be_done_is_handed_to_a_person(
    templates: Templates, acts: Actions | None
) -> None:
    _, turn = said(assistant(templates, acts), Message("x"))
    assert (turn.decision.route, turn.decision.reason) == (Route.HANDOFF, "action_failed")
    assert turn.handoff is not None
    assert turn.reply.text in {one.text.format() for one in templates.texts["en"]["handoff"]}


@pytest.mark.parametrize("how", [{"failed": "blocked"}, {"error": ValueError("bug")}])
def test_what_was_said_before_a_failure_stands(templates: Templates, how: dict[str, Any]) -> None:
    bot = assistant(templates, Acts(ActionReply("I looked.", None), slots={"email": None}, **how))
    _, turn = said(bot, Message("x"))
    assert turn.reply.text.startswith("I looked.\nI am passing")
    assert turn.decision.route is Route.HANDOFF
    assert dict(turn.slots) == ({"email": ""} if "failed" in how else {})


def test_a_message_that_is_recovered_acts_once(tmp_path: Path, templates: Templates) -> None:
    runner = ActionRunner(shop(tmp_path))
    number, email = NUMBERS["delivered"], EMAILS["delivered"]
    message = Message("send it back", "c1")
    replies = []
    for _ in range(2):  # the second time as after a crash: the log knows nothing of the first
        bot = assistant(templates, runner)
        bot.components.policy.content.routes["request"] = bot.components.policy.content.routes[
            "request"
        ].model_copy(update={"action": "action_start_return"})
        slots = {"order_number": number, "email": email}
        bot.components.log.states["c1"] = State(slots=slots)  # type: ignore[attr-defined]
        replies.append(said(bot, message)[1].reply.text)
    assert replies[0] == replies[1]
    assert "R10001" in replies[0]


def test_all_that_actions_say_has_words_in_both_languages(
    tmp_path: Path, templates: Templates
) -> None:
    runner = ActionRunner(shop(tmp_path), dry=True)
    found: dict[str, ActionReply] = {}
    for number, (name, slots) in enumerate(ON_ORDERS.items()):
        for order in ROWS:
            known = {**slots, "order_number": NUMBERS[order], "email": EMAILS[order]}
            for one in (known, {"order_number": NUMBERS[order]}, {}, {**known, "email": "x"}):
                result = runner.run(call(name, f"m{number}{len(found)}", order, **one))
                found |= {str(s.template): s for s in result.said}
    times = ("tomorrow", "tomorrow", "15:30", "03:00", "2020-01-06T10:00")
    for number, wanted in enumerate(times):
        one = {"phone": "+1 503 555 0100", "callback_time": wanted}
        for slots in (one, {**one, "phone": "x"}, {}, {"phone": "1"}):
            result = runner.run(call("action_book_callback", f"b{number}{len(slots)}", **slots))
            found |= {str(s.template): s for s in result.said}
    assert len(found) >= 30
    for name, one_said in found.items():
        for language in LANGUAGES:
            assert name in templates.texts[language], name
            for variant, _ in enumerate(templates.texts[language][name]):
                text = templates.render(name, language, variant, **one_said.values)
                assert (language == "zh") == any(
                    "\u4e00" <= c <= "\u9fff" for c in text[:6] + text[-6:]
                )


FIGURES = {
    "cancel_done": ["3–5"], "cancel_too_late": ["60"], "cancel_too_late_abroad": ["60", "19.95"],
    "address_too_late": ["6"], "return_started_free": ["1", "14"],
    "return_started_fee": ["1", "14", "9.95"], "refund_arrived_card": ["5", "3–7"],
    "refund_arrived_wallet": ["5", "1–2"], "refund_cancelled": ["3–5"], "return_too_late": ["60"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "figures"), FIGURES.items(), ids=FIGURES)
def test_the_figures_are_those_of_the_help_pages(
    templates: Templates, name: str, figures: list[str]
) -> None:
    for language in LANGUAGES:
        for variant in templates.texts[language][name]:
            assert all(figure in variant.text for figure in figures), variant
