"""Replies as a customer gets them: several answers in one, in the script the customer writes."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Final

from bot.core.types import Decision, Reply
from knowledge_base.text.scripts import Script, to_script

BETWEEN: Final = "\n\n"  # two answers
_PHRASE_ENDS: Final = frozenset("。，！？；：\n.,!?;: ")


def in_script(
    words: Generator[str, None, tuple[Decision, Reply]], wanted: Script | None
) -> Generator[str, None, tuple[Decision, Reply]]:
    """Pass words on in the customer's script; our texts are in Simplified Chinese.

    Phrases are converted whole, so words wait for the end of a phrase. What is quoted from
    articles stays as it stands there.
    """
    if wanted != "hant":
        return (yield from words)
    waiting = ""
    while True:
        try:
            waiting += next(words)
        except StopIteration as stop:
            decision, reply = stop.value
            break
        if waiting[-1:] in _PHRASE_ENDS:
            yield to_script(waiting, wanted)
            waiting = ""
    if waiting:
        yield to_script(waiting, wanted)
    buttons = tuple(replace(b, title=to_script(b.title, wanted)) for b in reply.buttons)
    return decision, replace(reply, text=to_script(reply.text, wanted), buttons=buttons)


def joined(replies: Sequence[Reply]) -> Reply:
    """Return the answers to several requests as one reply."""
    if len(replies) == 1:
        return replies[0]
    return Reply(
        text=BETWEEN.join(reply.text for reply in replies),
        citations=tuple(citation for reply in replies for citation in reply.citations),
        buttons=tuple(button for reply in replies for button in reply.buttons),
        related=tuple(dict.fromkeys(title for reply in replies for title in reply.related)),
        composer="+".join(dict.fromkeys(reply.composer for reply in replies)),
    )


def is_needless(decision: Decision, before: Sequence[Decision], *, wants: bool) -> bool:
    """Tell what need not be said beside the answers to the other requests of a message.

    A greeting is not returned where the customer wants something, and what is missing for two
    requests is asked for once.
    """
    if decision.reason == "smalltalk":
        return wants
    return decision.slot is not None and any(d.slot == decision.slot for d in before)
