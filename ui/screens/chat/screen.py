"""The chat screen: talk to the assistant and see beside each reply how it came about."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage
from ui.screens.chat import views
from ui.screens.chat.texts import words
from ui.screens.console.texts import ConsoleTexts

# All events share these places, so that screens never hold all of the server's threads.
CONCURRENCY: Final[Mapping[str, Any]] = {
    "concurrency_limit": 16,
    "concurrency_id": "careline",
    "api_visibility": "private",
}

Lines = list[dict[str, Any]]
Explained = tuple[str, dict[str, float] | None, str, str, str, str]
Shown = tuple[Lines, str | None, Json | None, str, dict[str, float] | None, str, str, str, str]
_UNKNOWN: Final[Explained] = ("", None, "", "", "", "")


def build(client: Client, place: TabLanguage) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    said = words(ENGLISH)
    conversation, last = gr.State(None), gr.State(None)
    with gr.Row():
        with gr.Column(scale=3):
            lines, box, send, again = _conversation(said)
        with gr.Column(scale=2):
            ranking, marked, hint, facts, sources, candidates, similar = _explanation(said)

    def talk(text: str, shown: Lines, known: str | None, tongue: str) -> Iterator[Shown]:
        yield from converse(client, text, shown or [], known, tongue)

    why = [facts, ranking, sources, marked, similar, candidates]
    outputs = [lines, conversation, last, *why]
    gr.on(
        [box.submit, send.click],
        lambda text: (text, ""),
        box,
        [text := gr.State(""), box],
        queue=False,  # the box is empty at once, however busy the server is
        api_visibility="private",
    ).then(
        talk, [text, lines, conversation, place.tongue], outputs,
        show_progress="hidden", **CONCURRENCY,
    )  # fmt: skip
    again.click(
        lambda tongue: ([], None, None, *explained(None, tongue)),
        place.tongue,
        outputs,
        queue=False,
        api_visibility="private",
    )
    place.name([lines, box, send, again, ranking, hint], _labels)
    place.shown.change(_again, [last, place.shown], why, show_progress="hidden", **CONCURRENCY)


def _conversation(said: dict[str, str]) -> tuple[Any, ...]:
    """Lay out the messages, the message box and its buttons."""
    import gradio as gr

    lines = gr.Chatbot(
        label=said["conversation"],
        height=520,
        render_markdown=False,
        feedback_options=None,
        elem_id="chat-lines",
        buttons=[],
    )
    with gr.Row(equal_height=True):
        box = gr.Textbox(
            placeholder=said["box"],
            show_label=False,
            container=False,
            scale=6,
            autofocus=True,
            elem_id="chat-box",
        )
        small: dict[str, Any] = {"size": "md", "scale": 1}
        send = gr.Button(said["send"], variant="primary", min_width=90, **small)
        again = gr.Button(said["again"], min_width=190, elem_id="chat-again", **small)
    return lines, box, send, again


def _explanation(said: dict[str, str]) -> tuple[Any, ...]:
    """Lay out the intents, the words, a hint, and what else explains the last reply."""
    import gradio as gr

    return (
        gr.Label(label=said["intents"], num_top_classes=5),
        gr.HTML(elem_id="chat-words"),
        gr.HTML(_hint(ENGLISH), elem_id="chat-hint"),
        *(
            gr.HTML(elem_id=f"chat-{name}")
            for name in ("facts", "sources", "candidates", "similar")
        ),
    )


def _labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language."""
    import gradio as gr

    said = words(tongue)
    return [
        gr.update(label=said["conversation"]),
        gr.update(placeholder=said["box"]),
        gr.update(value=said["send"]),
        gr.update(value=said["again"]),
        gr.update(label=said["intents"]),
        gr.update(value=_hint(tongue)),
    ]


def _hint(tongue: str) -> str:
    return f"<p class='quiet'>{words(tongue)['nothing']}</p>"


def _again(found: Json | None, tongue: str) -> Any:
    """Return what is shown of the last reply, in another language.

    Without one nothing is touched: the first may be on its way.
    """
    import gradio as gr

    return gr.skip() if found is None else explained(found, tongue)


def converse(
    client: Client, text: str, shown: Lines, known: str | None, tongue: str
) -> Iterator[Shown]:
    """Send a message and yield the screen as the reply grows, at last with its explanation."""
    if not text.strip():
        return
    lines = [*shown, {"role": "user", "content": views.plain(text)}]
    reply = ""
    yield lines, known, None, *_UNKNOWN
    try:
        for event, data in client.stream(text, known):
            if event == "received":
                known = data["conversation_id"]
            elif event == "token":
                reply += data["text"]
                yield [*lines, _said(reply)], known, None, *_UNKNOWN
            elif event == "turn":
                found = explain(client, text, data)
                known = data["conversation_id"]
                yield [*lines, *_reply(data)], known, found, *explained(found, tongue)
    except ApiError as error:
        yield [*lines, _said(f"⚠ {error_texts.told(error, tongue)}")], known, None, *_UNKNOWN


def explain(client: Client, text: str, turn: Json) -> Json:
    """Return all that is known of why a message was answered so."""
    try:
        why = client.explain(text)
    except ApiError:  # the reply stands without its explanation
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


def explained(found: Json | None, tongue: str) -> Explained:
    """Return a turn's facts, intents and sources, and what its words and its likes say."""
    if found is None:
        return ("", None, "", "", "", "")
    turn, why, said = found["turn"], found["why"], ConsoleTexts(tongue, found["titles"])
    ranking = {said.title(one["intent"]): one["confidence"] for one in turn.get("ranking", [])}
    return (
        views.decided_html(turn, said),
        ranking or None,
        views.sources_html(turn["reply"]["citations"]),
        views.words_html(views.coloured(found["text"], why.get("tokens", [])), tongue),
        views.similar_html(why.get("neighbours", []), said),
        views.trace_html(found["trace"], said),
    )


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": views.plain(text)}


def _reply(turn: Json) -> Lines:
    """Return the reply as a line; there is none while a person has the conversation."""
    reply = turn["reply"]
    choices = "".join(f"\n• {button['title']}" for button in reply["buttons"])
    return [_said(reply["text"] + choices)] if reply["text"] else []
