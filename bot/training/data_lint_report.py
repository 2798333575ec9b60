"""Reports of lint findings for people, without personal data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.core.privacy import redact
from bot.training.data_lint import LintFinding, LintSeverity
from bot.training.data_lint_rows import LabelledRow
from bot.training.text_defects import find_damage

_MAX_SHOWN: Final = 10  # of a kind
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
    """Return a report, the worst kind first, with a few findings of each."""
    counts = [
        f"{sum(finding.severity is severity for finding in findings)} {severity.value}s"
        for severity in (LintSeverity.ERROR, LintSeverity.WARNING)
    ]
    lines = [f"{len(rows)} texts in {files} files: {len(findings)} findings, {', '.join(counts)}"]
    for kind in dict.fromkeys(finding.kind for finding in findings):
        group = [finding for finding in findings if finding.kind == kind]
        lines.append(f"\n{group[0].severity.value} {kind}: {_WORDS[kind]} ({len(group)})")
        lines += [f"  {_line(finding, rows)}" for finding in group[:_MAX_SHOWN]]
        if len(group) > _MAX_SHOWN:
            lines.append(f"  … and {len(group) - _MAX_SHOWN} more: --json lists all")
    return "\n".join(lines)


def group_findings(
    findings: Sequence[LintFinding], rows: Sequence[LabelledRow]
) -> list[dict[str, Any]]:
    """Return the report as data, for translated pages."""
    groups = []
    for kind in dict.fromkeys(finding.kind for finding in findings):
        group = [finding for finding in findings if finding.kind == kind]
        lines = [_details(finding, rows) for finding in group[:_MAX_SHOWN]]
        severity = group[0].severity.value
        groups.append({"kind": kind, "severity": severity, "count": len(group), "lines": lines})
    return groups


def _details(finding: LintFinding, rows: Sequence[LabelledRow]) -> dict[str, Any]:
    """Return the parts of a line that exist."""
    details: dict[str, Any] = {}
    if finding.rows:
        details["places"] = [rows[i].source for i in finding.rows[:_PLACES]]
        details["more"] = len(finding.rows) - len(details["places"])
    if finding.intent:
        other = f" / {finding.other}" if finding.other else ""
        details["intent"] = f"{finding.intent}{other}"
    if not finding.rows and finding.count is not None:
        details["texts"] = finding.count
    if finding.score is not None:
        details["score"] = f"{finding.score:.2f}"
    if finding.rows and (text := redact(rows[finding.rows[0]].text)):
        short = " ".join(text.split())
        details["text"] = f"{short[:_WIDTH]}{'…' if len(short) > _WIDTH else ''}"
    if finding.suggestion:
        details["suggestion"] = finding.suggestion
    if finding.kind == "encoding" and (damage := find_damage(rows[finding.rows[0]].text)):
        details["mended"] = redact(damage[1])[:_WIDTH] if damage[1] else ""
    return details


def _line(finding: LintFinding, rows: Sequence[LabelledRow]) -> str:
    return "  ".join(_parts(_details(finding, rows)))


def _parts(details: Mapping[str, Any]) -> Iterator[str]:
    if "places" in details:
        more = f" and {details['more']} more" if details["more"] else ""
        yield ", ".join(details["places"]) + more
    if "intent" in details:
        yield details["intent"]
    if "texts" in details:
        yield f"{details['texts']} texts"
    if "score" in details:
        yield details["score"]
    if "text" in details:
        yield f"“{details['text']}”"
    if "suggestion" in details:
        yield f"→ {details['suggestion']}"
    if "mended" in details:
        yield f"“{details['mended']}”" if details["mended"] else "write it anew"
