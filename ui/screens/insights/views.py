"""What the page of figures shows of its data: alarms, cards, definitions, tables."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from ui.client.http_client import Json
from ui.screens.chat.views import plain
from ui.screens.console.texts import ConsoleTexts
from ui.screens.insights import charts

_QUOTED: Final = 120  # characters of an example
_ALARMS: Final = 3  # that are told at length
_PAST: Final = 6  # and only named
_FRESH: Final = timedelta(days=2)  # a surge that ended before is past
_PERIODS: Final = (7, 30, 60, 90, 180)
# The figures of the first row: what they are called, and what is asked for to see behind them.
CARDS: Final = (
    ("conversations", "conversations", ""),
    ("deflection", "deflected", ""),
    ("satisfaction", "csat", ""),
    ("handoff", "outcome", "handoff"),
    ("first", "conversations", ""),
    ("suggestions", "chosen", ""),
    ("cost", "cost", ""),
)
# What the columns of a table count, the first of which says of what; the other period's numbers.
_COUNTED: Final = {
    "intent": ("intent", "intent", "intent", "intent", "negative"),
    "topic": ("topic", "topic", "topic", "topic", "topic", "negative"),
    "article": ("cited", "cited", "opened", "thumb_up", "thumb_down"),
}
_BEFORE: Final = {"intent": 2, "topic": 3}


def counted(table: str, column: int) -> tuple[str, bool]:
    """Return the figure a column of a table shows, and whether it is of the period before."""
    return _COUNTED[table][column], _BEFORE.get(table) == column


def earlier(days: int) -> Json:
    """Return the period of as many days before the one that ends today; days are those of UTC."""
    last = datetime.now(UTC).date() - timedelta(days=days)
    first = last - timedelta(days=days - 1)
    return {"first": first.isoformat(), "last": last.isoformat()}


def period(days: int, channel: str | None, language: str | None, synthetic: object) -> Json:
    """Return the filters as the API takes them."""
    found: Json = {"days": days, "synthetic": bool(synthetic)}
    return found | {k: v for k, v in (("channel", channel), ("language", language)) if v}


def examples(told: list[Json], number: int | None) -> str:
    """Return the examples of a subject."""
    if number is None or number >= len(told):
        return ""
    return "\n".join(f"- {plain(example)}" for example in told[number]["examples"])


def periods(said: dict[str, str]) -> list[tuple[str, int]]:
    """Return the periods one can choose, as they are called, in days."""
    return [(said["last"].format(n=n), n) for n in _PERIODS]


def titled(rows: Sequence[Json], speech: ConsoleTexts) -> list[Json]:
    """Return rows of topics whose intents are called as people call them."""
    return [
        {**row, "name": speech.title(row["topic"]) if row["kind"] == "intent" else row["name"]}
        for row in rows
    ]


def alarms(surges: Sequence[Json], speech: ConsoleTexts) -> list[Json]:
    """Return surges with the intents they lie in called as people call them."""
    return [
        {**surge, "also": ", ".join(map(speech.title, surge["also"]))}
        for surge in titled(surges, speech)
    ]


def shown(said: dict[str, str], page: Json, surges: Sequence[Json]) -> list[Any]:
    """Return the values of alarm, cards, definition, charts and tables."""
    return [
        _alarm(said, page, surges),
        *_cards(said, page),
        _defined(said, page["figures"]),
        charts.outcomes(page["days"], said),
        charts.voice(page["voice"], page["days"], said),
        charts.routes(page["routes"], said),
    ]


def _alarm(said: dict[str, str], page: Json, surges: Sequence[Json]) -> str:
    lines = []
    if page["period"]["synthetic"]:
        lines.append(f"*{said['made_up']}*")
    if not page["figures"]["conversations"]:
        lines.append(said["nothing"])
    since = (date.fromisoformat(page["period"]["last"]) - _FRESH).isoformat()
    fresh = [surge for surge in surges if surge["last"] >= since]
    lines += ["<br>".join(_surge(said, surge)) for surge in fresh[:_ALARMS]]
    if page["figures"]["conversations"] and not fresh:
        lines.append(said["surge_none"])
    past = [f"{plain(one['name'])} ({one['first']})" for one in surges if one not in fresh]
    if past:
        lines.append(said["surge_past"].format(names=", ".join(past[:_PAST])))
    return "\n\n".join(lines)


def _surge(said: dict[str, str], surge: Json) -> list[str]:
    """Return the lines of an alarm: what it is, what was changed before it, what was written."""
    told = said["surge"].format(**{**surge, "topic": plain(surge["name"])})
    if surge["kind"] == "discovered":
        within = [said["surge_also"].format(names=surge["also"])] if surge["also"] else []
        told += f" ({', '.join([said['discovered'], *within])})"
    lines = [f"⚠ {told}"]
    changed = [_change(change) for change in surge["changes"]]
    if changed:
        lines.append(said["surge_changes"].format(changes=", ".join(changed)))
    texts = dict.fromkeys(plain(one["text"])[:_QUOTED] for one in surge["examples"])
    return lines + [f"“{text}”" for text in list(texts)[:2]]


def _change(change: Json) -> str:
    articles = [*change.get("changed", ()), *change.get("added", ())][:3]
    return f"`{change['version']}`" + (f" ({', '.join(articles)})" if articles else "")


def _cards(said: dict[str, str], page: Json) -> list[str]:
    """Return what stands on the buttons: a figure, its name, and that of the period before."""
    now, before = (_values(page[name]) for name in ("figures", "before"))
    offered = page["suggestions"]
    now["suggestions"] = _percent(offered["acceptance"])
    before["suggestions"] = said["accepted"].format(**offered)
    return [
        f"{now[name]}\n{said[name]}\n"
        + (before[name] if name == "suggestions" else said["before"].format(value=before[name]))
        for name, *_ in CARDS
    ]


def _values(figures: Json) -> dict[str, str]:
    conversations, csat = figures["conversations"], figures["csat"]
    handed = figures["outcomes"]["handoff"] / conversations if conversations else None
    first, mean = figures["first_token_ms"]["p50"], csat["mean"]
    return {
        "conversations": f"{conversations:,}",
        "deflection": _percent(figures["deflection"]),
        "satisfaction": "–" if mean is None else f"{mean:.1f} / 5",
        "handoff": _percent(handed),
        "first": "–" if first is None else f"{first:.0f} ms",
        "cost": f"{figures['cost']['total']:.2f}",
        "suggestions": "–",
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _defined(said: dict[str, str], figures: Json) -> str:
    first, reply = figures["first_token_ms"], figures["reply_ms"]
    return said["defined"].format(
        **figures["outcomes"],
        again=figures["came_again"],
        p50=first["p50"] or "–",
        p95=first["p95"] or "–",
        reply=reply["p50"] or "–",
        reply95=reply["p95"] or "–",
    )


def labels(said: dict[str, str], page: Json, speech: ConsoleTexts) -> list[Any]:
    """Return the filters, tables and buttons in the words of the page's language."""
    import gradio as gr

    choices = [
        gr.update(choices=[(said["all"], ""), *((x, x) for x in page[key])], label=said[label])
        for key, label in (("channels", "channel"), ("languages", "language"))
    ]
    intents = [
        [
            speech.title(row["intent"]),
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
            speech.title(row["intent"]) if row["intent"] else "–",
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
            value={"data": rows, "headers": said[f"{name}_columns"].split("|")},
            label=said[f"{name}s"],
            visible=bool(rows) or name != "topic",
        )
        for name, rows in (("intent", intents), ("article", articles), ("topic", topics))
    ]
    return [
        gr.update(choices=periods(said), label=said["days"]),
        *choices,
        gr.update(label=said["synthetic"]),
        gr.update(value=said["csv"]),
        *tables,
        {row["name"]: row["topic"] for row in page["topics"]},
        *_named(said),
        gr.update(label=said["transcript"]),
        gr.update(value=said["find_gaps"]),
        gr.update(label=said["gap"]),
        gr.update(value=said["draft"]),
    ]


def _named(said: dict[str, str]) -> list[Any]:
    """Return the field for a topic's name and its button, out of sight until one is chosen."""
    import gradio as gr

    return [
        gr.update(label=said["topic_name"], visible=False),
        gr.update(value=said["topic_rename"], visible=False),
        gr.update(value=said["topic_join"], visible=False),
    ]


def _growth(now: int, before: int) -> str:
    """Return the change since the period before."""
    return f"{100 * (now - before) / before:+.0f} %" if before else "–"
