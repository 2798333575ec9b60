"""Assembly of replies: several in one, in the script the customer writes."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Final

from bot.assistant.turn_context import Response
from bot.core.types import Decision, Reply
from knowledge_base.text.scripts import Script, to_script

BETWEEN: Final = "\n\n"  # two answers
_PHRASE_ENDS: Final = frozenset("。，！？；：\n.,!?;: ")


def in_script(
    tokens: Generator[str, None, Response], wanted: Script | None
) -> Generator[str, None, Response]:
    """Pass tokens on in the customer's script; templates and passages are in Simplified Chinese.

    Phrases are converted whole, so tokens wait for the end of a phrase. Quotes of articles stay
    as they are there.
    """
    if wanted != "hant":
        return (yield from tokens)
    waiting = ""
    while True:
        try:
            waiting += next(tokens)
        except StopIteration as stop:
            response: Response = stop.value
            break
        if waiting[-1:] in _PHRASE_ENDS:
            yield to_script(waiting, wanted)
            waiting = ""
    if waiting:
        yield to_script(waiting, wanted)
    reply = response.reply
    buttons = tuple(replace(b, title=to_script(b.title, wanted)) for b in reply.buttons)
    converted = replace(reply, text=to_script(reply.text, wanted), buttons=buttons)
    return replace(response, reply=converted)


def join_replies(replies: Sequence[Reply], related: Sequence[str] = ()) -> Reply:
    """Return the replies to several requests as one, with further related titles."""
    titles = [title for reply in replies for title in reply.related]
    titles = [*(dict.fromkeys(titles) if len(replies) > 1 else titles), *related]
    if len(replies) == 1:
        return replace(replies[0], related=tuple(titles))
    return Reply(
        text=BETWEEN.join(reply.text for reply in replies),
        citations=tuple(citation for reply in replies for citation in reply.citations),
        buttons=tuple(button for reply in replies for button in reply.buttons),
        related=tuple(titles),
        composer="+".join(dict.fromkeys(reply.composer for reply in replies)),
        written=tuple(record for reply in replies for record in reply.written),
    )


def is_needless(decision: Decision, before: Sequence[Decision], *, has_request: bool) -> bool:
    """Return whether a decision needs no reply beside those to the message's other requests.

    A greeting is not returned where there is a request, and a slot that two requests miss is asked
    for once.
    """
    if decision.reason == "smalltalk":
        return has_request
    return decision.slot is not None and any(d.slot == decision.slot for d in before)
