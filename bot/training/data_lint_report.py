"""Findings in words, for people; personal data do not leave the files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.core.privacy import redact
from bot.training.data_lint import LintFinding, LintSeverity
from bot.training.data_lint_rows import LabelledRow
from bot.training.text_defects import damage

_SHOWN: Final = 10  # of a kind
_PLACES: Final = 3
_WIDTH: Final = 70
_WORDS: Final = {
    "duplicate": "said more than once with the same intent",
    "conflict": "the same text with two intents",
    "leak": "the same text is trained on and tested on",
    "near_leak": "nearly the same text is trained on and tested on",
    "label_error": "the intent is likely wrong",
    "confused": "intents that are taken for each other",
    "tiny_class": "intents with too few examples to learn",
    "unbalanced": "intents with ten times more, or less, than is usual",
    "personal_data": "personal data",
    "encoding": "damaged characters",
    "empty": "no text",
    "no_intent": "no intent",
    "short": "a single character",
    "long": "very long texts",
}


def report(findings: Sequence[LintFinding], rows: Sequence[LabelledRow], files: int) -> str:
    """Return a report, the worst kind first, a few findings of each."""
    counts = [
        f"{sum(finding.severity is severity for finding in findings)} {severity.value}s"
        for severity in (LintSeverity.ERROR, LintSeverity.WARNING)
    ]
    lines = [f"{len(rows)} texts in {files} files: {len(findings)} findings, {', '.join(counts)}"]
    for kind in dict.fromkeys(finding.kind for finding in findings):
        group = [finding for finding in findings if finding.kind == kind]
        lines.append(f"\n{group[0].severity.value} {kind}: {_WORDS[kind]} ({len(group)})")
        lines += [f"  {_line(finding, rows)}" for finding in group[:_SHOWN]]
        if len(group) > _SHOWN:
            lines.append(f"  … and {len(group) - _SHOWN} more: --json lists all")
    return "\n".join(lines)


def groups(findings: Sequence[LintFinding], rows: Sequence[LabelledRow]) -> list[dict[str, Any]]:
    """Return what the report says by its parts, for pages that have words of their own."""
    found = []
    for kind in dict.fromkeys(finding.kind for finding in findings):
        group = [finding for finding in findings if finding.kind == kind]
        lines = [_details(finding, rows) for finding in group[:_SHOWN]]
        severity = group[0].severity.value
        found.append({"kind": kind, "severity": severity, "count": len(group), "lines": lines})
    return found


def _details(finding: LintFinding, rows: Sequence[LabelledRow]) -> dict[str, Any]:
    """Return what a line says: only what there is to say."""
    told: dict[str, Any] = {}
    if finding.rows:
        told["places"] = [rows[i].source for i in finding.rows[:_PLACES]]
        told["more"] = len(finding.rows) - len(told["places"])
    if finding.intent:
        other = f" / {finding.other}" if finding.other else ""
        told["intent"] = f"{finding.intent}{other}"
    if not finding.rows and finding.count is not None:
        told["texts"] = finding.count
    if finding.score is not None:
        told["score"] = f"{finding.score:.2f}"
    if finding.rows and (text := redact(rows[finding.rows[0]].text)):
        short = " ".join(text.split())
        told["text"] = f"{short[:_WIDTH]}{'…' if len(short) > _WIDTH else ''}"
    if finding.suggestion:
        told["suggestion"] = finding.suggestion
    if finding.kind == "encoding" and (mended := damage(rows[finding.rows[0]].text)):
        told["mended"] = redact(mended[1])[:_WIDTH] if mended[1] else ""
    return told


def _line(finding: LintFinding, rows: Sequence[LabelledRow]) -> str:
    return "  ".join(_parts(_details(finding, rows)))


def _parts(told: Mapping[str, Any]) -> Iterator[str]:
    if "places" in told:
        yield ", ".join(told["places"]) + (f" and {told['more']} more" if told["more"] else "")
    if "intent" in told:
        yield told["intent"]
    if "texts" in told:
        yield f"{told['texts']} texts"
    if "score" in told:
        yield told["score"]
    if "text" in told:
        yield f"“{told['text']}”"
    if "suggestion" in told:
        yield f"→ {told['suggestion']}"
    if "mended" in told:
        yield f"“{told['mended']}”" if told["mended"] else "write it anew"
