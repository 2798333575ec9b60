"""The screen of figures: how conversations went, what customers complain about, what is missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, TypeVar

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage, spoken
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.chat.views import plain
from ui.screens.components import with_event
from ui.screens.console.texts import ConsoleTexts
from ui.screens.insights import charts, views
from ui.screens.insights.texts import words

CSS: Final = charts.CSS
_WIDTHS: Final = ["32%", "18%", "16%", "16%", "18%"]
_TOPIC_WIDTHS: Final = ["30%", "26%", "11%", "11%", "11%", "11%"]
_TABLE: Final[Mapping[str, Any]] = {
    "type": "array",
    "interactive": False,
    "max_height": 340,
    "wrap": True,
}
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
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


class Figure(NamedTuple):
    """A figure: its name and value in the API, its title, and its days if not the period's."""

    name: str
    value: str
    title: str
    days: Json | None = None


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

    def see(self, tongue: str, filters: Sequence[Any], figure: Figure) -> list[Any]:
        """Return the conversations behind a figure."""
        import gradio as gr

        period = views.period(*filters) | (figure.days or {})
        told = _asked(lambda: self.client.behind(period, figure.name, figure.value))
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
        headline = said["behind"].format(count=told["count"], name=plain(figure.title))
        if told["count"] > len(rows):
            headline += " " + said["behind_latest"].format(count=len(rows))
        table = {"data": rows, "headers": said["behind_columns"].split("|")}
        return [gr.update(value=headline, visible=True), gr.update(value=table, visible=True)]

    def card(self, place: int) -> Callable[..., Any]:
        """Return the handler of a click on a figure."""
        key, name, value = views.CARDS[place]
        return lambda tongue, *filters: self.see(
            tongue, filters, Figure(name, value, words(tongue)[key])
        )

    def row(self, table: str) -> Callable[..., Any]:
        """Return the handler of a click on a number in a table of intents or articles."""

        def select(tongue: str, *inputs: Any) -> Any:
            *filters, event = inputs
            name = str(event.row_value[0])
            value = self._speech(tongue).intent(name) if table == "intent" else name
            return self._cell(tongue, filters, table, value, event)

        return with_event(select)

    def _cell(
        self, tongue: str, filters: Sequence[Any], table: str, value: str, event: Any
    ) -> list[Any]:
        """Return the conversations behind a number of the row of `value`."""
        column = event.index[1]
        figure, is_before = views.counted(table, column)
        heading = words(tongue)[f"{table}_columns"].split("|")[column]
        title = f"{event.row_value[0]} · {heading}" if column else str(event.row_value[0])
        days = views.earlier(filters[0]) if is_before else None
        return self.see(tongue, filters, Figure(figure, value, title, days))

    def mark(self, tongue: str, *inputs: Any) -> Any:
        """Show the conversations behind the mark of a chart; the event names its figure."""
        *filters, event = inputs
        days = {"first": event.day, "last": event.day} if event.day else None
        return self.see(tongue, filters, Figure(event.figure, event.value, event.name, days))

    def topic(self, tongue: str, *inputs: Any) -> Any:
        """Show the conversations of a discovered topic, and its name in a text box."""
        import gradio as gr

        *filters, ids, event = inputs
        name = str(event.row_value[0])
        return [
            *self._cell(tongue, filters, "topic", ids.get(name, ""), event),
            ids.get(name),
            gr.update(value=name, visible=True),
            *[gr.update(visible=True)] * 2,
        ]

    def rename(
        self, topic: str | None, name: str, tongue: str, *chosen: Any, join: bool = False
    ) -> Any:
        """Give a topic a name, or join it to the one of that name; show the page with it."""
        if topic and name.strip():
            _asked(lambda: self.client.rename_topic(topic, name, join=join))
        return self.show(tongue, *chosen)

    def read(self, event: Any) -> Any:
        """Return the transcript of the conversation that was clicked."""
        import gradio as gr

        lines = _asked(lambda: self.client.history(str(event.row_value[0])))
        turns = [
            {
                "role": "user" if line["role"] == "customer" else "assistant",
                "content": plain(line["text"]),
            }
            for line in lines
        ]
        return gr.update(value=turns, visible=True)

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
    page, said = InsightsPage(client), words(ENGLISH)
    at = SimpleNamespace(tongue=place.tongue, filters=_filters(said))
    _figures(at, said)
    at.topics = _topics(said)
    _conversations(at, said)
    at.gaps = _gaps(page, said, [at.tongue, *at.filters])
    _wire(page, at, place.shown)


def _filters(said: dict[str, str]) -> list[Any]:
    """Lay out the filters; return days, channel, language, synthetic and the button for CSV."""
    import gradio as gr

    every = [(said["all"], "")]
    with gr.Row(elem_classes="filters"):
        return [
            gr.Dropdown(views.periods(said), value=30, label=said["days"], elem_id="insights-days"),
            gr.Dropdown(every, value="", label=said["channel"]),
            gr.Dropdown(every, value="", label=said["language"]),
            gr.Checkbox(label=said["synthetic"], elem_id="insights-synthetic"),
            gr.Button(said["csv"], size="sm", min_width=120, elem_id="insights-csv"),
        ]


def _figures(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out the alarm, the cards, the charts and the tables."""
    import gradio as gr

    at.alarm = gr.Markdown(elem_id="insights-surges")
    with gr.Row(elem_classes="figures"):
        at.cards = [gr.Button(said[name], elem_id=f"insights-{name}") for name, *_ in views.CARDS]
    at.definitions = gr.Markdown(elem_classes="quiet")
    at.outcomes = gr.HTML(elem_id="insights-outcomes", js_on_load=charts.CLICKS)
    at.voice = gr.HTML(elem_id="insights-voice", js_on_load=charts.CLICKS)
    with gr.Row():
        with gr.Column(scale=2, min_width=240):
            at.routes = gr.HTML(elem_id="insights-routes", js_on_load=charts.CLICKS)
        for name in ("intents", "articles"):
            with gr.Column(scale=4, min_width=480):
                table = gr.Dataframe(
                    label=said[name],
                    elem_id=f"insights-{name}",
                    column_widths=_WIDTHS,
                    **_TABLE,
                )
                setattr(at, name, table)


def _conversations(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out the conversations behind a figure, and one of them to read."""
    import gradio as gr

    at.behind = gr.Markdown(visible=False, elem_id="insights-behind")
    with gr.Row():
        at.found = gr.Dataframe(visible=False, show_label=False, elem_id="insights-found", **_TABLE)
        at.transcript = gr.Chatbot(
            label=said["transcript"],
            visible=False,
            height=340,
            buttons=[],
            render_markdown=False,
            feedback_options=None,
            elem_id="insights-transcript",
        )


def _wire(page: InsightsPage, at: SimpleNamespace, language_changed: Any) -> None:
    """Connect events and handlers."""
    import gradio as gr

    *filters, export = at.filters
    inputs, topics = [at.tongue, *filters], at.topics
    shown = [at.alarm, *at.cards, at.definitions, at.outcomes, at.voice, at.routes, *at.filters]
    shown += [at.intents, at.articles, *topics.shown, at.transcript, *at.gaps]
    # A filter that is changed while an answer is on its way is asked for afterwards.
    changed = [language_changed.change, *(one.change for one in filters)]
    gr.on(changed, page.show, inputs, shown, trigger_mode="always_last", **_QUIET)
    behind = [at.behind, at.found]
    clicks = [
        *(card.click(page.card(n), inputs, behind, **_QUIET) for n, card in enumerate(at.cards)),
        at.intents.select(page.row("intent"), inputs, behind, **_QUIET),
        at.articles.select(page.row("article"), inputs, behind, **_QUIET),
        *(
            chart.click(with_event(page.mark, "EventData"), inputs, behind, **_QUIET)
            for chart in (at.outcomes, at.voice, at.routes)
        ),
        topics.table.select(
            with_event(page.topic),
            [*inputs, topics.known],
            [*behind, topics.chosen, topics.name, topics.rename, topics.join],
            **_QUIET,
        ),
    ]
    for event in clicks:  # the conversations are below all figures
        event.success(None, None, None, js=_LEAD, api_visibility="private")
    naming = [topics.chosen, topics.name, *inputs]
    gr.on([topics.rename.click, topics.name.submit], page.rename, naming, shown, **_QUIET)
    topics.join.click(partial(page.rename, join=True), naming, shown, **_QUIET)
    at.found.select(with_event(page.read), None, at.transcript, **_QUIET)
    _wire_export(export, page, filters)


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


def _topics(said: dict[str, str]) -> _Topics:
    import gradio as gr

    table = gr.Dataframe(
        label=said["topics"], elem_id="insights-topics", column_widths=_TOPIC_WIDTHS, **_TABLE
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


def _wire_export(export: Any, page: InsightsPage, filters: Sequence[Any]) -> None:
    """Have the button save the figures as CSV; the first filter is the days."""
    import gradio as gr

    table = gr.Textbox(visible=False)
    written = export.click(page.table, [*filters], table, **_QUIET)
    written.success(None, [table, filters[0]], None, js=_SAVE, api_visibility="private")


def _gaps(page: InsightsPage, said: dict[str, str], inputs: Sequence[Any]) -> list[Any]:
    """Lay out the questions without an answer; return what has words on it."""
    import gradio as gr

    clusters = gr.State([])
    with gr.Row():
        find = gr.Button(said["find_gaps"], elem_id="insights-find-gaps")
        gap = gr.Dropdown([], label=said["gap"], visible=False, elem_id="insights-gap")
        draft = gr.Button(said["draft"], visible=False, elem_id="insights-draft")
    drafted = gr.Markdown(elem_id="insights-drafted")
    find.click(page.group, inputs, [clusters, gap, draft, drafted], **CONCURRENCY)
    gap.input(views.examples, [clusters, gap], drafted, **_QUIET)
    draft.click(page.write, [clusters, gap, inputs[0]], drafted, **_QUIET)
    return [find, gap, draft]


def _asked(ask: Callable[[], _T]) -> _T:
    """Return the server's answer; a refusal is shown to who asked."""
    try:
        return ask()
    except ApiError as error:
        message = words(spoken())["unread"].format(why=error_texts.told(error))
        raise notices.failure(message) from error
