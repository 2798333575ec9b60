"""The chat screen: talk to the assistant and see beside each reply how it came about."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from ui.client import ApiError, Client, Json

# All events share these places, so that screens never hold all of the server's threads.
CONCURRENCY: Final[Mapping[str, Any]] = {
    "concurrency_limit": 16,
    "concurrency_id": "careline",
    "api_visibility": "private",
}
_NOTHING: Final = "<p class='quiet'>The last reply is explained here.</p>"
TRACE: Final[Mapping[str, str]] = {
    "found": "What was found",
    "passage": "Passage",
    "meaning": "Meaning",
    "words": "Words",
    "score": "Score",
    "model": "Model",
    "version": "Version",
}

Lines = list[dict[str, Any]]
Words = list[tuple[str, float | None]]
Explained = tuple[str, dict[str, float] | None, str, str, str, str]
Shown = tuple[Lines, str | None, str, dict[str, float] | None, str, str, str, str]
_UNKNOWN: Final[Explained] = ("", None, "", "", "", "")


def build(client: Client) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    conversation = gr.State(None)
    with gr.Row():
        with gr.Column(scale=3):
            lines = gr.Chatbot(
                label="Conversation",
                height=520,
                render_markdown=False,
                feedback_options=None,
                elem_id="chat-lines",
                buttons=[],
            )
            with gr.Row(equal_height=True):
                box = gr.Textbox(
                    placeholder="Write as a customer would, in English or 中文 …",
                    show_label=False,
                    container=False,
                    scale=6,
                    autofocus=True,
                    elem_id="chat-box",
                )
                send = gr.Button("Send", variant="primary", size="md", scale=1, min_width=90)
                again = gr.Button("New conversation", size="md", scale=1, min_width=190)
        with gr.Column(scale=2):
            ranking = gr.Label(label="Intent", num_top_classes=5)
            words = gr.HTML(elem_id="chat-words")
            facts = gr.HTML(_NOTHING, label="Decision", elem_id="chat-facts")
            sources = gr.HTML(elem_id="chat-sources")
            candidates = gr.HTML(elem_id="chat-candidates")
            similar = gr.HTML(elem_id="chat-similar")

    def talk(text: str, shown: Lines, known: str | None) -> Iterator[Shown]:
        yield from converse(client, text, shown or [], known)

    outputs = [lines, conversation, facts, ranking, sources, words, similar, candidates]
    gr.on(
        [box.submit, send.click],
        lambda text: (text, ""),
        box,
        [said := gr.State(""), box],
        queue=False,  # the box is empty at once, however busy the server is
        api_visibility="private",
    ).then(talk, [said, lines, conversation], outputs, show_progress="hidden", **CONCURRENCY)
    again.click(
        lambda: ([], None, _NOTHING, None, "", "", "", ""),
        None,
        outputs,
        queue=False,
        api_visibility="private",
    )


def converse(client: Client, text: str, shown: Lines, known: str | None) -> Iterator[Shown]:
    """Send a message and yield the screen as the reply grows, at last with its explanation."""
    if not text.strip():
        return
    lines = [*shown, {"role": "user", "content": plain(text)}]
    reply = ""
    yield lines, known, *_UNKNOWN
    try:
        for event, data in client.stream(text, known):
            if event == "received":
                known = data["conversation_id"]
            elif event == "token":
                reply += data["text"]
                yield [*lines, _said(reply)], known, *_UNKNOWN
            elif event == "turn":
                yield [*lines, *_reply(data)], data["conversation_id"], *explain(client, text, data)
    except ApiError as error:
        yield [*lines, _said(f"⚠ {error}")], known, *_UNKNOWN


def explain(client: Client, text: str, turn: Json) -> Explained:
    """Return a turn's facts, intents and sources, and what its words and its likes say."""
    ranking = {score["intent"]: score["confidence"] for score in turn.get("ranking", [])}
    try:
        why = client.explain(text)
    except ApiError:  # the reply stands without its explanation
        why = None
    try:
        trace = client.trace(turn["message_id"])
    except ApiError:
        trace = {}
    return (
        facts_html(turn),
        ranking or None,
        sources_html(turn["reply"]["citations"]),
        words_html(coloured(text, why["tokens"] if why else [])),
        similar_html(why["neighbours"] if why else []),
        trace_html(trace),
    )


def coloured(text: str, tokens: list[Json]) -> Words:
    """Return the text in pieces, each with its share of the strongest word's weight, −1 to 1."""
    strongest = max((abs(token["weight"]) for token in tokens), default=0.0) or 1.0
    pieces: Words = []
    at = 0
    for token in tokens:
        pieces.append((text[at : token["start"]], None))
        pieces.append((token["text"], token["weight"] / strongest))
        at = token["end"]
    pieces.append((text[at:], None))
    return [(piece, weight) for piece, weight in pieces if piece]


def words_html(words: Words) -> str:
    """Return a message with its words marked; without marks there is nothing to show."""
    if all(weight is None for _, weight in words):
        return ""
    marked = "".join(
        escape(piece)
        if weight is None
        else f"<mark class='{'for' if weight >= 0 else 'against'}' title='{weight:+.0%}' "
        f"style='--share:{abs(weight):.2f}'>{escape(piece)}</mark>"
        for piece, weight in words
    )
    legend = "<mark class='for'>for</mark> or <mark class='against'>against</mark> the intent"
    return f"<p class='legend'>Each word speaks {legend}</p><p class='words'>{marked}</p>"


def similar_html(neighbours: list[Json]) -> str:
    """Return the training examples that are nearest to a message."""
    if not neighbours:
        return ""
    return "<p class='legend'>Nearest training examples</p>" + "".join(
        f"<figure class='source'><figcaption>{escape(near['intent'])}"
        f"<code>{near['similarity']:.2f} {escape(near['source'])}</code></figcaption>"
        f"<blockquote>{escape(near['text'])}</blockquote></figure>"
        for near in neighbours
    )


def trace_html(trace: Json, said: Mapping[str, str] = TRACE) -> str:
    """Return what a reply was chosen from, what a language model did, and which versions served.

    `said` are the words around it, by the names in `TRACE`.
    """
    cited = {citation["article"] for citation in trace.get("citations", [])}
    rows = "".join(
        f"<tr{' class=cited' if found['article'] in cited else ''}><td>{escape(found['title'])}"
        f"<code>{escape(found['article'])}</code></td><td>{found['dense']:.2f}</td>"
        f"<td>{found['sparse']:.2f}</td><td>{found['score']:.2f}</td></tr>"
        for found in trace.get("candidates", [])
    )
    names = ("passage", "meaning", "words", "score")
    head = f"<tr>{''.join(f'<th>{said[name]}</th>' for name in names)}</tr>"
    table = f"<p class='legend'>{said['found']}</p><table class='found'>{head}{rows}</table>"
    facts = {
        f"{said['model']} {number}": _written(one)
        for number, one in enumerate(trace.get("generated", []), start=1)
    }
    versions = trace.get("versions", {}).items()
    facts |= {f"{said['version']}: {kind}": name for kind, name in versions if name}
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return (table if rows else "") + (f"<dl class='facts'>{lines}</dl>" if lines else "")


def _written(one: Json) -> str:
    """Return in a line what a language model did."""
    tokens = one["tokens"]
    counted = "" if tokens["reported"] else ", counted here"
    parts = [
        one["model"],
        f"{tokens['prompt']} + {tokens['completion']} tokens{counted}",
        f"cost {one['cost']:.6f}" if one["cost"] is not None else "",
        f"its words were not all used ({one['fell_back']})" if one["fell_back"] else "",
        f"prompt {one['prompt_sha256'][:12]}",
    ]
    return ", ".join(filter(None, parts))


def plain(text: str) -> str:
    """Return text for a chatbot, which takes its content for HTML: words stay words."""
    return escape(text, quote=False)


def facts_html(turn: Json) -> str:
    """Return what was decided about a message, and how long each step took, as a list."""
    facts = {
        "Route": turn["route"],
        "Reason": turn["reason"],
        "Intent": _intent(turn),
        "Language": turn["language"],
        "Sentiment": ", ".join(filter(None, (turn["sentiment"], turn.get("emotion")))),
        "Hand-off": _handoff(turn.get("handoff")),
        "Conversation": turn["conversation_id"],
    }
    facts |= {step: f"{ms:.1f} ms" for step, ms in turn.get("timings_ms", {}).items()}
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value
    )
    return f"<dl class='facts'>{rows}</dl>"


def sources_html(citations: list[Json]) -> str:
    """Return the passages a reply stands on; what articles say is shown, never interpreted."""
    return "".join(
        f"<figure class='source'><figcaption>{escape(citation['title'] or citation['article'])}"
        f"<code>{escape(citation['article'])} [{citation['start']}:{citation['end']}]"
        f"</code></figcaption><blockquote>{escape(citation['quote'])}</blockquote></figure>"
        for citation in citations
    )


def _intent(turn: Json) -> str:
    if turn["intent"] is None:
        return ""
    return f"{turn['intent']} ({turn['confidence']:.0%})"


def _handoff(handoff: Json | None) -> str:
    if not handoff:
        return ""
    place = f", number {handoff['position']}" if handoff.get("position") else ""
    return f"{handoff['state']} in {handoff['queue']}{place}"


def _said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": plain(text)}


def _reply(turn: Json) -> Lines:
    """Return the reply as a line; there is none while a person has the conversation."""
    reply = turn["reply"]
    choices = "".join(f"\n• {button['title']}" for button in reply["buttons"])
    return [_said(reply["text"] + choices)] if reply["text"] else []
