"""The playground: one question through the serving path, with every step laid open."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground import views
from ui.screens.playground.texts import words

_CHANNELS: Final = ("widget", "api", "rasa", "openai", "chatwoot", "cli")
_LINES: Final = 3
_QUIET: Final = {"show_progress": "minimal", **CONCURRENCY}


def build(client: Client, place: TabLanguage) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    said = words(ENGLISH)
    last = gr.State(None)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
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
            notices.warn(error, page)
            return gr.skip()
        return found, *_shown(found, page)

    def again(page: str, found: Json | None) -> Any:
        """Return what came of the last question in another language."""
        return _shown(found, page) if found else gr.skip()

    given = [text, earlier, spoken, channel, place.tongue]
    gr.on([go.click, text.submit], run, given, [last, reply, steps], **_QUIET)
    place.shown.change(again, [place.tongue, last], [reply, steps], **_QUIET)
    place.name([earlier, text, spoken, channel, go, quiet], _labels)


def _labels(page: str) -> list[Any]:
    """Return what has words on it in another language."""
    import gradio as gr

    said = words(page)
    return [
        gr.update(label=said["earlier"], info=said["earlier_hint"]),
        gr.update(label=said["text"]),
        gr.update(label=said["language"], choices=_spoken(said)),
        gr.update(label=said["channel"]),
        gr.update(value=said["go"]),
        _note(said),
    ]


def attempt(client: Client, text: str, earlier: Sequence[str], language: str, channel: str) -> Json:
    """Return what came of a question, asked after earlier ones, and what intents are called.

    Empty lines are no messages.
    """
    body: Json = {"text": text, "channel": channel}
    body["earlier"] = [line for line in earlier if line.strip()]
    if language:
        body["language"] = language
    return client.post("/api/playground", **body) | {"titles": DeskApi(client).intents()}


def _shown(found: Json, page: str) -> tuple[str, str]:
    said, terms = words(page), ConsoleTexts(page, found["titles"])
    return views.reply(found, said, terms), views.steps(found, said, terms)


def _spoken(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(said["by_message"], ""), ("English", "en"), ("中文", "zh")]


def _note(said: dict[str, str]) -> str:
    return f"<p class='quiet'>{escape(said['note'])}</p>"
