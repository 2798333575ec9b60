"""Turns as JSON, in the format of the API and in that of the log."""

from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from bot.core.privacy import redact
from bot.core.types import Citation, Decision, Entity, GenerationRecord, Turn, Understanding


@cache
def _adapter() -> TypeAdapter[Turn]:
    return TypeAdapter(Turn)


def to_record(turn: Turn) -> Any:
    """Return a turn as JSON values, without personal data, for the log."""
    return _adapter().dump_python(without_personal_data(turn), mode="json")


def from_record(record: Any) -> Turn:
    """Return the turn of a record from `to_record`."""
    return _adapter().validate_python(record)


def without_personal_data(turn: Turn) -> Turn:
    """Return the turn with the customer's texts redacted; the shop's own texts are kept."""
    sender, customer = turn.message.sender, turn.message.customer
    message = replace(
        turn.message,
        text=redact(turn.message.text),
        sender=redact(sender) if sender else None,
        visitor=None,
        customer=redact(customer) if customer else None,
    )
    entities = tuple(_redact(entity) for entity in turn.understanding.entities)
    requests = tuple(replace(r, text=redact(r.text)) for r in turn.understanding.requests)
    understanding = replace(turn.understanding, entities=entities, requests=requests)
    slots = tuple((name, redact(value)) for name, value in turn.slots)
    acted = tuple(
        replace(
            action, slots=tuple((name, value and redact(value)) for name, value in action.slots)
        )
        for action in turn.acted
    )
    return replace(turn, message=message, understanding=understanding, slots=slots, acted=acted)


def _redact(entity: Entity) -> Entity:
    return replace(entity, value=redact(entity.value), text=redact(entity.text))


def turn_json(turn: Turn) -> dict[str, Any]:
    """Return a turn in the format of the API."""
    body: dict[str, Any] = {
        "message_id": turn.message.id,
        "conversation_id": turn.message.conversation_id,
        "reply_id": turn.reply_id,
        **understanding_json(turn.understanding),
        "requests": _requests(turn),
        "promise": turn.understanding.promised.value,
        "route": turn.decision.route.value,
        "reason": turn.decision.reason,
        "reply": {
            "text": turn.reply.text,
            "citations": [citation_json(citation) for citation in turn.reply.citations],
            "buttons": [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons],
            "related": list(turn.reply.related),
        },
        "versions": {
            "model": turn.versions.model,
            "knowledge": turn.versions.knowledge,
            "templates": turn.versions.templates,
            "policy": turn.versions.policy,
            "content": turn.versions.content,
        },
        "timings_ms": dict(turn.timings_ms),
    }
    if turn.handoff:
        body["handoff"] = {
            "state": turn.handoff.state,
            "queue": turn.handoff.queue,
            "position": turn.handoff.position,
        }
    return body


def _requests(turn: Turn) -> list[dict[str, Any]]:
    """Return the requests of a message; one that was not handled has no route."""
    routes = [decision.route.value for decision in turn.decisions]
    requests = turn.understanding.requests or (turn.understanding.whole(turn.message.text),)
    return [
        {
            "text": request.text,
            "start": request.start,
            "end": request.end,
            "intent": request.intent,
            "confidence": request.confidence,
            "route": routes[number] if number < len(routes) else None,
        }
        for number, request in enumerate(requests)
    ]


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "route": decision.route.value,
        "reason": decision.reason,
        "intent": decision.intent,
        "template": decision.template,
        "action": decision.action,
        "slot": decision.slot,
        "options": list(decision.options),
        "queue": decision.queue,
        "confirms": decision.confirms,
        "resumes": decision.resumes,
    }


def _written_json(written: GenerationRecord) -> dict[str, Any]:
    usage = written.usage
    return {
        "model": written.model,
        "prompt_sha256": written.prompt_sha256,
        "tokens": {
            "prompt": usage.prompt_tokens,
            "completion": usage.completion_tokens,
            "reported": usage.reported,
        },
        "cost": written.cost,
        "fell_back": written.fell_back,
    }


def understanding_json(understanding: Understanding) -> dict[str, Any]:
    """Return the understanding in the format of the API."""
    return {
        "language": understanding.language,
        "sentiment": understanding.sentiment,
        "emotion": understanding.emotion,
        "intent": understanding.intent,
        "confidence": understanding.confidence,
        "ranking": [
            {"intent": score.intent, "confidence": score.confidence}
            for score in understanding.ranking
        ],
        "entities": [
            {
                "entity": entity.entity,
                "value": entity.value,
                "text": entity.text,
                "start": entity.start,
                "end": entity.end,
            }
            for entity in understanding.entities
        ],
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """Return a citation in the format of the API."""
    return {
        "article": citation.article,
        "title": citation.title,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "url": citation.url,
    }


def trace_json(turn: Turn) -> dict[str, Any]:
    """Return the trace of a reply, which explains it, without personal data."""
    import hashlib

    clean = without_personal_data(turn)
    text = clean.message.text
    return {
        "message_id": turn.message.id,
        "conversation_id": turn.message.conversation_id,
        "input_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "understanding": understanding_json(clean.understanding),
        "route": turn.decision.route.value,
        "reason": turn.decision.reason,
        "template": turn.decision.template,
        "action": turn.decision.action,
        "requests": _requests(clean),
        "decisions": [_decision_json(decision) for decision in turn.decisions],
        "promise": turn.understanding.promised.value,
        "composer": turn.reply.composer,
        "generated": [_written_json(written) for written in turn.reply.written],
        "candidates": [
            {
                "article": hit.chunk.article,
                "chunk": hit.chunk.id,
                "title": hit.chunk.title,
                "score": hit.score,
                "dense": hit.dense,
                "sparse": hit.sparse,
            }
            for hit in turn.evidence
        ],
        "answerable": [
            {
                "article": judged.article,
                "score": judged.score,
                "signs": {
                    sign.name: {"level": round(sign.level, 4), "lead": round(sign.lead, 4)}
                    for sign in judged.signs
                },
            }
            for judged in turn.judged
        ],
        "citations": [
            {
                "article": c.article,
                "start": c.start,
                "end": c.end,
                "sha256": hashlib.sha256(c.quote.encode()).hexdigest(),
            }
            for c in turn.reply.citations
        ],
        "versions": turn_json(turn)["versions"],
        "timings_ms": dict(turn.timings_ms),
    }
