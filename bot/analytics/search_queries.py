"""Questions of a home with the articles that answered them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.core.types import Role
from bot.training import datasets
from bot.training.datasets import Conversation, is_held_back
from knowledge_base.retrieval.search_evaluation import JudgedQuery, read_queries

if TYPE_CHECKING:
    from bot.store.database import Engine

_CASES: Final = "tests/search.jsonl"
_DISCONTENT: Final = 2  # of five points


def of_home(home: Path, engine: "Engine") -> list[JudgedQuery]:
    """Return the questions of a home for training its search, without the held-back ones.

    They come from `tests/search.jsonl`, from resolved transcripts whose replies name their article,
    and from the log (which must be migrated), where customers and agents confirmed the answer.
    """
    from bot.store import query_log

    path = home / _CASES
    written = read_queries(path) if path.exists() else []
    files = sorted((home / "dialogs").glob("*.jsonl*"))
    logged = [
        JudgedQuery(text, articles) for text, articles in query_log.answered_questions(engine)
    ]
    return [
        *(query for query in written if query.id is None or not is_held_back(query.id)),
        *of_transcripts(datasets.read_transcripts(files)),
        *logged,
    ]


def of_transcripts(conversations: Iterable[Conversation]) -> Iterator[JudgedQuery]:
    """Yield customers' questions with the article that the reply names, where it was resolved."""
    for conversation in conversations:
        unhappy = conversation.csat is not None and conversation.csat <= _DISCONTENT
        if is_held_back(conversation.id) or conversation.outcome == "unresolved" or unhappy:
            continue
        question: str | None = None
        for turn in conversation.turns:
            if turn.role is Role.CUSTOMER:
                question = turn.text
            elif question and turn.article:
                yield JudgedQuery(question, frozenset({turn.article}))
                question = None
