"""Replies to batches of JSON lines with a text each; an interrupted run can be continued."""

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

_TEXT_KEYS: Final = ("text", "sender", "conversation_id")
_MAX_ID_LENGTH: Final = 64


@dataclass(frozen=True)
class BatchLine:
    """A line of the batch; an invalid one has an error instead of a text."""

    line: int
    id: str
    text: str = ""
    conversation_id: str | None = None
    sender: str | None = None
    error: str | None = None


@dataclass
class BatchSummary:
    """The numbers of lines of a batch by result."""

    answered: int = 0
    failed: int = 0
    skipped: int = 0  # answered by an earlier run
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


def read(file: Path) -> Iterator[BatchLine]:
    """Yield the lines of a file; empty ones are skipped."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse_line(number, line)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{file} cannot be read: {error}"
        raise CarelineError(message) from error


def _parse_line(number: int, line: bytes) -> BatchLine:
    try:
        body = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return BatchLine(number, str(number), error=f"this is not JSON in UTF-8: {error}")
    if not isinstance(body, dict):
        return BatchLine(number, str(number), error="a line holds one JSON object")
    identifier = body.get("id")
    name = str(number) if identifier is None else str(identifier)
    for key in _TEXT_KEYS:
        value = body.get(key)
        if not (isinstance(value, str) or (value is None and key != "text")):
            return BatchLine(number, name, error=f"{key} has to be a text")
    conversation: str | None = body.get("conversation_id")
    if conversation is not None and not 0 < len(conversation) <= _MAX_ID_LENGTH:
        return BatchLine(
            number, name, error=f"conversation_id has 1 to {_MAX_ID_LENGTH} characters"
        )
    return BatchLine(number, name, body["text"], conversation, body.get("sender"))


def answered_ids(out: Path) -> set[str]:
    """Return the ids answered by an earlier run; failed lines are removed, to be tried again."""
    if not out.exists():
        return set()
    successful, ids = [], set()
    for line in out.read_text(encoding="utf-8").splitlines():
        try:
            body = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if "error" not in body:
            successful.append(line)
            ids.add(str(body["id"]))
    rewritten = out.with_name(f"{out.name}.new")
    rewritten.write_text("".join(f"{line}\n" for line in successful), encoding="utf-8")
    rewritten.replace(out)
    return ids


def run(
    lines: Sequence[BatchLine],
    assistant: Assistant,
    write: Callable[[dict[str, Any]], None],
    *,
    workers: int = 1,
    step: Callable[[], None] = lambda: None,
) -> BatchSummary:
    """Answer lines and pass each result to `write`; lines of a conversation keep their order."""
    groups: dict[str, list[BatchLine]] = {}
    for line in lines:
        groups.setdefault(line.conversation_id or f" {line.line}", []).append(line)
    summary = BatchSummary()

    def answer(group: list[BatchLine]) -> None:
        for line in group:
            result = _answer(line, assistant)
            with summary.lock:
                write(result)
                if "error" in result:
                    summary.failed += 1
                else:
                    summary.answered += 1
                step()

    with ThreadPoolExecutor(workers, thread_name_prefix="batch") as threads:
        for _ in threads.map(answer, groups.values()):
            pass
    return summary


def _answer(line: BatchLine, assistant: Assistant) -> dict[str, Any]:
    if line.error is not None:
        return {"id": line.id, "line": line.line, "error": line.error}
    # A repeated run sends the same line only once: the log recognises it by this id.
    digest = hashlib.sha256(f"{line.id}\n{line.text}".encode(errors="surrogatepass")).hexdigest()
    message = Message(
        text=line.text,
        conversation_id=line.conversation_id or new_id(),
        sender=line.sender,
        channel="batch",
        client_message_id=f"batch-{digest[:32]}",
    )
    try:
        return {"id": line.id, **serialization.turn_json(assistant.answer(message))}
    except InvalidMessageError as error:
        return {"id": line.id, "line": line.line, "error": str(error)}
