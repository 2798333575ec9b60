"""Batches: lines of JSON with a text each, answered; a stopped run goes on where it stopped."""

import gzip
import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.assistant.pipeline import Assistant
from bot.core import serialization
from bot.core.types import CarelineError, InvalidMessageError, Message, new_id

_TEXTS: Final = ("text", "sender", "conversation_id")
_LONGEST_ID: Final = 64


@dataclass(frozen=True)
class BatchLine:
    """A line of the batch; one that cannot be read has an error instead of a text."""

    line: int
    id: str
    text: str = ""
    conversation_id: str | None = None
    sender: str | None = None
    error: str | None = None


@dataclass
class BatchSummary:
    """What became of the lines of a batch."""

    answered: int = 0
    failed: int = 0
    skipped: int = 0  # they were answered by an earlier run
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


def read(file: Path) -> Iterator[BatchLine]:
    """Yield the lines of a file; empty ones are passed over."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _asked(number, line)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{file} cannot be read: {error}"
        raise CarelineError(message) from error


def _asked(number: int, line: bytes) -> BatchLine:
    try:
        body = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return BatchLine(number, str(number), error=f"this is not JSON in UTF-8: {error}")
    if not isinstance(body, dict):
        return BatchLine(number, str(number), error="a line holds one JSON object")
    given = body.get("id")
    name = str(number) if given is None else str(given)
    for key in _TEXTS:
        value = body.get(key)
        if not (isinstance(value, str) or (value is None and key != "text")):
            return BatchLine(number, name, error=f"{key} has to be a text")
    conversation: str | None = body.get("conversation_id")
    if conversation is not None and not 0 < len(conversation) <= _LONGEST_ID:
        return BatchLine(number, name, error=f"conversation_id has 1 to {_LONGEST_ID} characters")
    return BatchLine(number, name, body["text"], conversation, body.get("sender"))


def answered(out: Path) -> set[str]:
    """Return the ids an earlier run answered; what failed then is taken out, to be tried again."""
    if not out.exists():
        return set()
    kept, ids = [], set()
    for line in out.read_text(encoding="utf-8").splitlines():
        try:
            body = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if "error" not in body:
            kept.append(line)
            ids.add(str(body["id"]))
    fresh = out.with_name(f"{out.name}.new")
    fresh.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    fresh.replace(out)
    return ids


def run(
    asked: Sequence[BatchLine],
    assistant: Assistant,
    write: Callable[[dict[str, Any]], None],
    *,
    workers: int = 1,
    step: Callable[[], None] = lambda: None,
) -> BatchSummary:
    """Answer lines and hand each result to `write`; lines of a conversation keep their order."""
    groups: dict[str, list[BatchLine]] = {}
    for one in asked:
        groups.setdefault(one.conversation_id or f" {one.line}", []).append(one)
    done = BatchSummary()

    def answer(group: list[BatchLine]) -> None:
        for one in group:
            result = _answer(one, assistant)
            with done.lock:
                write(result)
                if "error" in result:
                    done.failed += 1
                else:
                    done.answered += 1
                step()

    with ThreadPoolExecutor(workers, thread_name_prefix="batch") as threads:
        for _ in threads.map(answer, groups.values()):
            pass
    return done


def _answer(asked: BatchLine, assistant: Assistant) -> dict[str, Any]:
    if asked.error is not None:
        return {"id": asked.id, "line": asked.line, "error": asked.error}
    # A run that is repeated says the same line once: the log knows it by this.
    once = hashlib.sha256(f"{asked.id}\n{asked.text}".encode(errors="surrogatepass")).hexdigest()
    message = Message(
        text=asked.text,
        conversation_id=asked.conversation_id or new_id(),
        sender=asked.sender,
        channel="batch",
        client_message_id=f"batch-{once[:32]}",
    )
    try:
        return {"id": asked.id, **serialization.turn_json(assistant.answer(message))}
    except InvalidMessageError as error:
        return {"id": asked.id, "line": asked.line, "error": str(error)}
