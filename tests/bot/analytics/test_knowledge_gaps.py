from datetime import UTC, datetime, timedelta

import pytest

from bot.analytics import knowledge_gaps
from bot.store.query_log import LoggedQuestion
from tests.knowledge_base.fakes import HashEncoder, passage

START = datetime(2026, 5, 1, tzinfo=UTC)


def ask(
    text: str = "question",
    *,
    reason: str = "no_evidence",
    route: str = "template",
    conversation: str = "c",
    language: str = "en",
    rating: str | None = None,
    intent: str | None = None,
    day: int = 0,
) -> LoggedQuestion:
    at = START + timedelta(days=day)
    return LoggedQuestion(
        f"m-{text}-{day}", conversation, text, at, language, route, reason, intent, 0.3, rating
    )


@pytest.mark.parametrize(
    ("reason", "rating", "counts"),
    [
        ("no_evidence", None, True),
        ("refused", None, True),
        ("no_knowledge", None, True),
        ("repeated_failure", None, True),
        ("route:warranty", "down", True),
        ("route:warranty", "up", False),
        ("route:warranty", None, False),
        ("smalltalk", None, False),
        ("escalation", None, False),
    ],
)
def test_what_was_not_answered_counts(reason: str, rating: str | None, *, counts: bool) -> None:
    assert bool(knowledge_gaps.unanswered([ask(reason=reason, rating=rating)])) is counts


def test_what_is_none_of_our_business_is_no_gap_unless_customers_complain() -> None:
    assert knowledge_gaps.unanswered([ask(intent="oos")]) == []
    assert knowledge_gaps.unanswered([ask(intent="oos", rating="down")])


def test_a_question_back_counts_when_no_answer_followed() -> None:
    back = ask("which one", reason="unsure", route="clarify")
    answer = ask("this one", reason="route:warranty", route="retrieve")
    assert knowledge_gaps.unanswered([back, answer]) == []
    assert knowledge_gaps.unanswered([answer, back]) == [back]
    failed = ask("that one", reason="no_evidence")
    assert knowledge_gaps.unanswered([back, failed]) == [back, failed]
    elsewhere = ask(reason="route:warranty", route="retrieve", conversation="d")
    assert knowledge_gaps.unanswered([back, elsewhere]) == [back]


QUESTIONS = [
    ask("repair broken zippers", day=1),
    ask("repair zippers", day=5),
    ask("repair zippers please", day=3),
    ask("rent canoes", day=2),
    ask("rent canoes today", day=2),
    ask("租船多少钱", language="zh", day=9),
]


def test_questions_that_ask_the_same_are_one_cluster() -> None:
    first, second, third = knowledge_gaps.clusters(QUESTIONS, HashEncoder().queries)
    assert (first.count, second.count, third.count) == (3, 2, 1)
    assert {"repair", "zippers"} <= set(first.name.split())
    assert "canoes" in second.name
    assert (first.first, first.last) == (START + timedelta(days=1), START + timedelta(days=5))
    assert (first.language, third.language) == ("en", "zh")
    assert set(first.examples) == {question.text for question in QUESTIONS[:3]}
    assert set(first.messages) == {question.message_id for question in QUESTIONS[:3]}
    assert first.nearest is None


def test_the_nearest_article_is_named() -> None:
    chunks = [
        passage("We rent canoes", article="rent.md"),
        passage("We repair zippers", article="repair.md"),
    ]
    encoder = HashEncoder()
    vectors = encoder.passages([chunk.text for chunk in chunks])
    first, second, _ = knowledge_gaps.clusters(QUESTIONS, encoder.queries, chunks, vectors)
    assert first.nearest is not None
    assert second.nearest is not None
    assert (first.nearest.article, second.nearest.article) == ("repair.md", "rent.md")
    assert 0 < first.nearest.score <= 1


def test_equal_questions_give_equal_clusters() -> None:
    encoder = HashEncoder()
    once = knowledge_gaps.clusters(QUESTIONS, encoder.queries)
    assert knowledge_gaps.clusters(QUESTIONS, encoder.queries) == once
    assert knowledge_gaps.clusters([], encoder.queries) == []
