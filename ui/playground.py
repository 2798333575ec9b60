"""The playground: one question through the serving path, with every step laid open."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from ui import playground_views as views
from ui.chat import CONCURRENCY
from ui.client import ApiError, Client, Json
from ui.console_words import Speech
from ui.desk import Desk
from ui.insights_words import CHINESE, ENGLISH
from ui.playground_words import words

_CHANNELS: Final = ("widget", "api", "rasa", "openai", "chatwoot", "cli")
_LINES: Final = 3
_QUIET: Final = {"show_progress": "minimal", **CONCURRENCY}


def build(client: Client) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    said = words(ENGLISH)
    last = gr.State(None)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            tongue = gr.Radio(
                [ENGLISH, CHINESE],
                value=ENGLISH,
                show_label=False,
                container=False,
                elem_id="playground-language",
            )
            earlier = gr.Textbox(
                label=said["earlier"],
                info=said["earlier_hint"],
                lines=_LINES,
                max_lines=10,
                elem_id="playground-earlier",
            )
            text = gr.Textbox(label=said["text"], lines=2, max_lines=8, elem_id="playground-text")
            with gr.Row():
                spoken = gr.Dropdown(_spoken(said), value="", label=said["language"], min_width=120)
                channel = gr.Dropdown(
                    list(_CHANNELS), value="widget", label=said["channel"], min_width=120
                )
            go = gr.Button(said["go"], variant="primary", elem_id="playground-go")
            quiet = gr.HTML(_note(said), elem_id="playground-note")
            reply = gr.HTML(elem_id="playground-reply")
        with gr.Column(scale=3, min_width=420):
            steps = gr.HTML(elem_id="playground-steps")

    def run(asked: str, before: str, language: str, by: str, page: str) -> Any:
        """Return the reply and its steps; what the server refuses is said."""
        if not asked.strip():
            return gr.skip()
        try:
            found = attempt(client, asked, before.splitlines(), language, by)
        except ApiError as error:
            gr.Warning(str(error))
            return gr.skip()
        return found, *_shown(found, page)

    def speak(page: str, found: Json | None) -> list[Any]:
        """Return everything in another language."""
        there = words(page)
        return [
            gr.update(label=there["earlier"], info=there["earlier_hint"]),
            gr.update(label=there["text"]),
            gr.update(label=there["language"], choices=_spoken(there)),
            gr.update(label=there["channel"]),
            gr.update(value=there["go"]),
            _note(there),
            *(_shown(found, page) if found else ("", "")),
        ]

    given = [text, earlier, spoken, channel, tongue]
    gr.on([go.click, text.submit], run, given, [last, reply, steps], **_QUIET)
    changed = [earlier, text, spoken, channel, go, quiet, reply, steps]
    tongue.change(speak, [tongue, last], changed, **_QUIET)


def attempt(client: Client, text: str, earlier: Sequence[str], language: str, channel: str) -> Json:
    """Return what came of a question, asked after earlier ones, and what intents are called.

    Empty lines are no messages.
    """
    body: Json = {"text": text, "channel": channel}
    body["earlier"] = [line for line in earlier if line.strip()]
    if language:
        body["language"] = language
    return client.post("/api/playground", **body) | {"titles": Desk(client).intents()}


def _shown(found: Json, page: str) -> tuple[str, str]:
    said, terms = words(page), Speech(page, found["titles"])
    return views.reply(found, said, terms), views.steps(found, said, terms)


def _spoken(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(said["by_message"], ""), ("English", "en"), ("中文", "zh")]


def _note(said: dict[str, str]) -> str:
    return f"<p class='quiet'>{escape(said['note'])}</p>"
