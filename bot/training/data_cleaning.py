"""Cleaned copies of labelled texts; doubtful rows are written to a file for review."""

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
CERTAIN: Final = 0.9  # in tests, nine of ten labels suspected this strongly were wrong


@dataclass(frozen=True)
class ReviewItem:
    """The reason why a row needs review, and the intent it may have."""

    reason: str
    suggestion: str = ""


@dataclass(frozen=True)
class CleaningPlan:
    """The rows to drop and to review, by their position."""

    dropped: frozenset[int]
    doubts: dict[int, ReviewItem]


@dataclass(frozen=True)
class CleaningReport:
    """The result of a cleaning."""

    folder: str
    files: tuple[str, ...]
    kept: int
    duplicates_removed: int
    moved_to_review: int
    redacted: int


def plan(rows: Sequence[LabelledRow], findings: Sequence[LintFinding]) -> CleaningPlan:
    """Decide what to do with each row. Pure.

    Test labels stay as they are, since a model must not select its own test. A turn of a
    conversation is never dropped, because the others would lose their context.
    """
    doubts: dict[int, ReviewItem] = {}
    dropped: set[int] = set()
    for finding in findings:
        trained = [i for i in finding.rows if rows[i].split is DataSplit.TRAIN]
        if finding.kind == "duplicate":
            dropped.update(i for i in finding.rows[1:] if rows[i].turn is None)
        elif finding.kind == "conflict" and trained:
            intents = sorted({rows[i].intent for i in finding.rows})
            doubt = ReviewItem(f"same text as {', '.join(intents)}", finding.suggestion or "")
            doubts.update(dict.fromkeys(trained, doubt))
        elif finding.kind == "label_error" and (finding.score or 0.0) >= CERTAIN:
            doubt = ReviewItem(
                f"likely mislabelled ({finding.score:.2f})", finding.suggestion or ""
            )
            doubts.update((i, doubt) for i in trained if i not in doubts)
        elif finding.kind in {"empty", "no_intent"}:
            doubt = ReviewItem("no text" if finding.kind == "empty" else "no intent")
            doubts.update(dict.fromkeys(finding.rows, doubt))
    return CleaningPlan(frozenset(dropped - set(doubts)), doubts)


def write(
    rows: Sequence[LabelledRow], cleaning: CleaningPlan, files: Sequence[Path], folder: Path
) -> CleaningReport:
    """Write cleaned copies into a new folder; raise CarelineError if it is not empty."""
    _check_target(files, folder)
    redacted = 0
    targets = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / file.name
            here = {i: row for i, row in enumerate(rows) if row.file == file}
            transcript = data_lint_rows.is_transcript(file)
            text, changed = (_clean_transcript if transcript else _clean_table)(
                file, here, cleaning
            )
            redacted += changed
            with gzip.open(target, "wb") if file.suffix == ".gz" else target.open("wb") as out:
                out.write(text.encode("utf-8"))
            targets.append(str(target))
        review = folder / REVIEW
        review.write_bytes(_review(rows, cleaning).encode("utf-8"))
    except OSError as error:
        message = f"{folder} cannot be written to: {error.strerror}"
        raise CarelineError(message) from error
    removed = len(cleaning.dropped) + len(cleaning.doubts)
    return CleaningReport(
        folder=str(folder),
        files=(*targets, str(review)),
        kept=len(rows) - removed,
        duplicates_removed=len(cleaning.dropped),
        moved_to_review=len(cleaning.doubts),
        redacted=redacted,
    )


def _check_target(files: Sequence[Path], folder: Path) -> None:
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


def _clean_table(
    file: Path, here: dict[int, LabelledRow], cleaning: CleaningPlan
) -> tuple[str, int]:
    """Return a CSV without the removed rows, and how many of the others were redacted."""
    columns, lines = data_lint_rows.table(file)
    column = columns.index("text")
    removed = {
        row.number for i, row in here.items() if i in cleaning.dropped or i in cleaning.doubts
    }
    rows, redacted = [columns], 0
    for number, (_, cells) in enumerate(lines):
        if number in removed:
            continue
        clean = redact(cells[column])
        redacted += clean != cells[column]
        rows.append([*cells[:column], clean, *cells[column + 1 :]])
    return _csv(rows), redacted


def _clean_transcript(
    file: Path, here: dict[int, LabelledRow], cleaning: CleaningPlan
) -> tuple[str, int]:
    """Return redacted conversations, with the intents of doubtful turns removed."""
    doubted = {(row.number, row.turn) for i, row in here.items() if i in cleaning.doubts}
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


def _review(rows: Sequence[LabelledRow], cleaning: CleaningPlan) -> str:
    table = [["text", "intent", "source", "reason", "suggestion"]]
    for i, doubt in sorted(cleaning.doubts.items()):
        row = rows[i]
        table.append([redact(row.text), row.intent, row.source, doubt.reason, doubt.suggestion])
    return _csv(table)
