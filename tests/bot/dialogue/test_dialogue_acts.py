"""Those who want an action done, and those who only ask how it goes."""

from bot.core.types import Decision, Entity, IntentScore, Route, Understanding
from bot.dialogue.policy import Policy, PolicyContent
from bot.dialogue.state import CONFIRM, FormState, State

POLICY = Policy(
    PolicyContent.model_validate(
        {
            "informative": [r"^can (i|one)\b"],
            "entities": {"order_number": r"A\d{5}"},
            "routes": {
                "cancel": {
                    "route": "act",
                    "action": "cancel",
                    "slots": ["order_number"],
                    "confirm": "really",
                    "informs": "how_to_cancel",
                },
                "track": {"route": "act", "action": "look", "slots": ["order_number"]},
            },
        }
    ),
    "p-test",
)
FILLING = State(forms=(FormState("cancel", "order_number"),))


def decide(
    text: str, wishes: float | None, state: State | None = None, *, intent: str = "cancel"
) -> Decision:
    number = text.find("A10234")
    entities = (Entity("order_number", "A10234", "A10234", number, number + 6),)
    understanding = Understanding(
        "en",
        "neutral",
        "calm",
        intent,
        0.9,
        (IntentScore(intent, 0.9),),
        entities if number >= 0 else (),
        wishes=wishes,
    )
    return POLICY.decide(text, understanding, state or State())


def test_what_was_learnt_from_transcripts_goes_before_the_patterns() -> None:
    asked = decide("can I cancel", 0.2)
    assert (asked.route, asked.template) == (Route.TEMPLATE, "how_to_cancel")
    assert decide("stop it, please", 0.2).reason == "informs:cancel"
    assert decide("can I cancel, please", 0.8).route is Route.ACT


def test_without_a_model_patterns_tell_who_only_asks() -> None:
    assert decide("can I cancel", None).reason == "informs:cancel"
    assert decide("stop it, please", None).route is Route.ACT


def test_a_message_that_brings_the_order_number_wants_it_done() -> None:
    assert decide("can I cancel A10234", 0.1).route is Route.ACT


def test_an_action_that_tells_nothing_is_begun_all_the_same() -> None:
    assert decide("can I see where it is", 0.1, intent="track").route is Route.ACT


def test_a_question_about_it_is_answered_while_the_action_waits() -> None:
    asked = decide("does that cost anything", 0.2, FILLING)
    assert asked.reason == "informs:cancel"
    assert asked.resumes == "ask_order_number"
    assert decide("the one from today", 0.8, FILLING).reason == "slot_invalid"


def test_who_hesitates_is_asked_once_more_and_who_asks_is_answered() -> None:
    slots = {"order_number": "A10234"}
    state = State(slots=slots, forms=(FormState("cancel", CONFIRM),))
    assert decide("let me think", 0.1, state).reason == "confirm_again"
    assert decide("does that cost anything?", 0.1, state).reason == "informs:cancel"
    assert decide("can I do that later", 0.1, state).reason == "informs:cancel"
