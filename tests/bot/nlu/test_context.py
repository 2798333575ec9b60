import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.context import Transitions, learn
from bot.nlu.datasets import Conversation, LoggedTurn
from bot.types import Role

LABELS = ["refund", "shipping", "sizes", "thanks"]


def dialog(*intents: str | None) -> Conversation:
    turns: list[LoggedTurn] = []
    for intent in intents:
        turns.append(LoggedTurn(Role.CUSTOMER, "…", intent))
        turns.append(LoggedTurn(Role.BOT, "…", "sizes"))
    return Conversation("c", tuple(turns))


def learned(*dialogs: Conversation) -> Transitions:
    transitions = learn([*dialogs] * 50, LABELS)
    assert transitions is not None
    return transitions


def test_too_few_annotated_turns_teach_nothing() -> None:
    assert learn([dialog("refund", "refund")] * 49, LABELS) is None
    assert learn([dialog("refund", "refund")] * 50, LABELS) is not None
    assert learn([dialog("refund")] * 500, LABELS) is None


def test_staying_changing_and_starting_are_counted() -> None:
    transitions = learned(dialog("refund", "refund", "refund", "shipping"))
    assert transitions.stay == pytest.approx(2 / 3)
    assert max(transitions.change, key=lambda label: transitions.change[label]) == "shipping"
    assert max(transitions.start, key=lambda label: transitions.start[label]) == "refund"
    assert sum(transitions.change.values()) == pytest.approx(1.0)
    assert sum(transitions.start.values()) == pytest.approx(1.0)
    assert min(transitions.start.values()) > 0.0


def test_only_customers_and_known_intents_count() -> None:
    transitions = learned(dialog("refund", None, "unheard of", "refund"))
    assert transitions.stay == 1.0


def test_a_thank_you_does_not_change_the_subject() -> None:
    transitions = learned(dialog("refund", "thanks", "refund"))
    assert transitions.stay == pytest.approx(0.5)
    assert transitions.change["thanks"] > transitions.change["refund"]


def test_staying_with_the_subject_raises_its_probability() -> None:
    transitions = learned(dialog("refund", "refund", "refund", "shipping"))
    even = np.full((2, 4), 0.25)
    followed = transitions.follow(even, ["refund", "sizes"], LABELS)
    assert followed[0, 0] > 0.25
    assert followed[0, 0] > followed[1, 0]
    assert followed[1, 2] > followed[0, 2]
    assert followed[0].argmax() == 0


def test_the_first_message_follows_how_conversations_start() -> None:
    transitions = learned(dialog("shipping", "refund"))
    followed = transitions.follow(np.full((1, 4), 0.25), [None], LABELS)
    assert followed[0].argmax() == 1


def test_a_clear_message_changes_the_subject_all_the_same() -> None:
    transitions = learned(dialog("refund", "refund", "refund", "shipping"))
    clear = np.array([[0.01, 0.01, 0.97, 0.01]])
    assert transitions.follow(clear, ["refund"], LABELS)[0].argmax() == 2


def test_a_subject_the_model_does_not_know_favours_none() -> None:
    transitions = Transitions(0.8, dict.fromkeys(LABELS, 0.25), dict.fromkeys(LABELS, 0.25))
    followed = transitions.follow(np.full((1, 4), 0.25), ["gone"], LABELS)
    assert np.allclose(followed, 0.25)


def test_labels_that_came_later_count_as_even() -> None:
    transitions = Transitions(0.0, {"refund": 0.25}, {"refund": 0.25})
    followed = transitions.follow(np.full((1, 4), 0.25), [None], LABELS)
    assert np.allclose(followed, 0.25)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4),
            st.sampled_from([*LABELS, None, "gone"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_rows_sum_to_one_and_stay_positive(
    rows: list[tuple[list[float], str | None]],
) -> None:
    transitions = learned(dialog("refund", "refund", "shipping", "thanks", "sizes"))
    probabilities = np.array([values for values, _ in rows])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    followed = transitions.follow(probabilities, [before for _, before in rows], LABELS)
    assert followed.shape == probabilities.shape
    assert np.allclose(followed.sum(axis=1), 1.0)
    assert (followed > 0.0).all()


def test_what_was_learned_is_plain_json() -> None:
    transitions = learned(dialog("refund", "shipping"))
    assert Transitions(**json.loads(json.dumps(transitions.to_json()))) == transitions
