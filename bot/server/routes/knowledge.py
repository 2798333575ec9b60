"""Routes of the knowledge: search and articles."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bot.core.types import InvalidMessageError
from bot.nlu.language import detect
from bot.server.dependencies import TheService
from knowledge_base.index.filters import PassageFilter
from knowledge_base.retrieval.search import article_json, hit_json

router: Final = APIRouter(prefix="/api")


class NewSearch(BaseModel):
    """A query."""

    query: str = Field(max_length=4000)
    k: int = Field(5, ge=1, le=100)
    languages: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


@router.post("/search")
def search(body: NewSearch, service: TheService) -> list[dict[str, Any]]:
    """Search passages in the same way as the chat."""
    if not body.query.strip():
        message = "the query is empty: write what to look for"
        raise InvalidMessageError(message)
    knowledge = service.assistant.components.knowledge
    if knowledge is None:
        return []
    public = PassageFilter.public(datetime.now(UTC).date())
    only = replace(public, languages=body.languages, tags=body.tags)
    language = detect(body.query)
    hits = knowledge.search(body.query, body.k, language=language, only=only, context=None)
    return [hit_json(hit) for hit in hits]


@router.get("/articles/{identifier:path}")
def article(identifier: str, service: TheService) -> dict[str, Any]:
    """Return an article with its extracted text, which the offsets of citations refer to."""
    return article_json(service.serving.article(identifier), with_text=True)
