"""The results of conversation tests, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.evaluation.conversation_tests.runner import PlayedStep, TestResult, TestRun

_MAX_TEXT: Final = 400  # characters of a reply that are shown
_MAX_NAMES: Final = 8  # missing names on a line of the table

Kind = Literal["plain", "good", "bad", "dim", "head"]


@dataclass(frozen=True)
class TranscriptLine:
    """A line of a report, and its style."""

    text: str
    kind: Kind = "plain"


def as_json(run: TestRun) -> dict[str, Any]:
    """Return the public JSON."""
    return {
        "passed": len(run.results) - len(run.failed),
        "failed": len(run.failed),
        "coverage": run.coverage.as_json(),
        "seconds": round(run.seconds, 3),
        "failures": [_failure(result) for result in run.failed],
    }


def _failure(result: TestResult) -> dict[str, Any]:
    return {
        "file": str(result.test.file),
        "test": result.test.case.name,
        "turns": [
            {
                "turn": number,
                "said": _line(played),
                "differences": [
                    {"what": d.what, "expected": d.expected, "found": d.found}
                    for d in played.differences
                ],
            }
            for number, played in enumerate(result.played, start=1)
            if played.differences
        ],
    }


def lines(run: TestRun) -> Iterator[TranscriptLine]:
    """Yield the failures as conversations, the table of coverage, and the totals."""
    for result in run.failed:
        yield from conversation(result)
        yield TranscriptLine("")
    yield from _table(run)
    passed, failed = len(run.results) - len(run.failed), len(run.failed)
    text = f"{passed} passed, {failed} failed, {run.seconds:.1f} s"
    yield TranscriptLine(text, "bad" if failed else "good")


def conversation(result: TestResult) -> Iterator[TranscriptLine]:
    """Yield a conversation up to its last difference; each difference follows its turn."""
    yield TranscriptLine(f"FAILED {result.test.file}: {result.test.case.name}", "head")
    last = max(number for number, played in enumerate(result.played) if played.differences)
    for played in result.played[: last + 1]:
        yield TranscriptLine(f"  {_line(played)}")
        if played.outcome.text and played.step.agent is None:
            text = " ".join(played.outcome.text.split())
            excerpt = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
            yield TranscriptLine(f"  bot: {excerpt}{_decisions(played)}", "dim")
        for difference in played.differences:
            yield TranscriptLine(f"    {difference.what}")
            yield TranscriptLine(f"      expected  {_one_line(difference.expected)}", "good")
            yield TranscriptLine(f"      found     {_one_line(difference.found)}", "bad")


def _line(played: PlayedStep) -> str:
    step = played.step
    if step.customer is not None:
        return f"customer: {step.customer}"
    if step.agent is not None:
        return f"agent: {step.agent}"
    more = f" {step.minutes:g} minutes" if step.minutes else ""
    return f"— {step.event}{more}"


def _decisions(played: PlayedStep) -> str:
    turn = played.outcome.turn
    if turn is None:
        return ""
    decided = ", ".join(f"{d.route} · {d.reason} · {d.intent or '–'}" for d in turn.decisions)
    return f"  [{decided} · {turn.understanding.confidence:.2f}]"


def _one_line(text: str) -> str:
    flat = " ⏎ ".join(text.splitlines())
    return flat if len(flat) <= _MAX_TEXT else f"{flat[:_MAX_TEXT]}…"


def _table(run: TestRun) -> Iterator[TranscriptLine]:
    yield TranscriptLine(f"{'touched':<11}{'':>8}  missing", "head")
    for kind, row in run.coverage.as_json().items():
        missing = row["missing"]
        more = f", and {len(missing) - _MAX_NAMES} more" if len(missing) > _MAX_NAMES else ""
        names = ", ".join(missing[:_MAX_NAMES]) + more
        count = f"{row['touched']}/{row['of']}"
        yield TranscriptLine(
            f"{kind:<11}{count:>8}  {names or '–'}", "plain" if missing else "good"
        )
