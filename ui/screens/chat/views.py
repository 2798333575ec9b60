"""What is shown of a reply and how it came about. Pure: JSON in, HTML out; nothing is markup."""

from collections.abc import Mapping
from html import escape
from typing import Final

from ui.client.http_client import Json
from ui.screens.chat.texts import words
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground import texts

Words = list[tuple[str, float | None]]
_COLUMNS: Final = ("passage", "meaning", "words", "score")


def plain(text: str) -> str:
    """Return text for a chatbot, which takes its content for HTML: words stay words."""
    return escape(text, quote=False)


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


def words_html(pieces: Words, tongue: str) -> str:
    """Return a message with its words marked; without marks there is nothing to show."""
    if all(weight is None for _, weight in pieces):
        return ""
    marked = "".join(
        escape(piece)
        if weight is None
        else f"<mark class='{'for' if weight >= 0 else 'against'}' title='{weight:+.0%}' "
        f"style='--share:{abs(weight):.2f}'>{escape(piece)}</mark>"
        for piece, weight in pieces
    )
    legend = words(tongue)["for_and_against"]
    return f"<p class='legend'>{legend}</p><p class='words'>{marked}</p>"


def similar_html(neighbours: list[Json], said: ConsoleTexts) -> str:
    """Return the training examples that are nearest to a message."""
    if not neighbours:
        return ""
    return f"<p class='legend'>{words(said.tongue)['similar']}</p>" + "".join(
        f"<figure class='source'><figcaption>{escape(said.title(near['intent']))}"
        f"<code>{near['similarity']:.2f} {escape(near['source'])}</code></figcaption>"
        f"<blockquote>{escape(near['text'])}</blockquote></figure>"
        for near in neighbours
    )


def trace_html(trace: Json, said: ConsoleTexts) -> str:
    """Return what a reply was chosen from, what a language model did, and which versions served."""
    told = words(said.tongue)
    cited = {citation["article"] for citation in trace.get("citations", [])}
    rows = "".join(
        f"<tr{' class=cited' if found['article'] in cited else ''}><td>{escape(found['title'])}"
        f"<code>{escape(found['article'])}</code></td><td>{found['dense']:.2f}</td>"
        f"<td>{found['sparse']:.2f}</td><td>{found['score']:.2f}</td></tr>"
        for found in trace.get("candidates", [])
    )
    head = f"<tr>{''.join(f'<th>{told[name]}</th>' for name in _COLUMNS)}</tr>"
    table = f"<p class='legend'>{told['found']}</p><table class='found'>{head}{rows}</table>"
    facts = {
        f"{told['model']} {number}": one["model"] + told["comma"] + written(one, said)
        for number, one in enumerate(trace.get("generated", []), start=1)
    }
    versions = trace.get("versions", {}).items()
    facts |= {told["version"].format(kind=said.term(kind)): name for kind, name in versions if name}
    return (table if rows else "") + (facts_html(facts) if facts else "")


def written(one: Json, said: ConsoleTexts) -> str:
    """Return in a line what it took a language model to write, and what came of it."""
    told, tokens = words(said.tongue), one["tokens"]
    why = said.flaw(one["fell_back"])
    parts = [
        told["tokens"].format(**tokens),
        "" if tokens["reported"] else told["counted"],
        told["cost"].format(cost=f"{one['cost']:.6f}") if one["cost"] is not None else "",
        told["fell_back"].format(why=why) if why else "",
        told["prompt"].format(sha=one["prompt_sha256"][:12]),
    ]
    return told["comma"].join(filter(None, parts))


def decided_html(turn: Json, said: ConsoleTexts) -> str:
    """Return what was decided about a message, and how long each step took, as a list."""
    told = words(said.tongue)
    moods = map(said.term, (turn["sentiment"], turn.get("emotion")))
    facts = {
        told["route"]: said.term(turn["route"]),
        told["reason"]: said.reason(turn["reason"]),
        told["intent"]: _intent(turn, said),
        told["language"]: said.term(turn["language"]),
        told["sentiment"]: told["comma"].join(filter(None, moods)),
        told["handoff"]: _handoff(turn.get("handoff"), told, said),
        told["conversation"]: turn["conversation_id"],
    }
    steps = texts.words(said.tongue)
    timings = turn.get("timings_ms", {}).items()
    facts |= {steps.get(f"time_{step}", step): f"{ms:.1f} ms" for step, ms in timings}
    return facts_html(facts)


def facts_html(facts: Mapping[str, object]) -> str:
    """Return facts as a list; what is empty is left out."""
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


def _intent(turn: Json, said: ConsoleTexts) -> str:
    if turn["intent"] is None:
        return ""
    return f"{said.title(turn['intent'])} ({turn['confidence']:.0%})"


def _handoff(handoff: Json | None, told: Mapping[str, str], said: ConsoleTexts) -> str:
    if not handoff:
        return ""
    place = handoff.get("position")
    named = told["handed"].format(state=said.state(handoff["state"]), queue=handoff["queue"])
    return named + (told["place"].format(n=place) if place else "")
