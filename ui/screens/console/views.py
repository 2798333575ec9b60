"""Rows and HTML of the queue and of a conversation. Pure functions of JSON."""

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
#console-labels .remove-all { display: none; }
#console-lines .icon-button-wrapper { display: none; }
"""
_HEIGHTS: Final = {"negative": 46, "neutral": 28, "positive": 10}
_QUOTED: Final = 90

Rows = list[list[str]]


def queue_rows(
    queue: Json, agent: str, filters: Sequence[Any], now: datetime, texts: ConsoleTexts
) -> Rows:
    """Return the filtered rows of the queue; filters: show, mood, intent, language, minutes."""
    show, mood, intent, language, minutes = filters
    matching = []
    for conversation in queue["conversations"]:
        waited = _minutes(conversation, now)
        fits = (
            {
                "waiting": conversation["state"] == "queued",
                "mine": conversation["agent"] == agent,
            }.get(show, True)
            and mood in {None, "", conversation["mood"]}
            and intent in {None, "", *conversation["intents"]}
            and language in {None, "", conversation["language"]}
            and (waited or 0) >= (minutes or 0)
        )
        if fits:
            matching.append((waited if waited is not None else -1.0, conversation))
    matching.sort(key=lambda pair: -pair[0])
    return [
        [
            clock_text(conversation, now, queue["reply_seconds"], texts),
            texts["queued"] if conversation["state"] == "queued" else conversation["agent"] or "",
            conversation["last_text"][:_QUOTED],
            " → ".join(map(texts.title, conversation["intents"])),
            texts.term(conversation["mood"]),
            texts.term(conversation["language"]),
            ", ".join(conversation["labels"]),
            conversation["conversation_id"],
        ]
        for _, conversation in matching
    ]


def mark_open(rows: Rows, open_conversation: str | None) -> Rows:
    """Return rows with a mark on the open conversation; a selection would not move with it."""
    return [[f"▸ {row[0]}", *row[1:]] if row[-1] == open_conversation else row for row in rows]


def _waiting_since(conversation: Json) -> str | None:
    """Return since when the customer waits for an agent, or for the agent's reply."""
    waiting: str | None = (
        conversation["since"]
        if conversation["state"] == "queued"
        else conversation["unanswered_since"]
    )
    return waiting


def _minutes(conversation: Json, now: datetime) -> float | None:
    since = _waiting_since(conversation)
    return (now - datetime.fromisoformat(since)).total_seconds() / 60 if since else None


def clock_text(conversation: Json, now: datetime, target: float, texts: ConsoleTexts) -> str:
    """Return how long the customer waits, in minutes, with a sign if that is too long."""
    waited = _minutes(conversation, now)
    if waited is None:
        return texts["answered"]
    sign = texts["over"] if waited * 60 > target else ""
    return sign + texts["minutes"].format(n=int(waited))


def head_html(
    details: Json, conversation: Json | None, now: datetime, target: float, texts: ConsoleTexts
) -> str:
    """Return the owner of a conversation, its clock, intent and mood."""
    state = texts[details["state"]].format(agent=escape(details["agent"] or ""))
    parts = [f"<span class='state'>{state}</span>"]
    if conversation and (waited := _minutes(conversation, now)) is not None:
        label = texts["first"] if conversation["state"] == "queued" else texts["asked"]
        late = " class='late'" if waited * 60 > target else ""
        parts.append(f"<span{late}>{label}: {clock_text(conversation, now, target, texts)}</span>")
    facts = (
        texts.title(details["intent"]),
        texts.term(details["mood"]),
        texts.term(details["language"]),
    )
    parts += [escape(value) for value in facts if value]
    return f"<p>{' · '.join(parts)}</p>"


def transcript_messages(lines: Sequence[Json], texts: ConsoleTexts) -> list[dict[str, Any]]:
    """Return a conversation as messages of a chatbot: the customer left, the business right."""
    return [
        {
            "role": "assistant" if line["role"] == "customer" else "user",
            "content": plain(f"{_speaker(line, texts)}: {line['text']}") + _files(line),
        }
        for line in lines
    ]


def _speaker(line: Json, texts: ConsoleTexts) -> str:
    if line["role"] == "customer":
        return texts["customer"]
    if line["role"] == "agent":
        return str(line.get("author") or texts["agent"])
    return texts["assistant"]


def _files(line: Json) -> str:
    html = attachments.html(line.get("attachments", ()))
    return f"<br>{html}" if html else ""


def moods_html(details: Json, texts: ConsoleTexts) -> str:
    """Return a chart of the customer's mood, message by message."""
    moods = details["moods"][-30:]
    if not moods:
        return ""
    step = 280 / max(len(moods) - 1, 1)
    points = [(10 + step * n, _HEIGHTS.get(mood["sentiment"], 28)) for n, mood in enumerate(moods)]
    line = " ".join(f"{x:.1f},{y}" for x, y in points)
    dots = "".join(
        f"<circle class='{escape(mood['sentiment'])}' cx='{x:.1f}' cy='{y}' r='4'>"
        f"<title>{escape(texts.term(mood['sentiment']))} "
        f"{escape(texts.title(mood['intent']))}</title></circle>"
        for (x, y), mood in zip(points, moods, strict=True)
    )
    description = ", ".join(texts.term(mood["sentiment"]) for mood in moods)
    return (
        f"<p class='legend'>{texts['moods']}</p><svg class='moods' viewBox='0 0 300 56' role='img' "
        f"aria-label='{escape(description)}'><line x1='0' x2='300' y1='28' y2='28'/>"
        f"<polyline points='{line}'/>{dots}</svg>"
    )


def about_html(details: Json, summary: Json, texts: ConsoleTexts) -> str:
    """Return the details: contact, slots, questions and attempts."""
    facts = {
        texts["customer"]: details["visitor_name"],
        texts["contact"]: details["contact"],
        texts["channel"]: texts.term(details["channel"]),
        **details["slots"],
        texts["asked_for"]: "\n".join(summary.get("questions", ())),
        texts["tried"]: ", ".join(
            str(attempt.get("action") or texts.term(attempt.get("route")))
            for attempt in summary.get("tried", ())
        ),
    }
    lines = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value
    )
    return f"<dl class='facts'>{lines}</dl>"


def notes_html(details: Json) -> str:
    """Return the notes, the oldest first."""
    return "".join(
        f"<p class='noted'>{escape(note['text'])}<br><small>{escape(note['author'])}, "
        f"{note['at'][:16].replace('T', ' ')}</small></p>"
        for note in details["notes"]
    )


def suggestion_choices(suggestions: Sequence[Json], texts: ConsoleTexts) -> list[tuple[str, int]]:
    """Return suggestions as choices: the source of each, and its text."""
    return [
        (f"[{texts[item['kind']]} · {item['title'] or item['source']}] {item['text']}", number)
        for number, item in enumerate(suggestions)
    ]


def passage_choices(hits: Sequence[Json], texts: ConsoleTexts) -> list[tuple[str, str]]:
    """Return the passages of a search as choices; the value is the text."""
    del texts
    return [(f"[{hit['title']}] {hit['text'][:160]}", hit["text"]) for hit in hits]
