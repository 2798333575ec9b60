import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assistant.question_suggestions import EvidenceWeights, QuestionSuggester, distinct

SESSIONS = [
    ("greeting", "return", "refund", "thanks"),
    ("return", "refund"),
    ("return", "label"),
    ("size", "return", "refund"),
    ("size", "stock"),
    ("hours",),
    ("hours",),
    ("hours",),
    ("hours",),
]


def axis(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


CONTENT = {"tents": axis(1, 0.1, 0), "poles": axis(1, 0.2, 0), "refund": axis(0, 1, 0.1)}


def test_what_usually_follows_comes_first() -> None:
    found = QuestionSuggester.fit(SESSIONS).suggest(["return"])
    assert found[0] == "refund"
    assert "label" in found


def test_without_a_history_the_popular_are_offered() -> None:
    assert QuestionSuggester.fit(SESSIONS).suggest([])[:2] == ("hours", "return")


def test_an_unknown_question_falls_back_to_the_popular() -> None:
    suggester = QuestionSuggester.fit(SESSIONS)
    assert suggester.suggest(["never seen"]) == suggester.suggest([])


def test_what_was_asked_or_seen_is_not_offered_again() -> None:
    suggester = QuestionSuggester.fit(SESSIONS)
    assert "refund" not in suggester.suggest(["refund", "return"], 9)
    assert "refund" not in suggester.suggest(["return"], 9, seen={"refund"})


def test_pleasantries_are_neither_offered_nor_learnt() -> None:
    suggester = QuestionSuggester.fit(SESSIONS, never=("greeting", "thanks", "oos"))
    assert not {"greeting", "thanks"} & set(suggester.suggest(["refund"], 99))
    assert suggester.suggest(["return", "thanks"]) == suggester.suggest(["return"])


def test_the_last_question_weighs_more_than_those_before() -> None:
    sessions = [("a", "x"), ("b", "y")] * 5
    suggester = QuestionSuggester.fit(sessions)
    assert suggester.suggest(["a", "b"], 1) == ("y",)
    assert suggester.suggest(["b", "a"], 1) == ("x",)
    assert set(suggester.suggest(["a", "b"], 2)) == {"x", "y"}


def test_with_an_empty_log_the_nearest_content_is_offered() -> None:
    suggester = QuestionSuggester.fit([], content=CONTENT)
    assert suggester.suggest(["tents"]) == ("poles",)
    assert suggester.suggest([]) == ()


def test_content_fills_up_what_the_log_does_not_know() -> None:
    suggester = QuestionSuggester.fit([("hours", "refund")], content=CONTENT)
    assert suggester.suggest(["tents"], 1) == ("poles",)
    assert suggester.suggest(["hours"], 1) == ("refund",)


def test_content_can_be_made_to_count_for_nothing() -> None:
    suggester = QuestionSuggester.fit([], content=CONTENT, strength=EvidenceWeights(content=0.0))
    assert suggester.suggest(["tents"]) == ()


def test_nothing_is_offered_where_nothing_is_known() -> None:
    assert QuestionSuggester.fit([]).suggest(["anything"]) == ()


def test_a_repetition_is_no_step() -> None:
    assert distinct(["a", "a", "b", "a"]) == ["a", "b", "a"]
    assert QuestionSuggester.fit([("a", "a", "b")]).after == {"a": {"b": 1}}


@pytest.mark.parametrize("k", [0, 1, 3])
@given(
    st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), max_size=8),
    st.lists(st.sampled_from("abcdefgh"), max_size=6),
)
def test_suggestions_are_few_distinct_and_new(
    k: int, sessions: list[list[str]], history: list[str]
) -> None:
    suggester = QuestionSuggester.fit(sessions)
    found = suggester.suggest(history, k)
    assert len(found) == len(set(found)) <= k
    assert not set(found) & set(history)
    assert found == suggester.suggest(history, k)
