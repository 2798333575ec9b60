"""The screen of figures: how conversations went, what customers complain about, what is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage, spoken
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.chat.views import plain
from ui.screens.console.texts import ConsoleTexts
from ui.screens.insights import charts, views
from ui.screens.insights.texts import words

CSS: Final = charts.CSS
_WIDTHS: Final = ["32%", "18%", "16%", "16%", "18%"]
_TOPIC_WIDTHS: Final = ["30%", "26%", "11%", "11%", "11%", "11%"]
_LONGEST: Final = 80  # characters of a topic's name
# A download button of Gradio's has its file at the second click only. The mark says UTF-8: without
# it spreadsheets take Chinese names for something else.
_SAVE: Final = """(table, days) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\\ufeff", table], { type: "text/csv" }));
  link.download = `insights-${days}-days.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}"""
_LEAD: Final = """() => {
  document.querySelector("#insights-behind")?.scrollIntoView({block: "start"});
}"""
_T = TypeVar("_T")


@dataclass(frozen=True)
class InsightsPage:
    """What happens on the page: every method is an event's handler."""

    client: Client

    def show(self, tongue: str, *chosen: Any) -> Any:
        """Return all that the page shows of a period, and its words."""
        import gradio as gr

        said, wanted = words(tongue), views.period(*chosen)
        if self.client.get("/api/session")["role"] == "agent":  # who does not see this tab
            return gr.skip()
        page = _asked(lambda: self.client.insights(wanted))
        surges = _asked(lambda: self.client.surges(wanted)) if page["surges"] else []
        speech = self._speech(tongue)
        page["voice"] = views.titled(page["voice"], speech)
        seen = views.shown(said, page, views.alarms(surges, speech))
        return [*seen, *views.labels(said, page, speech)]

    def _speech(self, tongue: str) -> ConsoleTexts:
        return ConsoleTexts(tongue, _asked(DeskApi(self.client).intents))

    def see(  # noqa: PLR0913, PLR0917 — whose figures, which, and what it is called
        self,
        tongue: str,
        chosen: Sequence[Any],
        figure: str,
        value: str,
        name: str,
        when: Json | None = None,
    ) -> Any:
        """Return the conversations behind a figure of the period, or of the days in `when`."""
        import gradio as gr

        wanted = views.period(*chosen) | (when or {})
        told = _asked(lambda: self.client.behind(wanted, figure, value))
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
        if told["count"] > len(rows):
            headline += " " + said["behind_latest"].format(count=len(rows))
        table = {"data": rows, "headers": said["behind_columns"].split("|")}
        return [gr.update(value=headline, visible=True), gr.update(value=table, visible=True)]

    def card(self, place: int) -> Callable[..., Any]:
        """Return the handler of a click on a figure."""
        name, figure, value = views.CARDS[place]
        return lambda tongue, *chosen: self.see(tongue, chosen, figure, value, words(tongue)[name])

    def row(self, table: str) -> Callable[..., Any]:
        """Return the handler of a click on a number in a table, whose first cell says of what."""
        import gradio as gr

        def seen(tongue: str, *chosen: Any, event: Any) -> Any:
            name = str(event.row_value[0])
            value = self._speech(tongue).intent(name) if table == "intent" else name
            return self._cell(tongue, chosen, table, value, event)

        def chose(  # noqa: PLR0913, PLR0917 — Gradio gives one argument an input
            tongue: str, days: Any, channel: Any, language: Any, synthetic: Any, event: Any
        ) -> Any:
            return seen(tongue, days, channel, language, synthetic, event=event)

        chose.__annotations__ = {"event": gr.SelectData}  # Gradio looks for the type itself
        return chose

    def _cell(
        self, tongue: str, chosen: Sequence[Any], table: str, value: str, event: Any
    ) -> list[Any]:
        """Return the conversations behind the number that was clicked, and what it is called."""
        column = event.index[1]
        figure, before = views.counted(table, column)
        heading = words(tongue)[f"{table}_columns"].split("|")[column]
        name = f"{event.row_value[0]} · {heading}" if column else str(event.row_value[0])
        when = views.earlier(chosen[0]) if before else None
        found: list[Any] = self.see(tongue, chosen, figure, value, name, when)
        return found

    def mark(self) -> Callable[..., Any]:
        """Return the handler of a click on a chart, which names a figure, its value and the day."""
        import gradio as gr

        def chose(  # noqa: PLR0913, PLR0917 — Gradio gives one argument an input
            tongue: str, days: Any, channel: Any, language: Any, synthetic: Any, event: Any
        ) -> Any:
            chosen = (days, channel, language, synthetic)
            when = {"first": event.day, "last": event.day} if event.day else None
            return self.see(tongue, chosen, event.figure, event.value, event.name, when)

        chose.__annotations__ = {"event": gr.EventData}
        return chose

    def topic(self) -> Callable[..., Any]:
        """Return the handler of a click on a discovered topic: its conversations, and its name."""
        import gradio as gr

        def chose(  # noqa: PLR0913, PLR0917 — Gradio gives one argument an input
            tongue: str,
            days: Any,
            channel: Any,
            language: Any,
            synthetic: Any,
            known: dict[str, str],
            event: Any,
        ) -> Any:
            name = str(event.row_value[0])
            chosen = (days, channel, language, synthetic)
            return [
                *self._cell(tongue, chosen, "topic", known.get(name, ""), event),
                known.get(name),
                gr.update(value=name, visible=True),
                *[gr.update(visible=True)] * 2,
            ]

        chose.__annotations__ = {"event": gr.SelectData}
        return chose

    def rename(
        self, topic: str | None, name: str, tongue: str, *chosen: Any, join: bool = False
    ) -> Any:
        """Give a topic a name, or join it to the one of that name; show the page with it."""
        if topic and name.strip():
            _asked(lambda: self.client.rename_topic(topic, name, join=join))
        return self.show(tongue, *chosen)

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

        told = _asked(lambda: self.client.gaps(views.period(*chosen)))
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
            views.examples(told, 0) if there else said["gaps_none"],
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

    def table(self, *chosen: Any) -> str:
        """Return the table that the browser saves."""
        return _asked(lambda: self.client.insights_csv(views.period(*chosen)))


def build(client: Client, place: TabLanguage) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    page, said = InsightsPage(client), words(ENGLISH)
    every = [(said["all"], "")]
    with gr.Row(elem_classes="filters"):
        days = gr.Dropdown(
            views.periods(said), value=30, label=said["days"], elem_id="insights-days"
        )
        channel = gr.Dropdown(every, value="", label=said["channel"])
        language = gr.Dropdown(every, value="", label=said["language"])
        synthetic = gr.Checkbox(label=said["synthetic"], elem_id="insights-synthetic")
        export = gr.Button(said["csv"], size="sm", min_width=120, elem_id="insights-csv")
    alarm = gr.Markdown(elem_id="insights-surges")
    with gr.Row(elem_classes="figures"):
        cards = [gr.Button(said[name], elem_id=f"insights-{name}") for name, *_ in views.CARDS]
    defined = gr.Markdown(elem_classes="quiet")
    outcomes = gr.HTML(elem_id="insights-outcomes", js_on_load=charts.CLICKS)
    voice = gr.HTML(elem_id="insights-voice", js_on_load=charts.CLICKS)
    look: dict[str, Any] = {"type": "array", "interactive": False, "max_height": 340, "wrap": True}
    with gr.Row():
        with gr.Column(scale=2, min_width=240):
            routes = gr.HTML(elem_id="insights-routes", js_on_load=charts.CLICKS)
        with gr.Column(scale=4, min_width=480):
            intents = gr.Dataframe(
                label=said["intents"], elem_id="insights-intents", column_widths=_WIDTHS, **look
            )
        with gr.Column(scale=4, min_width=480):
            articles = gr.Dataframe(
                label=said["articles"], elem_id="insights-articles", column_widths=_WIDTHS, **look
            )
    topics = _topics(said, look)
    behind = gr.Markdown(visible=False, elem_id="insights-behind")
    with gr.Row():
        found = gr.Dataframe(visible=False, show_label=False, elem_id="insights-found", **look)
        transcript = _transcript(said)
    quiet = {"show_progress": "hidden", **CONCURRENCY}
    filters = [days, channel, language, synthetic]
    inputs = [place.tongue, *filters]
    labels = _gaps(page, said, inputs)
    shown = [alarm, *cards, defined, outcomes, voice, routes]
    shown += [*filters, export, intents, articles, *topics.shown, transcript, *labels]
    changed = [place.shown.change, *(one.change for one in filters)]
    # A filter that is changed while an answer is on its way is asked for afterwards.
    gr.on(changed, page.show, inputs, shown, trigger_mode="always_last", **quiet)
    led = [
        card.click(page.card(number), inputs, [behind, found], **quiet)
        for number, card in enumerate(cards)
    ]
    led += [
        table.select(page.row(name), inputs, [behind, found], **quiet)
        for name, table in (("intent", intents), ("article", articles))
    ]
    chosen = [behind, found, topics.chosen, topics.name, topics.rename, topics.join]
    led.append(topics.table.select(page.topic(), [*inputs, topics.known], chosen, **quiet))
    renamed = [topics.rename.click, topics.name.submit]
    naming = [topics.chosen, topics.name, *inputs]
    gr.on(renamed, page.rename, naming, shown, **quiet)
    topics.join.click(partial(page.rename, join=True), naming, shown, **quiet)
    led += [
        chart.click(page.mark(), inputs, [behind, found], **quiet)
        for chart in (outcomes, voice, routes)
    ]
    for event in led:  # what a click leads to stands below all figures
        event.success(None, None, None, js=_LEAD, api_visibility="private")
    found.select(page.reading(), None, transcript, **quiet)
    _saves(export, page, filters, quiet)


@dataclass(frozen=True)
class _Topics:
    """The discovered topics: a table, their ids by name, the chosen one and its new name."""

    table: Any
    known: Any
    chosen: Any
    name: Any
    rename: Any
    join: Any

    @property
    def shown(self) -> list[Any]:
        return [self.table, self.known, self.name, self.rename, self.join]


def _topics(said: dict[str, str], look: dict[str, Any]) -> _Topics:
    import gradio as gr

    table = gr.Dataframe(
        label=said["topics"], elem_id="insights-topics", column_widths=_TOPIC_WIDTHS, **look
    )
    with gr.Row(elem_classes="filters"):
        name = gr.Textbox(
            visible=False, max_length=_LONGEST, label=said["topic_name"], elem_id="insights-name"
        )
        rename = gr.Button(
            said["topic_rename"], visible=False, scale=0, min_width=120, elem_id="insights-rename"
        )
        join = gr.Button(
            said["topic_join"], visible=False, scale=0, min_width=120, elem_id="insights-join"
        )
    return _Topics(table, gr.State({}), gr.State(None), name, rename, join)


def _saves(export: Any, page: InsightsPage, filters: Sequence[Any], quiet: dict[str, Any]) -> None:
    """Have the button save the figures as a table; the first filter is the days."""
    import gradio as gr

    table = gr.Textbox(visible=False)
    written = export.click(page.table, [*filters], table, **quiet)
    written.success(None, [table, filters[0]], None, js=_SAVE, api_visibility="private")


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


def _gaps(page: InsightsPage, said: dict[str, str], inputs: Sequence[Any]) -> list[Any]:
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
    gap.input(views.examples, [clusters, gap], drafted, **quiet)
    draft.click(page.write, [clusters, gap, inputs[0]], drafted, **quiet)
    return [find, gap, draft]


def _asked(ask: Callable[[], _T]) -> _T:
    """Return the server's answer; a refusal is shown to who asked."""
    try:
        return ask()
    except ApiError as error:
        message = words(spoken())["unread"].format(why=error_texts.told(error))
        raise notices.failure(message) from error
