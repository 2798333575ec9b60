"""The screen of live conversations: what is being said now, and why."""

from collections.abc import Sequence
from typing import Any, Final

from ui import files
from ui.chat import CONCURRENCY, Lines, plain
from ui.client import ApiError, Client, Json

_SECONDS: Final = 3
_LIMIT: Final = 100
_COLUMNS: Final = {
    "conversation_id": "Conversation",
    "updated_at": "Last moved",
    "owner": "With",
    "queue": "Queue",
    "language": "Language",
    "channel": "Channel",
    "messages": "Messages",
    "last_role": "Last by",
    "last_text": "Last said",
}

Rows = list[list[str]]
Opened = tuple[Lines, Json]


def build(client: Client) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    chosen = gr.State(None)
    timer = gr.Timer(_SECONDS)
    with gr.Row():
        gr.Markdown("Conversations that moved last. Choose a row to read along.")
        refresh = gr.Button("Refresh", size="sm", scale=0, min_width=120)
    table = gr.Dataframe(
        headers=list(_COLUMNS.values()),
        column_count=len(_COLUMNS),
        type="array",
        interactive=False,
        show_label=False,
        max_chars=60,
        max_height=320,
        elem_id="live-table",
        column_widths=["11%", "15%", "7%", "9%", "8%", "8%", "8%", "8%", "26%"],
    )
    with gr.Row():
        transcript = gr.Chatbot(
            label="Transcript",
            height=460,
            scale=3,
            render_markdown=False,
            feedback_options=None,
            buttons=[],
            elem_id="live-transcript",
        )
        with gr.Column(scale=2):
            sent = gr.HTML(elem_id="live-files")
            trace = gr.JSON(label="Trace of the last reply", max_height=460, open=True)

    def show(known: Rows | None) -> Any:
        """Return the rows; where nothing moved, the table stays as it is."""
        found = rows(_conversations(client))
        return gr.skip() if found == known else (found, found)

    def choose(event: gr.SelectData) -> str:
        """Return the conversation of the row that was clicked."""
        return str(event.row_value[0])

    def read(conversation: str | None, shown: Lines | None) -> Any:
        """Return the transcript and the trace; where nothing was said, they stay as they are."""
        if conversation is None:
            return gr.skip()
        lines = _history(client, conversation)
        said = transcribe(lines)
        if said == shown:
            return gr.skip()
        return said, files_html(lines), trace_of_last(client, lines), said

    known, shown = gr.State(None), gr.State(None)
    look = {"show_progress": "hidden", **CONCURRENCY}
    gr.on([timer.tick, refresh.click], show, known, [table, known], **look)
    outputs = [transcript, sent, trace, shown]
    gr.on([timer.tick, chosen.change], read, [chosen, shown], outputs, **look)
    table.select(choose, None, chosen, **look)


def rows(conversations: Sequence[Json]) -> Rows:
    """Return the table's rows: one per conversation, the id first."""
    return [[_cell(key, found.get(key)) for key in _COLUMNS] for found in conversations]


def transcribe(lines: Sequence[Json]) -> Lines:
    """Return a conversation as a chat: the customer on one side, those who answer on the other."""
    return [
        {
            "role": "user" if line["role"] == "customer" else "assistant",
            "content": plain(f"{_SPEAKERS.get(line['role'], '')}{line['text']}{_names(line)}"),
        }
        for line in lines
    ]


def files_html(lines: Sequence[Json]) -> str:
    """Return links to the files a customer sent; empty where there are none."""
    sent = [file for line in lines for file in line.get("attachments", ())]
    links = "".join(f"<li>{files.link(file)}</li>" for file in sent)
    return f"<p>Files the customer sent:</p><ul>{links}</ul>" if sent else ""


def _names(line: Json) -> str:
    return "".join(f"\n[file] {file['name']}" for file in line.get("attachments", ()))


def trace_of_last(client: Client, lines: Sequence[Json]) -> Json:
    """Return the trace of the last reply the assistant gave; empty where it gave none."""
    replies = [line["message_id"] for line in lines if line["role"] == "bot"]
    if not replies:
        return {}
    try:
        return client.trace(replies[-1])
    except ApiError as error:
        return {"error": str(error)}


_SPEAKERS: Final = {"agent": "Colleague: ", "action": "Action: "}


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key == "updated_at":  # 2026-01-31T09:30:00.123456+00:00, as UTC, to the second
        return str(value)[:19].replace("T", " ")
    return str(value)


def _conversations(client: Client) -> list[Json]:
    import gradio as gr

    try:
        return client.conversations(_LIMIT)
    except ApiError as error:
        message = f"The list of conversations could not be read: {error}"
        raise gr.Error(message) from error


def _history(client: Client, conversation: str) -> list[Json]:
    try:
        return client.history(conversation)
    except ApiError as error:
        return [{"role": "action", "text": f"⚠ {error}"}]
