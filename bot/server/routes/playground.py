"""The route of the playground: one question through the serving path; nothing is stored."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from bot.core import serialization
from bot.core.types import Turn
from bot.evaluation import dry_run
from bot.evaluation.dry_run import DryRunQuestion, DryRunResult
from bot.generation.verification import SupportCheck
from bot.server.api_errors import plain
from bot.server.dependencies import TheService
from bot.server.routes.console import TheStaff
from knowledge_base.documents import SearchHit

router: Final = APIRouter(prefix="/api")
_MAX_EARLIER: Final = 10
_Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(plain)]


class PlaygroundRequest(BaseModel):
    """A question, the customer's earlier messages, language and channel."""

    text: _Text
    earlier: list[_Text] = Field([], max_length=_MAX_EARLIER)
    language: Literal["en", "zh"] | None = None
    channel: str = Field("widget", pattern=r"^[a-z][a-z0-9_\-]{0,31}$")


@router.post("/playground")
def playground(body: PlaygroundRequest, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Answer a question and return every step, without log, metrics or effects."""
    del staff
    question = DryRunQuestion(body.text, tuple(body.earlier), body.language, body.channel)
    service.messages.acquire()
    try:
        home = service.home
        check = SupportCheck(home.sentence_encoder())
        actions = home.actions(dry=True)
        result = dry_run.dry_run(service.assistant, actions, check, question)
    finally:
        service.messages.release()
    return _json(result)


def _json(result: DryRunResult) -> dict[str, Any]:
    used = {hit.chunk.id for hit in result.used}
    evidence = result.found.evidence
    return {
        "turn": serialization.turn_json(result.turn),
        "trace": serialization.trace_json(result.turn),
        "earlier": [_earlier(turn) for turn in result.earlier],
        "candidates": [_candidate(hit, used) for hit in result.found.hits],
        "evidence": {
            "article": evidence.article,
            "score": evidence.score,
            "threshold": result.threshold,
            "signs": {sign.name: round(sign.level, 4) for sign in evidence.signs},
        }
        if evidence
        else None,
        "support": [
            {
                "text": sentence.text,
                "supported": sentence.verdict.supported,
                "score": round(sentence.verdict.score, 4),
                "flaws": [flaw.value for flaw in sentence.verdict.flaws],
                "article": sentence.article,
            }
            for sentence in result.support
        ],
    }


def _earlier(turn: Turn) -> dict[str, Any]:
    return {
        "text": turn.message.text,
        "intent": turn.understanding.intent,
        "route": turn.decision.route.value,
        "reply": turn.reply.text,
    }


def _candidate(hit: SearchHit, used: set[str]) -> dict[str, Any]:
    """Return a passage with its scores: dense (cosine), sparse (BM25), and fused."""
    return {
        "article": hit.chunk.article,
        "chunk": hit.chunk.id,
        "title": hit.chunk.heading,
        "text": hit.chunk.text,
        "dense": hit.dense,
        "sparse": hit.sparse,
        "score": hit.score,
        "used": hit.chunk.id in used,
    }
