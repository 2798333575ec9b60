"""The chat screen: talk to the assistant and see the explanation of each reply."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLocale
from ui.screens.chat import views
from ui.screens.chat.texts import get_texts
from ui.screens.console.texts import ConsoleTexts

# One limit for all events, so that screens never take all of the server's threads.
CONCURRENCY: Final[Mapping[str, Any]] = {
    "concurrency_limit": 16,
    "concurrency_id": "careline",
    "api_visibility": "private",
}

Lines = list[dict[str, Any]]
Explanation = tuple[str, dict[str, float] | None, str, str, str, str]
Shown = tuple[Lines, str | None, Json | None, str, dict[str, float] | None, str, str, str, str]
_NO_EXPLANATION: Final[Explanation] = ("", None, "", "", "", "")


def build(client: Client, tab_locale: TabLocale) -> None:
    """Lay out the tab inside the open blocks."""
    import gradio as gr

    texts = get_texts(ENGLISH)
    conversation, last = gr.State(None), gr.State(None)
    with gr.Row():
        with gr.Column(scale=3):
            lines, box, send, new_conversation = _conversation(texts)
        with gr.Column(scale=2):
            ranking, words, hint, facts, sources, candidates, similar = _explanation(texts)

    def talk(
        text: str, lines_before: Lines, conversation: str | None, locale: str
    ) -> Iterator[Shown]:
        yield from converse(client, text, lines_before or [], conversation, locale)

    explanation = [facts, ranking, sources, words, similar, candidates]
    outputs = [lines, conversation, last, *explanation]
    gr.on(
        [box.submit, send.click],
        lambda text: (text, ""),
        box,
        [text := gr.State(""), box],
        queue=False,  # the box is empty at once, however busy the server is
        api_visibility="private",
    ).then(
        talk, [text, lines, conversation, tab_locale.locale], outputs,
        show_progress="hidden", **CONCURRENCY,
    )  # fmt: skip
    new_conversation.click(
        lambda locale: ([], None, None, *explanation_values(None, locale)),
        tab_locale.locale,
        outputs,
        queue=False,
        api_visibility="private",
    )
    tab_locale.add_labels([lines, box, send, new_conversation, ranking, hint], _labels)
    tab_locale.shown.change(
        _translate_explanation,
        [last, tab_locale.shown],
        explanation,
        show_progress="hidden",
        **CONCURRENCY,
    )


def _conversation(texts: dict[str, str]) -> tuple[Any, ...]:
    """Lay out the messages, the message box and its buttons."""
    import gradio as gr

    lines = gr.Chatbot(
        label=texts["conversation"],
        height=520,
        render_markdown=False,
        feedback_options=None,
        elem_id="chat-lines",
        buttons=[],
    )
    with gr.Row(equal_height=True):
        box = gr.Textbox(
            placeholder=texts["box"],
            show_label=False,
            container=False,
            scale=6,
            autofocus=True,
            elem_id="chat-box",
        )
        size: dict[str, Any] = {"size": "md", "scale": 1}
        send = gr.Button(texts["send"], variant="primary", min_width=90, **size)
        new_conversation = gr.Button(texts["again"], min_width=190, elem_id="chat-again", **size)
    return lines, box, send, new_conversation


def _explanation(texts: dict[str, str]) -> tuple[Any, ...]:
    """Lay out the explanation of the last reply."""
    import gradio as gr

    return (
        gr.Label(label=texts["intents"], num_top_classes=5),
        gr.HTML(elem_id="chat-words"),
        gr.HTML(_hint(ENGLISH), elem_id="chat-hint"),
        *(
            gr.HTML(elem_id=f"chat-{name}")
            for name in ("facts", "sources", "candidates", "similar")
        ),
    )


def _labels(locale: str) -> list[Any]:
    """Return the labels in a locale."""
    import gradio as gr

    texts = get_texts(locale)
    return [
        gr.update(label=texts["conversation"]),
        gr.update(placeholder=texts["box"]),
        gr.update(value=texts["send"]),
        gr.update(value=texts["again"]),
        gr.update(label=texts["intents"]),
        gr.update(value=_hint(locale)),
    ]


def _hint(locale: str) -> str:
    return f"<p class='quiet'>{get_texts(locale)['nothing']}</p>"


def _translate_explanation(last: Json | None, locale: str) -> Any:
    """Return the explanation of the last reply in another locale.

    Without a last reply nothing changes: the first one may be on its way.
    """
    import gradio as gr

    return gr.skip() if last is None else explanation_values(last, locale)


def converse(
    client: Client, text: str, lines_before: Lines, conversation: str | None, locale: str
) -> Iterator[Shown]:
    """Send a message and yield the screen as the reply grows, in the end with its explanation."""
    if not text.strip():
        return
    lines = [*lines_before, {"role": "user", "content": views.plain(text)}]
    reply = ""
    yield lines, conversation, None, *_NO_EXPLANATION
    try:
        for event, data in client.stream(text, conversation):
            if event == "received":
                conversation = data["conversation_id"]
            elif event == "token":
                reply += data["text"]
                yield [*lines, _assistant_line(reply)], conversation, None, *_NO_EXPLANATION
            elif event == "turn":
                explanation = explain(client, text, data)
                conversation = data["conversation_id"]
                yield (
                    [*lines, *_reply(data)],
                    conversation,
                    explanation,
                    *explanation_values(explanation, locale),
                )
    except ApiError as error:
        yield (
            [*lines, _assistant_line(f"⚠ {error_texts.error_text(error, locale)}")],
            conversation,
            None,
            *_NO_EXPLANATION,
        )


def explain(client: Client, text: str, turn: Json) -> Json:
    """Return the explanation of a reply."""
    try:
        why = client.explain(text)
    except ApiError:  # the reply is shown without it
        why = None
    try:
        trace = client.trace(turn["message_id"])
    except ApiError:
        trace = {}
    try:
        titles = DeskApi(client).intents()
    except ApiError:
        titles = {}
    return {"text": text, "turn": turn, "why": why or {}, "trace": trace, "titles": titles}


def explanation_values(explanation: Json | None, locale: str) -> Explanation:
    """Return the values of the components that explain a reply."""
    if explanation is None:
        return _NO_EXPLANATION
    turn, why = explanation["turn"], explanation["why"]
    terms = ConsoleTexts(locale, explanation["titles"])
    ranking = {
        terms.title(candidate["intent"]): candidate["confidence"]
        for candidate in turn.get("ranking", [])
    }
    return (
        views.decision_html(turn, terms),
        ranking or None,
        views.sources_html(turn["reply"]["citations"]),
        views.words_html(views.weigh_words(explanation["text"], why.get("tokens", [])), locale),
        views.similar_html(why.get("neighbours", []), terms),
        views.trace_html(explanation["trace"], terms),
    )


def _assistant_line(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": views.plain(text)}


def _reply(turn: Json) -> Lines:
    """Return the reply as a line; none while an agent has the conversation."""
    reply = turn["reply"]
    choices = "".join(f"\n• {button['title']}" for button in reply["buttons"])
    return [_assistant_line(reply["text"] + choices)] if reply["text"] else []
