"""The screen of live conversations: their messages and the trace of the last reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ui import error_texts
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLocale
from ui.screens import attachments, notices
from ui.screens.chat.screen import CONCURRENCY, Lines
from ui.screens.chat.views import plain
from ui.screens.components import read_only_table, with_event
from ui.screens.console.texts import ConsoleTexts
from ui.screens.live.texts import get_texts

_SECONDS: Final = 3
_LIMIT: Final = 100
_COLUMNS: Final = (
    *("conversation_id", "updated_at", "owner", "queue", "language", "channel", "messages"),
    *("last_role", "last_text"),
)
_TERMS: Final = frozenset({"language", "channel", "last_role"})
_WIDTHS: Final = ["11%", "15%", "7%", "9%", "8%", "8%", "8%", "8%", "26%"]

Rows = list[list[str]]


@dataclass(frozen=True)
class LivePage:
    """Event handlers of the page."""

    client: Client

    def show(self, shown_before: Any, locale: str) -> Any:
        """Return the rows; if nothing changed, the table stays as it is."""
        import gradio as gr

        shown = [rows(_conversations(self.client, locale), locale), locale]
        if shown == shown_before:
            return gr.skip()
        headers = get_texts(locale)["columns"].split("|")
        return gr.update(value={"data": shown[0], "headers": headers}), shown

    def read(self, conversation: str | None, shown_before: Lines | None, locale: str) -> Any:
        """Return the transcript and the trace; if there is no new message, they stay."""
        import gradio as gr

        if conversation is None:
            return gr.skip()
        lines = _history(self.client, conversation, locale)
        messages = transcribe(lines, locale)
        if messages == shown_before:
            return gr.skip()
        trace = trace_of_last(self.client, lines, locale)
        return messages, files_html(lines, locale), trace, messages


def build(client: Client, tab_locale: TabLocale) -> None:
    """Lay out the tab inside the open blocks."""
    import gradio as gr

    texts = get_texts(ENGLISH)
    timer = gr.Timer(_SECONDS)
    with gr.Row():
        hint = gr.Markdown(texts["hint"])
        refresh = gr.Button(texts["refresh"], size="sm", scale=0, min_width=120)
    table = read_only_table(
        texts["columns"], _WIDTHS, max_chars=60, max_height=320, elem_id="live-table"
    )
    with gr.Row():
        transcript = gr.Chatbot(
            label=texts["transcript"],
            height=460,
            scale=3,
            render_markdown=False,
            feedback_options=None,
            buttons=[],
            elem_id="live-transcript",
        )
        with gr.Column(scale=2):
            files = gr.HTML(elem_id="live-files")
            trace = gr.JSON(label=texts["trace"], max_height=460, open=True)
    page = LivePage(client)
    conversation, rows_shown, messages_shown = gr.State(None), gr.State(None), gr.State(None)
    quiet = {"show_progress": "hidden", **CONCURRENCY}
    refreshes = [timer.tick, tab_locale.shown.change]
    gr.on(
        [*refreshes, refresh.click],
        page.show,
        [rows_shown, tab_locale.locale],
        [table, rows_shown],
        **quiet,
    )
    outputs = [transcript, files, trace, messages_shown]
    gr.on(
        [*refreshes, conversation.change],
        page.read,
        [conversation, messages_shown, tab_locale.locale],
        outputs,
        **quiet,
    )
    table.select(with_event(lambda event: str(event.row_value[0])), None, conversation, **quiet)
    tab_locale.add_labels([hint, refresh, transcript, trace], _labels)


def _labels(locale: str) -> list[Any]:
    """Return the labels in a locale."""
    import gradio as gr

    texts = get_texts(locale)
    return [
        texts["hint"],
        gr.update(value=texts["refresh"]),
        gr.update(label=texts["transcript"]),
        gr.update(label=texts["trace"]),
    ]


def rows(conversations: Sequence[Json], locale: str) -> Rows:
    """Return the table's rows: one per conversation, the id first."""
    terms = ConsoleTexts(locale)
    return [
        [_cell(key, conversation.get(key), terms) for key in _COLUMNS]
        for conversation in conversations
    ]


def transcribe(lines: Sequence[Json], locale: str) -> Lines:
    """Return a conversation as messages of a chatbot; the customer is its user."""
    texts = get_texts(locale)
    return [
        {
            "role": "user" if line["role"] == "customer" else "assistant",
            "content": plain(f"{_speaker(line, texts)}{line['text']}{_names(line, texts)}"),
        }
        for line in lines
    ]


def files_html(lines: Sequence[Json], locale: str) -> str:
    """Return links to the files that a customer sent; an empty string without files."""
    files = [file for line in lines for file in line.get("attachments", ())]
    links = "".join(f"<li>{attachments.link(file)}</li>" for file in files)
    return f"<p>{get_texts(locale)['files']}</p><ul>{links}</ul>" if files else ""


def _speaker(line: Json, texts: dict[str, str]) -> str:
    return texts[line["role"]] if line["role"] in {"agent", "action"} else ""


def _names(line: Json, texts: dict[str, str]) -> str:
    return "".join(
        f"\n{texts['file'].format(name=file['name'])}" for file in line.get("attachments", ())
    )


def trace_of_last(client: Client, lines: Sequence[Json], locale: str) -> Json:
    """Return the trace of the assistant's last reply; empty without one."""
    replies = [line["message_id"] for line in lines if line["role"] == "bot"]
    if not replies:
        return {}
    try:
        return client.trace(replies[-1])
    except ApiError as error:
        return {"error": error_texts.error_text(error, locale)}


def _cell(key: str, value: Any, terms: ConsoleTexts) -> str:
    if value is None:
        return ""
    if key == "updated_at":  # 2026-01-31T09:30:00.123456+00:00, as UTC, to the second
        return str(value)[:19].replace("T", " ")
    if key == "owner":
        return terms.state(value)
    return terms.term(str(value)) if key in _TERMS else str(value)


def _conversations(client: Client, locale: str) -> list[Json]:
    try:
        return client.conversations(_LIMIT)
    except ApiError as error:
        why = error_texts.error_text(error, locale)
        raise notices.failure(get_texts(locale)["unread"].format(why=why), locale) from error


def _history(client: Client, conversation: str, locale: str) -> list[Json]:
    try:
        return client.history(conversation)
    except ApiError as error:
        return [{"role": "action", "text": f"⚠ {error_texts.error_text(error, locale)}"}]
