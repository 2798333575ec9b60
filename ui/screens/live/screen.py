"""The screen of live conversations: what is being said now, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ui import error_texts
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage
from ui.screens import attachments, notices
from ui.screens.chat.screen import CONCURRENCY, Lines
from ui.screens.chat.views import plain
from ui.screens.components import read_only_table, with_event
from ui.screens.console.texts import ConsoleTexts
from ui.screens.live.texts import words

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

    def show(self, known: Any, tongue: str) -> Any:
        """Return the rows; if nothing changed, the table stays as it is."""
        import gradio as gr

        found = [rows(_conversations(self.client, tongue), tongue), tongue]
        if found == known:
            return gr.skip()
        headers = words(tongue)["columns"].split("|")
        return gr.update(value={"data": found[0], "headers": headers}), found

    def read(self, conversation: str | None, shown: Lines | None, tongue: str) -> Any:
        """Return the transcript and the trace; if there is no new message, they stay."""
        import gradio as gr

        if conversation is None:
            return gr.skip()
        lines = _history(self.client, conversation, tongue)
        said = transcribe(lines, tongue)
        if said == shown:
            return gr.skip()
        trace = trace_of_last(self.client, lines, tongue)
        return said, files_html(lines, tongue), trace, said


def build(client: Client, place: TabLanguage) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    said = words(ENGLISH)
    timer = gr.Timer(_SECONDS)
    with gr.Row():
        hint = gr.Markdown(said["hint"])
        refresh = gr.Button(said["refresh"], size="sm", scale=0, min_width=120)
    table = read_only_table(
        said["columns"], _WIDTHS, max_chars=60, max_height=320, elem_id="live-table"
    )
    with gr.Row():
        transcript = gr.Chatbot(
            label=said["transcript"],
            height=460,
            scale=3,
            render_markdown=False,
            feedback_options=None,
            buttons=[],
            elem_id="live-transcript",
        )
        with gr.Column(scale=2):
            sent = gr.HTML(elem_id="live-files")
            trace = gr.JSON(label=said["trace"], max_height=460, open=True)
    page = LivePage(client)
    chosen, known, shown = gr.State(None), gr.State(None), gr.State(None)
    look = {"show_progress": "hidden", **CONCURRENCY}
    again = [timer.tick, place.shown.change]
    gr.on([*again, refresh.click], page.show, [known, place.tongue], [table, known], **look)
    outputs = [transcript, sent, trace, shown]
    gr.on([*again, chosen.change], page.read, [chosen, shown, place.tongue], outputs, **look)
    table.select(with_event(lambda event: str(event.row_value[0])), None, chosen, **look)
    place.name([hint, refresh, transcript, trace], _labels)


def _labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language."""
    import gradio as gr

    said = words(tongue)
    return [
        said["hint"],
        gr.update(value=said["refresh"]),
        gr.update(label=said["transcript"]),
        gr.update(label=said["trace"]),
    ]


def rows(conversations: Sequence[Json], tongue: str) -> Rows:
    """Return the table's rows: one per conversation, the id first."""
    said = ConsoleTexts(tongue)
    return [[_cell(key, found.get(key), said) for key in _COLUMNS] for found in conversations]


def transcribe(lines: Sequence[Json], tongue: str) -> Lines:
    """Return a conversation as a chat: the customer on one side, those who answer on the other."""
    said = words(tongue)
    return [
        {
            "role": "user" if line["role"] == "customer" else "assistant",
            "content": plain(f"{_speaker(line, said)}{line['text']}{_names(line, said)}"),
        }
        for line in lines
    ]


def files_html(lines: Sequence[Json], tongue: str) -> str:
    """Return links to the files a customer sent; empty where there are none."""
    sent = [file for line in lines for file in line.get("attachments", ())]
    links = "".join(f"<li>{attachments.link(file)}</li>" for file in sent)
    return f"<p>{words(tongue)['files']}</p><ul>{links}</ul>" if sent else ""


def _speaker(line: Json, said: dict[str, str]) -> str:
    return said[line["role"]] if line["role"] in {"agent", "action"} else ""


def _names(line: Json, said: dict[str, str]) -> str:
    return "".join(
        f"\n{said['file'].format(name=file['name'])}" for file in line.get("attachments", ())
    )


def trace_of_last(client: Client, lines: Sequence[Json], tongue: str) -> Json:
    """Return the trace of the last reply the assistant gave; empty where it gave none."""
    replies = [line["message_id"] for line in lines if line["role"] == "bot"]
    if not replies:
        return {}
    try:
        return client.trace(replies[-1])
    except ApiError as error:
        return {"error": error_texts.told(error, tongue)}


def _cell(key: str, value: Any, said: ConsoleTexts) -> str:
    if value is None:
        return ""
    if key == "updated_at":  # 2026-01-31T09:30:00.123456+00:00, as UTC, to the second
        return str(value)[:19].replace("T", " ")
    if key == "owner":
        return said.state(value)
    return said.term(str(value)) if key in _TERMS else str(value)


def _conversations(client: Client, tongue: str) -> list[Json]:

    try:
        return client.conversations(_LIMIT)
    except ApiError as error:
        why = error_texts.told(error, tongue)
        raise notices.failure(words(tongue)["unread"].format(why=why), tongue) from error


def _history(client: Client, conversation: str, tongue: str) -> list[Json]:
    try:
        return client.history(conversation)
    except ApiError as error:
        return [{"role": "action", "text": f"⚠ {error_texts.told(error, tongue)}"}]
