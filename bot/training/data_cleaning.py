"""Copies of labelled texts without their faults; what is doubtful goes to a person."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.core.privacy import redact
from bot.core.types import CarelineError
from bot.training import data_lint_rows, datasets
from bot.training.data_lint import LintFinding
from bot.training.data_lint_rows import DataSplit, LabelledRow

REVIEW: Final = "review.csv"
CERTAIN: Final = 0.9  # from here up nine of ten accused labels were wrong, where that was known


@dataclass(frozen=True)
class ReviewItem:
    """Why a row goes to a person, and the intent it may have."""

    reason: str
    suggestion: str = ""


@dataclass(frozen=True)
class CleaningPlan:
    """What is to be done with the rows, by their position."""

    dropped: frozenset[int]
    doubts: dict[int, ReviewItem]


@dataclass(frozen=True)
class CleaningReport:
    """What was written."""

    folder: str
    files: tuple[str, ...]
    kept: int
    duplicates_removed: int
    moved_to_review: int
    redacted: int


def plan(rows: Sequence[LabelledRow], findings: Sequence[LintFinding]) -> CleaningPlan:
    """Decide about each row. Pure.

    Labels that are tested against stay as they are: a model must not choose its own test. A turn
    of a conversation is never dropped, for the others would lose what was said before them.
    """
    doubts: dict[int, ReviewItem] = {}
    dropped: set[int] = set()
    for finding in findings:
        learned = [i for i in finding.rows if rows[i].split is DataSplit.TRAIN]
        if finding.kind == "duplicate":
            dropped.update(i for i in finding.rows[1:] if rows[i].turn is None)
        elif finding.kind == "conflict" and learned:
            intents = sorted({rows[i].intent for i in finding.rows})
            doubt = ReviewItem(f"same text as {', '.join(intents)}", finding.suggestion or "")
            doubts.update(dict.fromkeys(learned, doubt))
        elif finding.kind == "label_error" and (finding.score or 0.0) >= CERTAIN:
            doubt = ReviewItem(
                f"likely mislabelled ({finding.score:.2f})", finding.suggestion or ""
            )
            doubts.update((i, doubt) for i in learned if i not in doubts)
        elif finding.kind in {"empty", "no_intent"}:
            doubt = ReviewItem("no text" if finding.kind == "empty" else "no intent")
            doubts.update(dict.fromkeys(finding.rows, doubt))
    return CleaningPlan(frozenset(dropped - set(doubts)), doubts)


def write(
    rows: Sequence[LabelledRow], planned: CleaningPlan, files: Sequence[Path], folder: Path
) -> CleaningReport:
    """Write cleaned copies into a new folder; raise CarelineError where something is there."""
    _refuse(files, folder)
    redacted = 0
    targets = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / file.name
            here = {i: row for i, row in enumerate(rows) if row.file == file}
            transcript = data_lint_rows.is_transcript(file)
            text, changed = (_transcript if transcript else _table)(file, here, planned)
            redacted += changed
            with gzip.open(target, "wb") if file.suffix == ".gz" else target.open("wb") as out:
                out.write(text.encode("utf-8"))
            targets.append(str(target))
        review = folder / REVIEW
        review.write_bytes(_review(rows, planned).encode("utf-8"))
    except OSError as error:
        message = f"{folder} cannot be written to: {error.strerror}"
        raise CarelineError(message) from error
    gone = len(planned.dropped) + len(planned.doubts)
    return CleaningReport(
        folder=str(folder),
        files=(*targets, str(review)),
        kept=len(rows) - gone,
        duplicates_removed=len(planned.dropped),
        moved_to_review=len(planned.doubts),
        redacted=redacted,
    )


def _refuse(files: Sequence[Path], folder: Path) -> None:
    names = [file.name for file in files]
    for name in names:
        if name == REVIEW or names.count(name) > 1:
            message = f"{name} would be written twice into {folder}: rename one of the files"
            raise CarelineError(message)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"{folder} is not empty: give a new folder for the cleaned copies"
        raise CarelineError(message)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _table(file: Path, here: dict[int, LabelledRow], planned: CleaningPlan) -> tuple[str, int]:
    """Return a CSV without the rows that go, and how many of the others were redacted."""
    columns, lines = data_lint_rows.table(file)
    column = columns.index("text")
    gone = {row.number for i, row in here.items() if i in planned.dropped or i in planned.doubts}
    kept, redacted = [columns], 0
    for number, (_, cells) in enumerate(lines):
        if number in gone:
            continue
        clean = redact(cells[column])
        redacted += clean != cells[column]
        kept.append([*cells[:column], clean, *cells[column + 1 :]])
    return _csv(kept), redacted


def _transcript(file: Path, here: dict[int, LabelledRow], planned: CleaningPlan) -> tuple[str, int]:
    """Return conversations whose doubtful turns have no intent any more, redacted."""
    doubted = {(row.number, row.turn) for i, row in here.items() if i in planned.doubts}
    lines = [line for line in datasets.read_text(file).split("\n") if line.strip()]
    written, redacted = [], 0
    for number, line in enumerate(lines):
        conversation: dict[str, Any] = json.loads(line)
        for place, turn in enumerate(conversation["turns"]):
            if (number, place) in doubted:
                turn.pop("intent", None)
            clean = redact(str(turn["text"] or ""))
            redacted += clean != (turn["text"] or "")
            turn["text"] = clean
            if isinstance(turn.get("slots"), dict):
                slots = turn["slots"].items()
                turn["slots"] = {k: redact(v) if isinstance(v, str) else v for k, v in slots}
        written.append(json.dumps(conversation, ensure_ascii=False) + "\n")
    return "".join(written), redacted


def _review(rows: Sequence[LabelledRow], planned: CleaningPlan) -> str:
    table = [["text", "intent", "source", "reason", "suggestion"]]
    for i, doubt in sorted(planned.doubts.items()):
        row = rows[i]
        table.append([redact(row.text), row.intent, row.source, doubt.reason, doubt.suggestion])
    return _csv(table)
