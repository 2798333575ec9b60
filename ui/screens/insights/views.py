"""Values of the insights page: alarms, cards, definitions, tables."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from ui.client.http_client import Json
from ui.screens.chat.views import plain
from ui.screens.console.texts import ConsoleTexts
from ui.screens.insights import charts

_QUOTED: Final = 120  # characters of an example
_ALARMS: Final = 3  # with details
_PAST: Final = 6  # only their names
_FRESH: Final = timedelta(days=2)  # a surge that ended before is past
_PERIODS: Final = (7, 30, 60, 90, 180)
# The figures of the first row: the key of their text, and their name and value in the API.
CARDS: Final = (
    ("conversations", "conversations", ""),
    ("deflection", "deflected", ""),
    ("satisfaction", "csat", ""),
    ("handoff", "outcome", "handoff"),
    ("first", "conversations", ""),
    ("suggestions", "chosen", ""),
    ("cost", "cost", ""),
)
# The figures of a table's columns, and the column with the numbers of the period before.
_COLUMNS: Final = {
    "intent": ("intent", "intent", "intent", "intent", "negative"),
    "topic": ("topic", "topic", "topic", "topic", "topic", "negative"),
    "article": ("cited", "cited", "opened", "thumb_up", "thumb_down"),
}
_BEFORE: Final = {"intent": 2, "topic": 3}


def figure_of_column(table: str, column: int) -> tuple[str, bool]:
    """Return the figure of a table's column, and whether it is of the period before."""
    return _COLUMNS[table][column], _BEFORE.get(table) == column


def period_before(days: int) -> Json:
    """Return the period of the same length before the one that ends today, in UTC."""
    last = datetime.now(UTC).date() - timedelta(days=days)
    first = last - timedelta(days=days - 1)
    return {"first": first.isoformat(), "last": last.isoformat()}


def period(days: int, channel: str | None, language: str | None, synthetic: object) -> Json:
    """Return the filters as a query of the API."""
    query: Json = {"days": days, "synthetic": bool(synthetic)}
    return query | {k: v for k, v in (("channel", channel), ("language", language)) if v}


def examples(clusters: list[Json], number: int | None) -> str:
    """Return the examples of a cluster."""
    if number is None or number >= len(clusters):
        return ""
    return "\n".join(f"- {plain(example)}" for example in clusters[number]["examples"])


def periods(texts: dict[str, str]) -> list[tuple[str, int]]:
    """Return the periods as choices; the values are days."""
    return [(texts["last"].format(n=n), n) for n in _PERIODS]


def with_titles(rows: Sequence[Json], terms: ConsoleTexts) -> list[Json]:
    """Return rows of topics with the titles of intents."""
    return [
        {**row, "name": terms.title(row["topic"]) if row["kind"] == "intent" else row["name"]}
        for row in rows
    ]


def surges_with_titles(surges: Sequence[Json], terms: ConsoleTexts) -> list[Json]:
    """Return surges with the titles of intents."""
    return [
        {**surge, "also": ", ".join(map(terms.title, surge["also"]))}
        for surge in with_titles(surges, terms)
    ]


def figures_shown(texts: dict[str, str], page: Json, surges: Sequence[Json]) -> list[Any]:
    """Return the values of alarm, cards, definition, charts and tables."""
    return [
        _alarm(texts, page, surges),
        *_cards(texts, page),
        _definitions(texts, page["figures"]),
        charts.outcomes_chart(page["days"], texts),
        charts.voice_chart(page["voice"], page["days"], texts),
        charts.routes_chart(page["routes"], texts),
    ]


def _alarm(texts: dict[str, str], page: Json, surges: Sequence[Json]) -> str:
    lines = []
    if page["period"]["synthetic"]:
        lines.append(f"*{texts['made_up']}*")
    if not page["figures"]["conversations"]:
        lines.append(texts["nothing"])
    since = (date.fromisoformat(page["period"]["last"]) - _FRESH).isoformat()
    recent = [surge for surge in surges if surge["last"] >= since]
    lines += ["<br>".join(_surge(texts, surge)) for surge in recent[:_ALARMS]]
    if page["figures"]["conversations"] and not recent:
        lines.append(texts["surge_none"])
    past = [f"{plain(surge['name'])} ({surge['first']})" for surge in surges if surge not in recent]
    if past:
        lines.append(texts["surge_past"].format(names=", ".join(past[:_PAST])))
    return "\n\n".join(lines)


def _surge(texts: dict[str, str], surge: Json) -> list[str]:
    """Return the lines of an alarm: the surge, the changes before it, examples."""
    headline = texts["surge"].format(**{**surge, "topic": plain(surge["name"])})
    if surge["kind"] == "discovered":
        within = [texts["surge_also"].format(names=surge["also"])] if surge["also"] else []
        headline += f" ({', '.join([texts['discovered'], *within])})"
    lines = [f"⚠ {headline}"]
    changes = [_change(change) for change in surge["changes"]]
    if changes:
        lines.append(texts["surge_changes"].format(changes=", ".join(changes)))
    quotes = dict.fromkeys(plain(example["text"])[:_QUOTED] for example in surge["examples"])
    return lines + [f"“{text}”" for text in list(quotes)[:2]]


def _change(change: Json) -> str:
    articles = [*change.get("changed", ()), *change.get("added", ())][:3]
    return f"`{change['version']}`" + (f" ({', '.join(articles)})" if articles else "")


def _cards(texts: dict[str, str], page: Json) -> list[str]:
    """Return the texts of the cards: a figure, its name, and the one of the period before."""
    now, before = (_values(page[name]) for name in ("figures", "before"))
    suggestions = page["suggestions"]
    now["suggestions"] = _percent(suggestions["acceptance"])
    before["suggestions"] = texts["accepted"].format(**suggestions)
    return [
        f"{now[name]}\n{texts[name]}\n"
        + (before[name] if name == "suggestions" else texts["before"].format(value=before[name]))
        for name, *_ in CARDS
    ]


def _values(figures: Json) -> dict[str, str]:
    conversations, csat = figures["conversations"], figures["csat"]
    handed_over = figures["outcomes"]["handoff"] / conversations if conversations else None
    first, mean = figures["first_token_ms"]["p50"], csat["mean"]
    return {
        "conversations": f"{conversations:,}",
        "deflection": _percent(figures["deflection"]),
        "satisfaction": "–" if mean is None else f"{mean:.1f} / 5",
        "handoff": _percent(handed_over),
        "first": "–" if first is None else f"{first:.0f} ms",
        "cost": f"{figures['cost']['total']:.2f}",
        "suggestions": "–",
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _definitions(texts: dict[str, str], figures: Json) -> str:
    first, reply = figures["first_token_ms"], figures["reply_ms"]
    return texts["defined"].format(
        **figures["outcomes"],
        again=figures["came_again"],
        p50=first["p50"] or "–",
        p95=first["p95"] or "–",
        reply=reply["p50"] or "–",
        reply95=reply["p95"] or "–",
    )


def labels(texts: dict[str, str], page: Json, terms: ConsoleTexts) -> list[Any]:
    """Return the filters, tables and buttons with their labels."""
    import gradio as gr

    choices = [
        gr.update(choices=[(texts["all"], ""), *((x, x) for x in page[key])], label=texts[label])
        for key, label in (("channels", "channel"), ("languages", "language"))
    ]
    intents = [
        [
            terms.title(row["intent"]),
            row["messages"],
            row["before"],
            _growth(row["messages"], row["before"]),
            row["negative"],
        ]
        for row in page["intents"]
    ]
    topics = [
        [
            row["name"],
            terms.title(row["intent"]) if row["intent"] else "–",
            row["messages"],
            row["before"],
            _growth(row["messages"], row["before"]),
            row["negative"],
        ]
        for row in page["topics"]
    ]
    names = ("article", "cited", "opened", "thumb_up", "thumb_down")
    articles = [[row[name] for name in names] for row in page["articles"]]
    tables = [
        gr.update(
            value={"data": rows, "headers": texts[f"{name}_columns"].split("|")},
            label=texts[f"{name}s"],
            visible=bool(rows) or name != "topic",
        )
        for name, rows in (("intent", intents), ("article", articles), ("topic", topics))
    ]
    return [
        gr.update(choices=periods(texts), label=texts["days"]),
        *choices,
        gr.update(label=texts["synthetic"]),
        gr.update(value=texts["csv"]),
        *tables,
        {row["name"]: row["topic"] for row in page["topics"]},
        *_topic_labels(texts),
        gr.update(label=texts["transcript"]),
        gr.update(value=texts["find_gaps"]),
        gr.update(label=texts["gap"]),
        gr.update(value=texts["draft"]),
    ]


def _topic_labels(texts: dict[str, str]) -> list[Any]:
    """Return the text box and the buttons of a topic, hidden until one is selected."""
    import gradio as gr

    return [
        gr.update(label=texts["topic_name"], visible=False),
        gr.update(value=texts["topic_rename"], visible=False),
        gr.update(value=texts["topic_join"], visible=False),
    ]


def _growth(now: int, before: int) -> str:
    """Return the change since the period before."""
    return f"{100 * (now - before) / before:+.0f} %" if before else "–"
