"""Where a home's questions with their articles come from."""

from bot.analytics import search_queries
from bot.core.types import Role
from bot.training.datasets import Conversation, LoggedTurn
from knowledge_base.retrieval.search_evaluation import JudgedQuery


def said(role: str, text: str, article: str | None = None) -> LoggedTurn:
    return LoggedTurn(Role(role), text, article=article)


TURNS = (
    said("customer", "how long is the warranty"),
    said("bot", "Two years.", "warranty.md"),
    said("agent", "And it covers zips.", "repairs.md"),
    said("customer", "thanks"),
    said("bot", "You are welcome."),
)
ONE = [JudgedQuery("how long is the warranty", frozenset({"warranty.md"}))]


def test_a_reply_that_names_its_article_teaches_the_question_before_it() -> None:
    assert (
        list(search_queries.of_transcripts([Conversation("a-1", TURNS, outcome="resolved")])) == ONE
    )
    assert list(search_queries.of_transcripts([Conversation("a-1", TURNS)])) == ONE


def test_what_went_wrong_teaches_nothing() -> None:
    assert (
        list(search_queries.of_transcripts([Conversation("a-1", TURNS, outcome="unresolved")]))
        == []
    )
    assert list(search_queries.of_transcripts([Conversation("a-1", TURNS, csat=2)])) == []
    assert list(search_queries.of_transcripts([Conversation("a-1", TURNS, csat=4)])) == ONE


def test_conversations_held_back_to_judge_by_stay_out() -> None:
    found = [
        query
        for number in range(50)
        for query in search_queries.of_transcripts([Conversation(f"c-{number}", TURNS)])
    ]
    assert 25 < len(found) < 50
