"""Questions with the articles that answered them, as a home has them."""

from typing import TYPE_CHECKING, Final

from bot.nlu.datasets import is_held_back
from knowledge_base.evaluation import Query, read_queries

if TYPE_CHECKING:
    from bot.bootstrap import Home

_CASES: Final = "tests/search.jsonl"


def of_home(home: "Home") -> list[Query]:
    """Return `tests/search.jsonl` without the part that is held back to judge by."""
    path = home.path / _CASES
    queries = read_queries(path) if path.exists() else []
    return [query for query in queries if query.id is None or not is_held_back(query.id)]
