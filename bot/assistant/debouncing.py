"""Messages in a burst: "hi" — "where is" — "my parcel" are one turn."""

import time
from dataclasses import dataclass, replace
from typing import Final

from bot.assistant.protocols import ConversationLog
from bot.core.types import Message, now

_LONGEST: Final = 6  # times the quiet that is waited for at most, however fast somebody writes


@dataclass(frozen=True)
class MessageBurst:
    """A message as it is read: with those right before it, whose ids are `merged`."""

    message: Message
    merged: tuple[str, ...] = ()


def wait_for_quiet(log: ConversationLog, message: Message) -> None:
    """Wait until nothing was written in the conversation for the burst's seconds."""
    deadline = time.monotonic() + _LONGEST * message.burst
    while time.monotonic() < deadline:
        last = max((m.at for m in log.pending(message.conversation_id)), default=message.at)
        left = message.burst - (now() - last).total_seconds()
        if left <= 0:
            return
        time.sleep(min(left, message.burst))


def whole(log: ConversationLog, message: Message) -> MessageBurst:
    """Return all that waits in a message's conversation as one message, the last one of it."""
    waiting = log.pending(message.conversation_id) if message.burst else ()
    if len(waiting) < 2 or message.id not in {other.id for other in waiting}:  # noqa: PLR2004 — one is no burst
        return MessageBurst(message)
    text = "\n".join(message.text for message in waiting)
    last = replace(waiting[-1], text=text, channel=message.channel)
    return MessageBurst(last, tuple(message.id for message in waiting[:-1]))
