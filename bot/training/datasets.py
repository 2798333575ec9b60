"""Reading and validation of labelled texts and transcripts."""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError, Role
from bot.nlu.context import in_context

MAX_CHARACTERS: Final = 20_000  # longer than any message; limits the damage of an unclosed quote
_HELD_BACK_PART: Final = 5  # one in five


@dataclass(frozen=True)
class Example:
    """A labelled customer message and its source."""

    text: str
    intent: str
    source: str
    customer: str | None = None  # the customer's message before it
    reply: str | None = None  # the reply before it

    @property
    def input(self) -> str:
        """The text as the classifier reads it."""
        return in_context(self.text, self.customer, self.reply)


@dataclass(frozen=True)
class LoggedTurn:
    """One turn of a past conversation; missing annotations are None."""

    role: Role
    text: str
    intent: str | None = None
    route: str | None = None
    action: str | None = None
    slots: tuple[tuple[str, str], ...] = ()
    at: str | None = None
    article: str | None = None


@dataclass(frozen=True)
class Conversation:
    """A past conversation."""

    id: str
    turns: tuple[LoggedTurn, ...]
    language: str | None = None
    channel: str | None = None
    needs_human: bool | None = None
    outcome: str | None = None
    csat: int | None = None


def is_held_back(identifier: str) -> bool:
    """Return whether an id is in the fifth that is used for tests and never trained on."""
    return int(hashlib.sha256(identifier.encode()).hexdigest()[:8], 16) % _HELD_BACK_PART == 0


def read_text(path: Path) -> str:
    """Return the text of a plain or gzipped UTF-8 file; raise CarelineError with file and row."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read()
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read: {error}"
        raise CarelineError(message, "unread", name=str(path), why=str(error)) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        message = f"{path} row {row} is not UTF-8: save the file as UTF-8"
        raise CarelineError(message, "row_not_utf8", file=str(path), row=row) from error


def read_examples(path: Path, *, held_back: bool = False) -> list[Example]:
    """Read `text,intent` rows, or the annotated customer turns of transcripts.

    Conversations that are never trained on are left out unless `held_back` is set.

    Every error names the file and the row. Empty texts are an error, since they have no intent.
    """
    if path.name.removesuffix(".gz").endswith(".jsonl"):
        return [
            example
            for conversation in read_transcripts([path])
            if held_back or not is_held_back(conversation.id)
            for example in _annotated(conversation, path.name)
        ]
    csv.field_size_limit(MAX_CHARACTERS)
    reader = csv.DictReader(io.StringIO(read_text(path)))
    try:
        columns = reader.fieldnames or []
    except csv.Error as error:
        message = f"{path} row 1 is not CSV: {error}"
        raise CarelineError(message, "no_csv", file=str(path), row=1, why=str(error)) from error
    if "text" not in columns or "intent" not in columns:
        message = f"{path} row 1 must name the columns text and intent; it has {columns}"
        names = ", ".join(columns)
        raise CarelineError(message, "no_columns", file=str(path), found=names)
    examples = []
    try:
        for row in reader:
            text, intent = (row["text"] or "").strip(), (row["intent"] or "").strip()
            if not text or not intent:
                at, lacks = reader.line_num, "intent" if text else "text"
                message = f"{path} row {at} has no {lacks}"
                raise CarelineError(message, "row_lacks", file=str(path), row=at, lacks=lacks)
            examples.append(Example(text, intent, f"{path.name}:{reader.line_num}"))
    except csv.Error as error:
        at = reader.reader.line_num
        message = f"{path} row {at} is not CSV: {error}"
        raise CarelineError(message, "no_csv", file=str(path), row=at, why=str(error)) from error
    return examples


def _annotated(conversation: Conversation, file: str) -> Iterator[Example]:
    """Yield the annotated customer turns of a conversation, each with the messages before it."""
    customer = reply = None
    for turn in conversation.turns:
        if turn.role is not Role.CUSTOMER:
            reply = turn.text if turn.role is not Role.ACTION else reply
            continue
        if turn.intent and turn.text.strip():
            source = f"{file}:{conversation.id}"
            yield Example(turn.text, turn.intent, source, customer, reply)
        customer = turn.text


def training_files(folder: Path) -> list[Path]:
    """Return the files of a home's `dialogs` folder that contain examples."""
    kinds = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
    files = sorted(path for path in folder.glob("*") if path.name.endswith(kinds))
    if not files:
        message = f"{folder} holds no .csv or .jsonl: put labelled texts or transcripts there"
        raise CarelineError(message, "nothing_to_train_on")
    return files


def read_all_examples(paths: Iterable[Path]) -> list[Example]:
    """Read several files; raise CarelineError if they are not enough for a classifier."""
    paths = list(paths)
    examples = [example for path in paths for example in read_examples(path)]
    intents = {example.intent for example in examples}
    if len(intents - {"oos"}) < 2:  # noqa: PLR2004
        names = ", ".join(map(str, paths))
        count = len(intents - {"oos"})
        message = (
            f"{names}: {len(examples)} texts of {count} intents beside oos; at least two needed"
        )
        raise CarelineError(message, "too_few", examples=len(examples), intents=count)
    return examples


def read_transcripts(paths: Sequence[Path]) -> Iterator[Conversation]:
    """Yield conversations one by one, so that memory use does not depend on their number."""
    for path in paths:
        if not path.exists():
            message = f"there is no file {path}"
            raise CarelineError(message)
        opener: Any = gzip.open if path.suffix == ".gz" else open
        try:
            with opener(path, "rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield _conversation(line, path, number)
        except (OSError, EOFError, zlib.error) as error:
            message = f"{path} cannot be read: {error}"
            raise CarelineError(message, "unread", name=str(path), why=str(error)) from error


def _conversation(line: bytes, path: Path, number: int) -> Conversation:
    try:
        row = json.loads(line.decode("utf-8-sig"))
        turns = tuple(_turn(turn) for turn in row["turns"])
        return Conversation(
            id=str(row["id"]),
            turns=turns,
            language=row.get("language"),
            channel=row.get("channel"),
            needs_human=row.get("needs_human"),
            outcome=row.get("outcome"),
            csat=row.get("csat"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path} row {number} is not a conversation with id and turns: {error!r}"
        facts: dict[str, str | int] = {"file": str(path), "row": number, "why": repr(error)}
        raise CarelineError(message, "no_conversation", **facts) from error


def _turn(row: dict[str, Any]) -> LoggedTurn:
    slots = row.get("slots") or {}
    return LoggedTurn(
        role=Role(row["role"]),
        text=_clean(row["text"]),
        intent=_clean(row.get("intent")).strip() or None,
        route=row.get("route"),
        action=row.get("action"),
        article=row.get("article"),
        slots=tuple((str(key), str(value)) for key, value in slots.items()),
        at=str(row["at"]) if row.get("at") is not None else None,
    )


def _clean(value: Any) -> str:
    """Return text that can be encoded: an unpaired surrogate becomes a replacement character."""
    return str(value or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
