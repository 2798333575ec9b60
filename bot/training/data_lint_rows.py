"""Reading of labelled texts for the linter, defects included."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.core.types import CarelineError, Role
from bot.training import datasets


class DataSplit(StrEnum):
    """The use of a text."""

    TRAIN = "train"
    VALID = "valid"
    HELD_BACK = "held_back"  # conversations that are never trained on


@dataclass(frozen=True)
class LabelledRow:
    """A labelled text and its place: `number` counts a CSV's rows from 0.

    In transcripts, `number` is the conversation's and `turn` the turn's position, from 0.
    """

    text: str
    intent: str
    file: Path
    source: str
    split: DataSplit
    number: int
    turn: int | None = None
    customer: str | None = None
    reply: str | None = None

    @property
    def example(self) -> datasets.Example:
        """The row as the classifier reads it; the turns of a conversation have the same source."""
        source = f"{self.file.name}:{self.number}"
        return datasets.Example(self.text, self.intent, source, self.customer, self.reply)

    @property
    def unit(self) -> str:
        """The unit that must not be split: a conversation, or the copies of a text."""
        in_dialog = self.customer is not None or self.reply is not None
        return f"{self.file.name}:{self.number}" if in_dialog else self.text.casefold()


def read(files: Sequence[Path], valid: Path | None = None) -> list[LabelledRow]:
    """Read training files and one validation file; raise CarelineError if one cannot be read.

    Missing texts and intents are not an error here, since the linter reports them.
    """
    rows = [row for file in files for row in _read(file, DataSplit.TRAIN)]
    return rows + ([] if valid is None else list(_read(valid, DataSplit.VALID)))


def is_transcript(path: Path) -> bool:
    """Return whether a file contains conversations."""
    return path.name.removesuffix(".gz").endswith(".jsonl")


def table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the columns of a CSV and its rows, each with the line it ends on."""
    csv.field_size_limit(datasets.MAX_CHARACTERS)
    reader = csv.reader(io.StringIO(datasets.read_text(path), newline=""))
    try:
        rows = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        message = f"{path} row {reader.line_num} is not CSV: {error}"
        raise CarelineError(message) from error
    columns = rows[0][1] if rows else []
    if "text" not in columns or "intent" not in columns:
        message = f"{path} row 1 must name the columns text and intent; it has {columns}"
        raise CarelineError(message)
    return columns, rows[1:]


def cell(cells: list[str], column: int) -> str:
    """Return a cell of a row that may be too short."""
    return cells[column].strip() if column < len(cells) else ""


def _read(path: Path, split: DataSplit) -> Iterator[LabelledRow]:
    if is_transcript(path):
        yield from _turns(path, split)
        return
    columns, rows = table(path)
    text, intent = columns.index("text"), columns.index("intent")
    for number, (line, cells) in enumerate(rows):
        source = f"{path.name}:{line}"
        yield LabelledRow(cell(cells, text), cell(cells, intent), path, source, split, number)


def _turns(path: Path, split: DataSplit) -> Iterator[LabelledRow]:
    """Yield the annotated customer turns, each with the messages before it."""
    for number, conversation in enumerate(datasets.read_transcripts([path])):
        held_back = split is DataSplit.TRAIN and datasets.is_held_back(conversation.id)
        part = DataSplit.HELD_BACK if held_back else split
        customer = reply = None
        for place, turn in enumerate(conversation.turns):
            if turn.role is not Role.CUSTOMER:
                reply = turn.text if turn.role is not Role.ACTION else reply
                continue
            if turn.intent:
                source = f"{path.name}:{conversation.id} turn {place + 1}"
                yield LabelledRow(
                    *(turn.text.strip(), turn.intent, path, source, part, number),
                    turn=place,
                    customer=customer,
                    reply=reply,
                )
            customer = turn.text
