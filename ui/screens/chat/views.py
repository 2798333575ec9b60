"""HTML of a reply and its explanation. Pure functions of JSON; all text is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Final

from ui.client.http_client import Json
from ui.screens.chat.texts import get_texts
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground.texts import get_texts as get_step_texts

Words = list[tuple[str, float | None]]
_COLUMNS: Final = ("passage", "meaning", "words", "score")


def plain(text: str) -> str:
    """Return text escaped for a chatbot, which shows its content as HTML."""
    return escape(text, quote=False)


def weigh_words(text: str, tokens: list[Json]) -> Words:
    """Return the text in pieces with weights from −1 to 1, relative to the strongest word."""
    strongest = max((abs(token["weight"]) for token in tokens), default=0.0) or 1.0
    pieces: Words = []
    end = 0
    for token in tokens:
        pieces.append((text[end : token["start"]], None))
        pieces.append((token["text"], token["weight"] / strongest))
        end = token["end"]
    pieces.append((text[end:], None))
    return [(piece, weight) for piece, weight in pieces if piece]


def words_html(pieces: Words, locale: str) -> str:
    """Return a message with its weighted words marked; an empty string without weights."""
    if all(weight is None for _, weight in pieces):
        return ""
    marked = "".join(
        escape(piece)
        if weight is None
        else f"<mark class='{'for' if weight >= 0 else 'against'}' title='{weight:+.0%}' "
        f"style='--share:{abs(weight):.2f}'>{escape(piece)}</mark>"
        for piece, weight in pieces
    )
    legend = get_texts(locale)["for_and_against"]
    return f"<p class='legend'>{legend}</p><p class='words'>{marked}</p>"


def similar_html(neighbours: list[Json], terms: ConsoleTexts) -> str:
    """Return the training examples that are nearest to a message."""
    if not neighbours:
        return ""
    return f"<p class='legend'>{get_texts(terms.locale)['similar']}</p>" + "".join(
        f"<figure class='source'><figcaption>{escape(terms.title(example['intent']))}"
        f"<code>{example['similarity']:.2f} {escape(example['source'])}</code></figcaption>"
        f"<blockquote>{escape(example['text'])}</blockquote></figure>"
        for example in neighbours
    )


def trace_html(trace: Json, terms: ConsoleTexts) -> str:
    """Return the candidate passages of a reply, the calls of a language model, the versions."""
    texts = get_texts(terms.locale)
    cited = {citation["article"] for citation in trace.get("citations", [])}
    rows = "".join(
        f"<tr{' class=cited' if candidate['article'] in cited else ''}>"
        f"<td>{escape(candidate['title'])}"
        f"<code>{escape(candidate['article'])}</code></td><td>{candidate['dense']:.2f}</td>"
        f"<td>{candidate['sparse']:.2f}</td><td>{candidate['score']:.2f}</td></tr>"
        for candidate in trace.get("candidates", [])
    )
    head = f"<tr>{''.join(f'<th>{texts[name]}</th>' for name in _COLUMNS)}</tr>"
    table = f"<p class='legend'>{texts['found']}</p><table class='found'>{head}{rows}</table>"
    facts = {
        f"{texts['model']} {number}": call["model"] + texts["comma"] + call_summary(call, terms)
        for number, call in enumerate(trace.get("generated", []), start=1)
    }
    versions = trace.get("versions", {}).items()
    facts |= {
        texts["version"].format(kind=terms.term(kind)): name for kind, name in versions if name
    }
    return (table if rows else "") + (facts_html(facts) if facts else "")


def call_summary(call: Json, terms: ConsoleTexts) -> str:
    """Return a line about a call of a language model: tokens, cost, fallback, prompt."""
    texts, tokens = get_texts(terms.locale), call["tokens"]
    reason = terms.flaw(call["fell_back"])
    parts = [
        texts["tokens"].format(**tokens),
        "" if tokens["reported"] else texts["counted"],
        texts["cost"].format(cost=f"{call['cost']:.6f}") if call["cost"] is not None else "",
        texts["fell_back"].format(why=reason) if reason else "",
        texts["prompt"].format(sha=call["prompt_sha256"][:12]),
    ]
    return texts["comma"].join(filter(None, parts))


def decision_html(turn: Json, terms: ConsoleTexts) -> str:
    """Return the decision about a message and the time of each step, as a list."""
    texts = get_texts(terms.locale)
    moods = map(terms.term, (turn["sentiment"], turn.get("emotion")))
    facts = {
        texts["route"]: terms.term(turn["route"]),
        texts["reason"]: terms.reason(turn["reason"]),
        texts["intent"]: _intent(turn, terms),
        texts["language"]: terms.term(turn["language"]),
        texts["sentiment"]: texts["comma"].join(filter(None, moods)),
        texts["handoff"]: _handoff(turn.get("handoff"), texts, terms),
        texts["conversation"]: turn["conversation_id"],
    }
    steps = get_step_texts(terms.locale)
    timings = turn.get("timings_ms", {}).items()
    facts |= {steps.get(f"time_{step}", step): f"{ms:.1f} ms" for step, ms in timings}
    return facts_html(facts)


def facts_html(facts: Mapping[str, object]) -> str:
    """Return facts as a list, without those that are empty."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value
    )
    return f"<dl class='facts'>{rows}</dl>"


def sources_html(citations: list[Json]) -> str:
    """Return the passages that a reply cites."""
    return "".join(
        f"<figure class='source'><figcaption>{escape(citation['title'] or citation['article'])}"
        f"<code>{escape(citation['article'])} [{citation['start']}:{citation['end']}]"
        f"</code></figcaption><blockquote>{escape(citation['quote'])}</blockquote></figure>"
        for citation in citations
    )


def _intent(turn: Json, terms: ConsoleTexts) -> str:
    if turn["intent"] is None:
        return ""
    return f"{terms.title(turn['intent'])} ({turn['confidence']:.0%})"


def _handoff(handoff: Json | None, texts: Mapping[str, str], terms: ConsoleTexts) -> str:
    if not handoff:
        return ""
    position = handoff.get("position")
    label = texts["handed"].format(state=terms.state(handoff["state"]), queue=handoff["queue"])
    return label + (texts["place"].format(n=position) if position else "")
