"""The screen of figures: how conversations went, what customers complain about, what is missing."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from ui import insights_charts as charts
from ui.chat import CONCURRENCY, plain
from ui.client import ApiError, Client, Json
from ui.console_words import Speech
from ui.desk import Desk
from ui.insights_words import CHINESE, ENGLISH, words

CSS: Final = charts.CSS
_WIDTHS: Final = ["32%", "17%", "17%", "17%", "17%"]
_QUOTED: Final = 120  # characters of an example
_PERIODS: Final = (7, 30, 60, 90, 180)
# The figures of the first row: what they are called, and what is asked for to see behind them.
_CARDS: Final = (
    ("conversations", "conversations", ""),
    ("deflection", "deflected", ""),
    ("satisfaction", "csat", ""),
    ("handoff", "outcome", "handoff"),
    ("first", "conversations", ""),
    ("suggestions", "chosen", ""),
    ("cost", "cost", ""),
)


_T = TypeVar("_T")


@dataclass(frozen=True)
class Page:
    """What happens on the page: every method is an event's handler."""

    client: Client

    def show(self, tongue: str, *chosen: Any) -> Any:
        """Return all that the page shows of a period, and its words."""
        import gradio as gr

        said, wanted = words(tongue), period(*chosen)
        if self.client.get("/api/session")["role"] == "agent":  # who does not see this tab
            return gr.skip()
        page = _asked(lambda: self.client.insights(wanted))
        surges = _asked(lambda: self.client.surges(wanted)) if page["surges"] else []
        speech = self._speech(tongue)
        page["intents"] = _titled(page["intents"], "intent", speech)
        page["voice"] = _titled(page["voice"], "topic", speech)
        return [*_shown(said, page, _titled(surges, "topic", speech)), *_labels(said, page)]

    def _speech(self, tongue: str) -> Speech:
        return Speech(tongue, _asked(Desk(self.client).intents))

    def see(self, tongue: str, chosen: Sequence[Any], figure: str, value: str, name: str) -> Any:
        """Return the conversations behind a figure."""
        import gradio as gr

        told = _asked(lambda: self.client.behind(period(*chosen), figure, value))
        said, speech = words(tongue), self._speech(tongue)
        rows = [
            [
                one["conversation_id"],
                one["day"],
                one["channel"],
                one["language"],
                charts.named(one["outcome"], said),
                ", ".join(map(speech.title, one["intents"])),
            ]
            for one in told["conversations"]
        ]
        headline = said["behind"].format(count=told["count"], name=plain(name))
        table = {"data": rows, "headers": said["behind_columns"].split("|")}
        return [gr.update(value=headline, visible=True), gr.update(value=table, visible=True)]

    def card(self, place: int) -> Callable[..., Any]:
        """Return the handler of a click on a figure."""
        name, figure, value = _CARDS[place]
        return lambda tongue, *chosen: self.see(tongue, chosen, figure, value, words(tongue)[name])

    def row(self, figure: str) -> Callable[..., Any]:
        """Return the handler of a click on a row, whose first cell is the figure's value."""
        import gradio as gr

        def seen(tongue: str, *chosen: Any, event: Any) -> Any:
            name = str(event.row_value[0])
            value = self._speech(tongue).intent(name) if figure == "negative" else name
            return self.see(tongue, chosen, figure, value, name)

        def chose(  # noqa: PLR0913, PLR0917 — Gradio gives one argument an input
            tongue: str, days: Any, channel: Any, language: Any, synthetic: Any, event: Any
        ) -> Any:
            return seen(tongue, days, channel, language, synthetic, event=event)

        chose.__annotations__ = {"event": gr.SelectData}  # Gradio looks for the type itself
        return chose

    def reading(self) -> Callable[..., Any]:
        """Return the handler of a click on a conversation: its transcript."""
        import gradio as gr

        def read(event: Any) -> Any:
            lines = _asked(lambda: self.client.history(str(event.row_value[0])))
            turns = [
                {
                    "role": "user" if line["role"] == "customer" else "assistant",
                    "content": plain(line["text"]),
                }
                for line in lines
            ]
            return gr.update(value=turns, visible=True)

        read.__annotations__ = {"event": gr.SelectData}
        return read

    def group(self, tongue: str, *chosen: Any) -> list[Any]:
        """Return the subjects of questions without an answer."""
        import gradio as gr

        told = _asked(lambda: self.client.gaps(period(*chosen)))
        said = words(tongue)
        choices = [
            (said["gap_line"].format(count=one["count"], name=one["name"]), number)
            for number, one in enumerate(told)
        ]
        there = bool(told)
        return [
            told,
            gr.update(choices=choices, value=0 if there else None, visible=there),
            gr.update(visible=there),
            examples(told, 0) if there else said["gaps_none"],
        ]

    def write(self, told: list[Json], number: int | None, tongue: str) -> str:
        """Write a draft of an article and show it."""
        if number is None or number >= len(told):
            return ""
        one = told[number]
        language = one["language"] if one["language"] in {"en", "zh"} else "en"
        made = _asked(lambda: self.client.draft(one["name"], language, one["examples"]))
        line = words(tongue)["drafted"].format(path=made["path"])
        return f"{line}\n\n````markdown\n{made['text']}\n````"

    def save(self, *chosen: Any) -> str:
        """Write the table into a file that the browser fetches."""
        text = _asked(lambda: self.client.insights_csv(period(*chosen)))
        path = Path(tempfile.mkdtemp(prefix="careline-")) / f"insights-{chosen[0]}-days.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)


def build(client: Client) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    page, said = Page(client), words(ENGLISH)
    every = [(said["all"], "")]
    with gr.Row(elem_classes="filters"):
        days = gr.Dropdown(_periods(said), value=30, label=said["days"], elem_id="insights-days")
        channel = gr.Dropdown(every, value="", label=said["channel"])
        language = gr.Dropdown(every, value="", label=said["language"])
        synthetic = gr.Checkbox(label=said["synthetic"], elem_id="insights-synthetic")
        tongue = gr.Radio(
            [ENGLISH, CHINESE],
            value=ENGLISH,
            label="English / 中文",
            elem_id="insights-language",
        )
        export = gr.DownloadButton(said["csv"], size="sm", min_width=120)
    alarm = gr.Markdown(elem_id="insights-surges")
    with gr.Row(elem_classes="figures"):
        cards = [gr.Button(said[name], elem_id=f"insights-{name}") for name, *_ in _CARDS]
    defined = gr.Markdown(elem_classes="quiet")
    outcomes = gr.HTML(elem_id="insights-outcomes")
    voice = gr.HTML(elem_id="insights-voice")
    table: dict[str, Any] = {"type": "array", "interactive": False, "max_height": 340}
    with gr.Row():
        with gr.Column(scale=2, min_width=240):
            routes = gr.HTML(elem_id="insights-routes")
        with gr.Column(scale=3):
            intents = gr.Dataframe(
                label=said["intents"], elem_id="insights-intents", column_widths=_WIDTHS, **table
            )
        with gr.Column(scale=4):
            articles = gr.Dataframe(
                label=said["articles"], elem_id="insights-articles", column_widths=_WIDTHS, **table
            )
    behind = gr.Markdown(visible=False, elem_id="insights-behind")
    with gr.Row():
        found = gr.Dataframe(visible=False, show_label=False, elem_id="insights-found", **table)
        transcript = _transcript(said)
    quiet = {"show_progress": "hidden", **CONCURRENCY}
    filters = [days, channel, language, synthetic]
    inputs = [tongue, *filters]
    labels = _gaps(page, said, inputs)
    shown = [alarm, *cards, defined, outcomes, voice, routes]
    shown += [*filters, export, intents, articles, transcript, *labels]
    changed = [gr.context.Context.root_block.load, tongue.change, *(one.change for one in filters)]
    # A filter that is changed while an answer is on its way is asked for afterwards.
    gr.on(changed, page.show, inputs, shown, trigger_mode="always_last", **quiet)
    for place, card in enumerate(cards):
        card.click(page.card(place), inputs, [behind, found], **quiet)
    intents.select(page.row("negative"), inputs, [behind, found], **quiet)
    articles.select(page.row("cited"), inputs, [behind, found], **quiet)
    found.select(page.reading(), None, transcript, **quiet)
    export.click(page.save, filters, export, **quiet)


def _transcript(said: dict[str, str]) -> Any:
    import gradio as gr

    return gr.Chatbot(
        label=said["transcript"],
        visible=False,
        height=340,
        buttons=[],
        render_markdown=False,
        feedback_options=None,
        elem_id="insights-transcript",
    )


def _gaps(page: Page, said: dict[str, str], inputs: Sequence[Any]) -> list[Any]:
    """Lay out the questions without an answer; return what has words on it."""
    import gradio as gr

    clusters = gr.State([])
    with gr.Row():
        find = gr.Button(said["find_gaps"], elem_id="insights-find-gaps")
        gap = gr.Dropdown([], label=said["gap"], visible=False, elem_id="insights-gap")
        draft = gr.Button(said["draft"], visible=False, elem_id="insights-draft")
    drafted = gr.Markdown(elem_id="insights-drafted")
    quiet = {"show_progress": "hidden", **CONCURRENCY}
    find.click(page.group, inputs, [clusters, gap, draft, drafted], **CONCURRENCY)
    gap.input(examples, [clusters, gap], drafted, **quiet)
    draft.click(page.write, [clusters, gap, inputs[0]], drafted, **quiet)
    return [find, gap, draft]


def period(days: int, channel: str | None, language: str | None, synthetic: object) -> Json:
    """Return the filters as the API takes them."""
    found: Json = {"days": days, "synthetic": bool(synthetic)}
    return found | {k: v for k, v in (("channel", channel), ("language", language)) if v}


def examples(told: list[Json], number: int | None) -> str:
    """Return the examples of a subject."""
    if number is None or number >= len(told):
        return ""
    return "\n".join(f"- {plain(example)}" for example in told[number]["examples"])


def _periods(said: dict[str, str]) -> list[tuple[str, int]]:
    return [(said["last"].format(n=n), n) for n in _PERIODS]


def _asked(ask: Callable[[], _T]) -> _T:
    """Return the server's answer; a refusal is shown to who asked."""
    import gradio as gr

    try:
        return ask()
    except ApiError as error:
        message = f"The figures could not be read: {error}"
        raise gr.Error(message) from error


def _titled(rows: Sequence[Json], name: str, speech: Speech) -> list[Json]:
    """Return rows whose intents are called as people call them."""
    return [{**row, name: speech.title(row[name])} for row in rows]


def _shown(said: dict[str, str], page: Json, surges: Sequence[Json]) -> list[Any]:
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
    for surge in surges[:3]:
        told = {**surge, "topic": plain(surge["topic"])}
        parts = [f"⚠ {said['surge'].format(**told)}"]
        changed = [_change(change) for change in surge["changes"]]
        if changed:
            parts.append(said["surge_changes"].format(changes=", ".join(changed)))
        texts = dict.fromkeys(plain(one["text"])[:_QUOTED] for one in surge["examples"])
        parts += [f"“{text}”" for text in list(texts)[:2]]
        lines.append("<br>".join(parts))
    if page["figures"]["conversations"] and not surges:
        lines.append(said["surge_none"])
    return "\n\n".join(lines)


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
        for name, *_ in _CARDS
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


def _labels(said: dict[str, str], page: Json) -> list[Any]:
    """Return the filters, tables and buttons in the words of the page's language."""
    import gradio as gr

    choices = [
        gr.update(choices=[(said["all"], ""), *((x, x) for x in page[key])], label=said[label])
        for key, label in (("channels", "channel"), ("languages", "language"))
    ]
    intents = [
        [
            row["intent"],
            row["messages"],
            row["before"],
            _growth(row["messages"], row["before"]),
            row["negative"],
        ]
        for row in page["intents"]
    ]
    names = ("article", "cited", "opened", "thumb_up", "thumb_down")
    articles = [[row[name] for name in names] for row in page["articles"]]
    tables = [
        gr.update(
            value={"data": rows, "headers": said[f"{name}_columns"].split("|")},
            label=said[f"{name}s"],
        )
        for name, rows in (("intent", intents), ("article", articles))
    ]
    return [
        gr.update(choices=_periods(said), label=said["days"]),
        *choices,
        gr.update(label=said["synthetic"]),
        gr.update(label=said["csv"]),
        *tables,
        gr.update(label=said["transcript"]),
        gr.update(value=said["find_gaps"]),
        gr.update(label=said["gap"]),
        gr.update(value=said["draft"]),
    ]


def _growth(now: int, before: int) -> str:
    """Return the change since the period before."""
    return f"{100 * (now - before) / before:+.0f} %" if before else "–"
