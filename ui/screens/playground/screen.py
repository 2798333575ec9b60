"""The playground: try a question on the serving path and see every step."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLocale
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground import views
from ui.screens.playground.texts import get_texts

_CHANNELS: Final = ("widget", "api", "rasa", "openai", "chatwoot", "cli")
_LINES: Final = 3
_QUIET: Final = {"show_progress": "minimal", **CONCURRENCY}


def build(client: Client, tab_locale: TabLocale) -> None:
    """Lay out the tab inside the open blocks."""
    import gradio as gr

    texts = get_texts(ENGLISH)
    last = gr.State(None)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            earlier = gr.Textbox(
                label=texts["earlier"],
                info=texts["earlier_hint"],
                lines=_LINES,
                max_lines=10,
                elem_id="playground-earlier",
            )
            text = gr.Textbox(label=texts["text"], lines=2, max_lines=8, elem_id="playground-text")
            with gr.Row():
                language = gr.Dropdown(
                    _language_choices(texts), value="", label=texts["language"], min_width=120
                )
                channel = gr.Dropdown(
                    list(_CHANNELS), value="widget", label=texts["channel"], min_width=120
                )
            go = gr.Button(texts["go"], variant="primary", elem_id="playground-go")
            note = gr.HTML(_note_html(texts), elem_id="playground-note")
            reply = gr.HTML(elem_id="playground-reply")
        with gr.Column(scale=3, min_width=420):
            steps = gr.HTML(elem_id="playground-steps")

    def run(question: str, earlier: str, language: str, channel: str, locale: str) -> Any:
        """Return the reply and its steps; warn of an error."""
        if not question.strip():
            return gr.skip()
        try:
            result = try_question(client, question, earlier.splitlines(), language, channel)
        except ApiError as error:
            notices.warn(error, locale)
            return gr.skip()
        return result, *_result_html(result, locale)

    def translate(locale: str, result: Json | None) -> Any:
        """Return the last result in another locale."""
        return _result_html(result, locale) if result else gr.skip()

    inputs = [text, earlier, language, channel, tab_locale.locale]
    gr.on([go.click, text.submit], run, inputs, [last, reply, steps], **_QUIET)
    tab_locale.shown.change(translate, [tab_locale.locale, last], [reply, steps], **_QUIET)
    tab_locale.add_labels([earlier, text, language, channel, go, note], _labels)


def _labels(locale: str) -> list[Any]:
    """Return the labels in a locale."""
    import gradio as gr

    texts = get_texts(locale)
    return [
        gr.update(label=texts["earlier"], info=texts["earlier_hint"]),
        gr.update(label=texts["text"]),
        gr.update(label=texts["language"], choices=_language_choices(texts)),
        gr.update(label=texts["channel"]),
        gr.update(value=texts["go"]),
        _note_html(texts),
    ]


def try_question(
    client: Client, text: str, earlier: Sequence[str], language: str, channel: str
) -> Json:
    """Return the result of a question after earlier ones, with the titles of the intents."""
    body: Json = {"text": text, "channel": channel}
    body["earlier"] = [line for line in earlier if line.strip()]
    if language:
        body["language"] = language
    return client.post("/api/playground", **body) | {"titles": DeskApi(client).intents()}


def _result_html(result: Json, locale: str) -> tuple[str, str]:
    texts, terms = get_texts(locale), ConsoleTexts(locale, result["titles"])
    return views.reply_html(result, texts, terms), views.steps_html(result, texts, terms)


def _language_choices(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(texts["by_message"], ""), ("English", "en"), ("中文", "zh")]


def _note_html(texts: dict[str, str]) -> str:
    return f"<p class='quiet'>{escape(texts['note'])}</p>"
