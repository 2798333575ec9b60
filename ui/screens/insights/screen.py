"""The insights: outcomes of conversations, complaints, questions without an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, TypeVar

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLocale, current_locale
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.chat.views import plain
from ui.screens.components import with_event
from ui.screens.console.texts import ConsoleTexts
from ui.screens.insights import charts, views
from ui.screens.insights.texts import get_texts

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
# Gradio's download button has its file only at the second click. Spreadsheets need the byte order
# mark to read Chinese names as UTF-8.
_SAVE: Final = """(table, days) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\\ufeff", table], { type: "text/csv" }));
  link.download = `insights-${days}-days.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}"""
_SCROLL: Final = """() => {
  document.querySelector("#insights-behind")?.scrollIntoView({block: "start"});
}"""
_Response = TypeVar("_Response")


class Figure(NamedTuple):
    """A figure: its name and value in the API, its title, and its days if not the period's."""

    name: str
    value: str
    title: str
    days: Json | None = None


@dataclass(frozen=True)
class InsightsPage:
    """Event handlers of the page."""

    client: Client

    def show(self, locale: str, *filters: Any) -> Any:
        """Return all values and labels of the page for a period."""
        import gradio as gr

        texts, period = get_texts(locale), views.period(*filters)
        if self.client.get("/api/session")["role"] == "agent":  # they do not see this tab
            return gr.skip()
        page = _call_api(lambda: self.client.insights(period))
        surges = _call_api(lambda: self.client.surges(period)) if page["surges"] else []
        terms = self._terms(locale)
        page["voice"] = views.with_titles(page["voice"], terms)
        values = views.figures_shown(texts, page, views.surges_with_titles(surges, terms))
        return [*values, *views.labels(texts, page, terms)]

    def _terms(self, locale: str) -> ConsoleTexts:
        return ConsoleTexts(locale, _call_api(DeskApi(self.client).intents))

    def see(self, locale: str, filters: Sequence[Any], figure: Figure) -> list[Any]:
        """Return the conversations behind a figure."""
        import gradio as gr

        period = views.period(*filters) | (figure.days or {})
        response = _call_api(lambda: self.client.behind(period, figure.name, figure.value))
        texts, terms = get_texts(locale), self._terms(locale)
        rows = [
            [
                conversation["conversation_id"],
                conversation["day"],
                conversation["channel"],
                conversation["language"],
                charts.outcome_label(conversation["outcome"], texts),
                ", ".join(map(terms.title, conversation["intents"])),
            ]
            for conversation in response["conversations"]
        ]
        headline = texts["behind"].format(count=response["count"], name=plain(figure.title))
        if response["count"] > len(rows):
            headline += " " + texts["behind_latest"].format(count=len(rows))
        table = {"data": rows, "headers": texts["behind_columns"].split("|")}
        return [gr.update(value=headline, visible=True), gr.update(value=table, visible=True)]

    def card(self, number: int) -> Callable[..., Any]:
        """Return the handler of a click on a figure."""
        key, name, value = views.CARDS[number]
        return lambda locale, *filters: self.see(
            locale, filters, Figure(name, value, get_texts(locale)[key])
        )

    def row(self, table: str) -> Callable[..., Any]:
        """Return the handler of a click on a number in a table of intents or articles."""

        def select(locale: str, *inputs: Any) -> Any:
            *filters, event = inputs
            name = str(event.row_value[0])
            value = self._terms(locale).intent(name) if table == "intent" else name
            return self._cell(locale, filters, table, value, event)

        return with_event(select)

    def _cell(
        self, locale: str, filters: Sequence[Any], table: str, value: str, event: Any
    ) -> list[Any]:
        """Return the conversations behind a number of the row of `value`."""
        column = event.index[1]
        figure, is_before = views.figure_of_column(table, column)
        heading = get_texts(locale)[f"{table}_columns"].split("|")[column]
        title = f"{event.row_value[0]} · {heading}" if column else str(event.row_value[0])
        days = views.period_before(filters[0]) if is_before else None
        return self.see(locale, filters, Figure(figure, value, title, days))

    def mark(self, locale: str, *inputs: Any) -> Any:
        """Show the conversations behind the mark of a chart; the event names its figure."""
        *filters, event = inputs
        days = {"first": event.day, "last": event.day} if event.day else None
        return self.see(locale, filters, Figure(event.figure, event.value, event.name, days))

    def topic(self, locale: str, *inputs: Any) -> Any:
        """Show the conversations of a discovered topic, and its name in a text box."""
        import gradio as gr

        *filters, ids, event = inputs
        name = str(event.row_value[0])
        return [
            *self._cell(locale, filters, "topic", ids.get(name, ""), event),
            ids.get(name),
            gr.update(value=name, visible=True),
            *[gr.update(visible=True)] * 2,
        ]

    def rename(
        self, topic: str | None, name: str, locale: str, *filters: Any, join: bool = False
    ) -> Any:
        """Rename a topic, or join it with the one of that name; show the page again."""
        if topic and name.strip():
            _call_api(lambda: self.client.rename_topic(topic, name, join=join))
        return self.show(locale, *filters)

    def read(self, event: Any) -> Any:
        """Return the transcript of the conversation that was clicked."""
        import gradio as gr

        lines = _call_api(lambda: self.client.history(str(event.row_value[0])))
        turns = [
            {
                "role": "user" if line["role"] == "customer" else "assistant",
                "content": plain(line["text"]),
            }
            for line in lines
        ]
        return gr.update(value=turns, visible=True)

    def group(self, locale: str, *filters: Any) -> list[Any]:
        """Return the clusters of questions without an answer."""
        import gradio as gr

        clusters = _call_api(lambda: self.client.gaps(views.period(*filters)))
        texts = get_texts(locale)
        choices = [
            (texts["gap_line"].format(count=cluster["count"], name=cluster["name"]), number)
            for number, cluster in enumerate(clusters)
        ]
        any_clusters = bool(clusters)
        return [
            clusters,
            gr.update(choices=choices, value=0 if any_clusters else None, visible=any_clusters),
            gr.update(visible=any_clusters),
            views.examples(clusters, 0) if any_clusters else texts["gaps_none"],
        ]

    def write(self, clusters: list[Json], number: int | None, locale: str) -> str:
        """Create a draft of an article and return it."""
        if number is None or number >= len(clusters):
            return ""
        cluster = clusters[number]
        language = cluster["language"] if cluster["language"] in {"en", "zh"} else "en"
        draft = _call_api(lambda: self.client.draft(cluster["name"], language, cluster["examples"]))
        line = get_texts(locale)["drafted"].format(path=draft["path"])
        return f"{line}\n\n````markdown\n{draft['text']}\n````"

    def table(self, *filters: Any) -> str:
        """Return the figures as CSV, for the browser to save."""
        return _call_api(lambda: self.client.insights_csv(views.period(*filters)))


def build(client: Client, tab_locale: TabLocale) -> None:
    """Lay out the tab inside the open blocks."""
    page, texts = InsightsPage(client), get_texts(ENGLISH)
    tab = SimpleNamespace(locale=tab_locale.locale, filters=_filters(texts))
    _figures(tab, texts)
    tab.topics = _topics(texts)
    _conversations(tab, texts)
    tab.gaps = _gaps(page, texts, [tab.locale, *tab.filters])
    _wire(page, tab, tab_locale.shown)


def _filters(texts: dict[str, str]) -> list[Any]:
    """Lay out the filters; return days, channel, language, synthetic and the button for CSV."""
    import gradio as gr

    all_values = [(texts["all"], "")]
    with gr.Row(elem_classes="filters"):
        return [
            gr.Dropdown(
                views.periods(texts), value=30, label=texts["days"], elem_id="insights-days"
            ),
            gr.Dropdown(all_values, value="", label=texts["channel"]),
            gr.Dropdown(all_values, value="", label=texts["language"]),
            gr.Checkbox(label=texts["synthetic"], elem_id="insights-synthetic"),
            gr.Button(texts["csv"], size="sm", min_width=120, elem_id="insights-csv"),
        ]


def _figures(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the alarm, the cards, the charts and the tables."""
    import gradio as gr

    tab.alarm = gr.Markdown(elem_id="insights-surges")
    with gr.Row(elem_classes="figures"):
        tab.cards = [gr.Button(texts[name], elem_id=f"insights-{name}") for name, *_ in views.CARDS]
    tab.definitions = gr.Markdown(elem_classes="quiet")
    tab.outcomes = gr.HTML(elem_id="insights-outcomes", js_on_load=charts.CLICKS)
    tab.voice = gr.HTML(elem_id="insights-voice", js_on_load=charts.CLICKS)
    with gr.Row():
        with gr.Column(scale=2, min_width=240):
            tab.routes = gr.HTML(elem_id="insights-routes", js_on_load=charts.CLICKS)
        for name in ("intents", "articles"):
            with gr.Column(scale=4, min_width=480):
                table = gr.Dataframe(
                    label=texts[name],
                    elem_id=f"insights-{name}",
                    column_widths=_WIDTHS,
                    **_TABLE,
                )
                setattr(tab, name, table)


def _conversations(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the conversations behind a figure, and one of them to read."""
    import gradio as gr

    tab.behind = gr.Markdown(visible=False, elem_id="insights-behind")
    with gr.Row():
        tab.found = gr.Dataframe(
            visible=False, show_label=False, elem_id="insights-found", **_TABLE
        )
        tab.transcript = gr.Chatbot(
            label=texts["transcript"],
            visible=False,
            height=340,
            buttons=[],
            render_markdown=False,
            feedback_options=None,
            elem_id="insights-transcript",
        )


def _wire(page: InsightsPage, tab: SimpleNamespace, language_changed: Any) -> None:
    """Connect events and handlers."""
    import gradio as gr

    *filters, export = tab.filters
    inputs, topics = [tab.locale, *filters], tab.topics
    charts_shown = [tab.outcomes, tab.voice, tab.routes]
    shown = [tab.alarm, *tab.cards, tab.definitions, *charts_shown, *tab.filters]
    shown += [tab.intents, tab.articles, *topics.shown, tab.transcript, *tab.gaps]
    # A filter may change while a response is on its way: the last event counts.
    changes = [language_changed.change, *(component.change for component in filters)]
    gr.on(changes, page.show, inputs, shown, trigger_mode="always_last", **_QUIET)
    behind = [tab.behind, tab.found]
    clicks = [
        *(card.click(page.card(n), inputs, behind, **_QUIET) for n, card in enumerate(tab.cards)),
        tab.intents.select(page.row("intent"), inputs, behind, **_QUIET),
        tab.articles.select(page.row("article"), inputs, behind, **_QUIET),
        *(
            chart.click(with_event(page.mark, "EventData"), inputs, behind, **_QUIET)
            for chart in charts_shown
        ),
        topics.table.select(
            with_event(page.topic),
            [*inputs, topics.ids],
            [*behind, topics.selected, topics.name, topics.rename, topics.join],
            **_QUIET,
        ),
    ]
    for event in clicks:  # the conversations are below all figures
        event.success(None, None, None, js=_SCROLL, api_visibility="private")
    naming = [topics.selected, topics.name, *inputs]
    gr.on([topics.rename.click, topics.name.submit], page.rename, naming, shown, **_QUIET)
    topics.join.click(partial(page.rename, join=True), naming, shown, **_QUIET)
    tab.found.select(with_event(page.read), None, tab.transcript, **_QUIET)
    _wire_export(export, page, filters)


@dataclass(frozen=True)
class _Topics:
    """The discovered topics: a table, their ids by name, the selected one and its new name."""

    table: Any
    ids: Any
    selected: Any
    name: Any
    rename: Any
    join: Any

    @property
    def shown(self) -> list[Any]:
        return [self.table, self.ids, self.name, self.rename, self.join]


def _topics(texts: dict[str, str]) -> _Topics:
    import gradio as gr

    table = gr.Dataframe(
        label=texts["topics"], elem_id="insights-topics", column_widths=_TOPIC_WIDTHS, **_TABLE
    )
    with gr.Row(elem_classes="filters"):
        name = gr.Textbox(
            visible=False, max_length=_LONGEST, label=texts["topic_name"], elem_id="insights-name"
        )
        rename = gr.Button(
            texts["topic_rename"], visible=False, scale=0, min_width=120, elem_id="insights-rename"
        )
        join = gr.Button(
            texts["topic_join"], visible=False, scale=0, min_width=120, elem_id="insights-join"
        )
    return _Topics(table, gr.State({}), gr.State(None), name, rename, join)


def _wire_export(export: Any, page: InsightsPage, filters: Sequence[Any]) -> None:
    """Have the button save the figures as CSV; the first filter is the days."""
    import gradio as gr

    table = gr.Textbox(visible=False)
    event = export.click(page.table, [*filters], table, **_QUIET)
    event.success(None, [table, filters[0]], None, js=_SAVE, api_visibility="private")


def _gaps(page: InsightsPage, texts: dict[str, str], inputs: Sequence[Any]) -> list[Any]:
    """Lay out the questions without an answer; return the components with labels."""
    import gradio as gr

    clusters = gr.State([])
    with gr.Row():
        find = gr.Button(texts["find_gaps"], elem_id="insights-find-gaps")
        gap = gr.Dropdown([], label=texts["gap"], visible=False, elem_id="insights-gap")
        draft = gr.Button(texts["draft"], visible=False, elem_id="insights-draft")
    drafted = gr.Markdown(elem_id="insights-drafted")
    find.click(page.group, inputs, [clusters, gap, draft, drafted], **CONCURRENCY)
    gap.input(views.examples, [clusters, gap], drafted, **_QUIET)
    draft.click(page.write, [clusters, gap, inputs[0]], drafted, **_QUIET)
    return [find, gap, draft]


def _call_api(request: Callable[[], _Response]) -> _Response:
    """Return the server's response; an ApiError becomes a notice about the figures."""
    try:
        return request()
    except ApiError as error:
        message = get_texts(current_locale())["unread"].format(why=error_texts.error_text(error))
        raise notices.failure(message) from error
