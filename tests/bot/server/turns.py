"""Turns as an assistant makes them."""

from bot.core.types import (
    Decision,
    Handoff,
    Message,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
)


def turn_with(reply: Reply, handoff: Handoff | None = None) -> Turn:
    return Turn(
        message=Message("a question"),
        understanding=Understanding("en", "neutral", "calm", "returns", 0.9),
        decision=Decision(Route.HANDOFF if handoff else Route.RETRIEVE, "rule"),
        reply=reply,
        versions=ServingVersions("m-1", "k-1", "t-1", "p-1"),
        handoff=handoff,
    )
