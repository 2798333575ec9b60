"""What the console shows of the queue and of a conversation. Pure: JSON in, rows and HTML out."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from ui.client.http_client import Json
from ui.screens import attachments
from ui.screens.chat.views import plain
from ui.screens.console.texts import ConsoleTexts

CSS: Final = """
#console-busy p, #console-head p { margin: 0; }
#console-busy { min-width: 14rem !important; }
#console-head .state { font-weight: 600; }
#console-head .late { color: #c2261a; font-weight: 600; }
.dark #console-head .late { color: #ff9a90; }
.moods { width: 100%; height: 56px; }
.moods line { stroke: var(--border-color-primary); }
.moods polyline { fill: none; stroke: var(--body-text-color-subdued); stroke-width: 1.5; }
.moods .negative { fill: #dc2626; }
.moods .neutral { fill: #64748b; }
.moods .positive { fill: #059669; }
.noted { margin: 0 0 .5rem !important; padding: .35rem .6rem; font-size: .9em;
  white-space: pre-wrap; overflow-wrap: anywhere;
  border-left: 3px solid #d97706; background: rgb(217 119 6 / .1); }
.noted small { opacity: .8; }
#console-about dd { white-space: pre-line; }
#console-suggestions label { width: 100%; }
#console-suggestions label span { white-space: pre-wrap; }
#console-table td { font-size: .85rem; }
#console-lines .icon-button-wrapper { display: none; }
"""
_HEIGHTS: Final = {"negative": 46, "neutral": 28, "positive": 10}
_QUOTED: Final = 90

Rows = list[list[str]]


def rows(queue: Json, me: str, chosen: Sequence[Any], at: datetime, said: ConsoleTexts) -> Rows:
    """Return the queue's rows through the filters: show, mood, intent, language, minutes."""
    show, mood, intent, language, minutes = chosen
    found = []
    for one in queue["conversations"]:
        waits = _minutes(one, at)
        fits = (
            {"waiting": one["state"] == "queued", "mine": one["agent"] == me}.get(show, True)
            and mood in {None, "", one["mood"]}
            and intent in {None, "", *one["intents"]}
            and language in {None, "", one["language"]}
            and (waits or 0) >= (minutes or 0)
        )
        if fits:
            found.append((waits if waits is not None else -1.0, one))
    found.sort(key=lambda pair: -pair[0])
    return [
        [
            clock(one, at, queue["reply_seconds"], said),
            said["queued"] if one["state"] == "queued" else one["agent"] or "",
            one["last_text"][:_QUOTED],
            " → ".join(map(said.title, one["intents"])),
            said.term(one["mood"]),
            said.term(one["language"]),
            ", ".join(one["labels"]),
            one["conversation_id"],
        ]
        for _, one in found
    ]


def marked(rows: Rows, opened: str | None) -> Rows:
    """Return rows with a mark on the open conversation: it moves along, a selection would stay."""
    return [[f"▸ {row[0]}", *row[1:]] if row[-1] == opened else row for row in rows]


def _since(one: Json) -> str | None:
    """Return since when the customer waits: for a person, or for the person's answer."""
    waiting: str | None = one["since"] if one["state"] == "queued" else one["unanswered_since"]
    return waiting


def _minutes(one: Json, at: datetime) -> float | None:
    since = _since(one)
    return (at - datetime.fromisoformat(since)).total_seconds() / 60 if since else None


def clock(one: Json, at: datetime, target: float, said: ConsoleTexts) -> str:
    """Return how long the customer waits, in minutes, with a sign where that is too long."""
    waits = _minutes(one, at)
    if waits is None:
        return said["answered"]
    late = said["over"] if waits * 60 > target else ""
    return late + said["minutes"].format(n=int(waits))


def head(known: Json, one: Json | None, at: datetime, target: float, said: ConsoleTexts) -> str:
    """Return who has a conversation, its clock, intent and mood."""
    state = said[known["state"]].format(agent=escape(known["agent"] or ""))
    parts = [f"<span class='state'>{state}</span>"]
    if one and (waits := _minutes(one, at)) is not None:
        what = said["first"] if one["state"] == "queued" else said["asked"]
        late = " class='late'" if waits * 60 > target else ""
        parts.append(f"<span{late}>{what}: {clock(one, at, target, said)}</span>")
    named = (said.title(known["intent"]), said.term(known["mood"]), said.term(known["language"]))
    parts += [escape(value) for value in named if value]
    return f"<p>{' · '.join(parts)}</p>"


def transcript(lines: Sequence[Json], said: ConsoleTexts) -> list[dict[str, Any]]:
    """Return a conversation as an agent sees it: the customer on the left, the house right."""
    return [
        {
            "role": "assistant" if line["role"] == "customer" else "user",
            "content": plain(f"{_speaker(line, said)}: {line['text']}") + _files(line),
        }
        for line in lines
    ]


def _speaker(line: Json, said: ConsoleTexts) -> str:
    if line["role"] == "customer":
        return said["customer"]
    if line["role"] == "agent":
        return str(line.get("author") or said["agent"])
    return said["assistant"]


def _files(line: Json) -> str:
    sent = attachments.html(line.get("attachments", ()))
    return f"<br>{sent}" if sent else ""


def moods(known: Json, said: ConsoleTexts) -> str:
    """Return the customer's mood, message by message, as a line."""
    found = known["moods"][-30:]
    if not found:
        return ""
    step = 280 / max(len(found) - 1, 1)
    points = [(10 + step * n, _HEIGHTS.get(one["sentiment"], 28)) for n, one in enumerate(found)]
    line = " ".join(f"{x:.1f},{y}" for x, y in points)
    dots = "".join(
        f"<circle class='{escape(one['sentiment'])}' cx='{x:.1f}' cy='{y}' r='4'>"
        f"<title>{escape(said.term(one['sentiment']))} {escape(said.title(one['intent']))}</title>"
        "</circle>"
        for (x, y), one in zip(points, found, strict=True)
    )
    told = ", ".join(said.term(one["sentiment"]) for one in found)
    return (
        f"<p class='legend'>{said['moods']}</p><svg class='moods' viewBox='0 0 300 56' role='img' "
        f"aria-label='{escape(told)}'><line x1='0' x2='300' y1='28' y2='28'/>"
        f"<polyline points='{line}'/>{dots}</svg>"
    )


def about(known: Json, summary: Json, said: ConsoleTexts) -> str:
    """Return what is known: slots, contact, what was asked and tried."""
    facts = {
        said["customer"]: known["visitor_name"],
        said["contact"]: known["contact"],
        said["channel"]: said.term(known["channel"]),
        **known["slots"],
        said["asked_for"]: "\n".join(summary.get("questions", ())),
        said["tried"]: ", ".join(
            str(one.get("action") or said.term(one.get("route")))
            for one in summary.get("tried", ())
        ),
    }
    lines = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value
    )
    return f"<dl class='facts'>{lines}</dl>"


def notes(known: Json) -> str:
    """Return the notes, oldest first."""
    return "".join(
        f"<p class='noted'>{escape(one['text'])}<br><small>{escape(one['author'])}, "
        f"{one['at'][:16].replace('T', ' ')}</small></p>"
        for one in known["notes"]
    )


def offered(found: Sequence[Json], said: ConsoleTexts) -> list[tuple[str, int]]:
    """Return suggestions as choices: where each comes from, and its words."""
    return [
        (f"[{said[one['kind']]} · {one['title'] or one['source']}] {one['text']}", n)
        for n, one in enumerate(found)
    ]


def passages(found: Sequence[Json], said: ConsoleTexts) -> list[tuple[str, str]]:
    """Return what a search found as choices; the value is the passage."""
    del said
    return [(f"[{one['title']}] {one['text'][:160]}", one["text"]) for one in found]
