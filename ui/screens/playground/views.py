"""HTML of a question's result. Pure functions of JSON; all text is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Final

from ui.client.http_client import Json
from ui.screens.chat.views import call_summary, facts_html
from ui.screens.console.texts import ConsoleTexts

CSS: Final = """
.step { margin: 0 0 1.25rem !important; }
.step h2 { margin: 0 0 .35rem !important; font-size: 1rem; }
.step table { width: 100%; font-size: .875em; border-collapse: collapse; }
.step :is(table, tr) { border: 0 !important; }
.step table :is(td, th) { padding: .3rem .5rem !important; vertical-align: top;
  overflow-wrap: anywhere; text-align: left; border: 0 !important;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.step table .figure { text-align: right !important; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.step tr.used td:first-child { box-shadow: inset 3px 0 var(--color-accent); }
.step td code { display: block; opacity: .75; }
.step details p { margin: .25rem 0 0; white-space: pre-wrap; }
.step .bar { display: block; height: .5rem; min-width: 1px; border-radius: 2px;
  background: var(--color-accent); }
.step .yes { color: #047857; font-weight: 600; }
.step .no { color: #c2261a; font-weight: 600; }
.dark .step .yes { color: #34d399; }
.dark .step .no { color: #ff9a90; }
.said { margin: 0 0 .75rem !important; padding: .6rem .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; border-left: 3px solid var(--color-accent);
  background: var(--background-fill-secondary); }
.said.customer { border-left-color: var(--border-color-primary); }
"""
_INTENTS: Final = 5
_TOTAL: Final = "total"

Texts = Mapping[str, str]


def reply_html(result: Json, texts: Texts, terms: ConsoleTexts) -> str:
    """Return the conversation so far, the reply and its buttons."""
    parts = []
    for turn in result["earlier"]:
        parts.append(f"<p class='said customer'>{escape(turn['text'])}</p>")
        parts.append(f"<p class='said'>{escape(turn['reply'])}</p>")
    answer = result["turn"]["reply"]
    buttons = "".join(f"\n• {escape(button['title'])}" for button in answer["buttons"])
    route = escape(terms.term(result["turn"]["route"]))
    parts.append(
        f"<h2>{texts['reply']} · {route}</h2><p class='said'>{escape(answer['text'])}{buttons}</p>"
    )
    return f"<div class='step' role='status'>{''.join(parts)}</div>"


def steps_html(result: Json, texts: Texts, terms: ConsoleTexts) -> str:
    """Return all steps in their order."""
    turn, trace = result["turn"], result["trace"]
    blocks = {
        "understood": _understood(turn, texts, terms),
        "decided": _decided(turn, trace, texts, terms),
        "candidates": _candidates(result, texts),
        "support": _support(result["support"], texts, terms),
        "times": _times(turn["timings_ms"], texts),
        "models": _models(trace["generated"], texts, terms),
        "versions": facts_html({terms.term(kind): name for kind, name in turn["versions"].items()}),
    }
    return "".join(
        f"<section class='step' data-step='{name}'><h2>{texts[name]}</h2>{html}</section>"
        for name, html in blocks.items()
    )


def _bar(name: str, share: float, figure: str) -> str:
    return (
        f"<tr><td>{escape(name)}</td><td style='width:45%'><span class='bar' "
        f"style='width:{100 * min(1.0, share):.1f}%'></span></td>"
        f"<td class='figure'>{figure}</td></tr>"
    )


def _understood(turn: Json, texts: Texts, terms: ConsoleTexts) -> str:
    sentiment = ", ".join(filter(None, map(terms.term, (turn["sentiment"], turn["emotion"]))))
    values = ", ".join(f"{item['entity']} = {item['value']}" for item in turn["entities"])
    requests = [] if len(turn["requests"]) < 2 else turn["requests"]  # noqa: PLR2004
    facts = {
        texts["spoken"]: terms.term(turn["language"]),
        texts["feeling"]: sentiment,
        texts["entities"]: values,
        texts["requests"]: " | ".join(
            f"{item['text']} → {terms.title(item['intent'])}" for item in requests
        ),
        texts["promise"]: texts.get(f"promise_{turn['promise']}"),
    }
    ranking = turn["ranking"][:_INTENTS]
    rows = "".join(
        _bar(_intent_name(item["intent"], terms), item["confidence"], f"{item['confidence']:.1%}")
        for item in ranking
    )
    return facts_html(facts) + (f"<table>{rows}</table>" if rows else "")


def _intent_name(intent: str, terms: ConsoleTexts) -> str:
    title = terms.title(intent)
    return intent if title == intent else f"{title} ({intent})"


def _decided(turn: Json, trace: Json, texts: Texts, terms: ConsoleTexts) -> str:
    handoff = turn.get("handoff")
    return facts_html(
        {
            texts["route"]: terms.term(turn["route"]),
            texts["reason"]: terms.reason(turn["reason"]),
            texts["template"]: trace["template"],
            texts["action"]: trace["action"],
            texts["handoff"]: _handoff(handoff, terms),
        }
    )


def _handoff(handoff: Json | None, terms: ConsoleTexts) -> str:
    return f"{terms.state(handoff['state'])}, {handoff['queue']}" if handoff else ""


def _candidates(result: Json, texts: Texts) -> str:
    if not result["candidates"]:
        return f"<p class='quiet'>{texts['candidates_none']}</p>"
    head = "".join(
        f"<th class='figure'>{texts[name]}</th>" for name in ("dense", "sparse", "score")
    )
    rows = "".join(_candidate(candidate, texts) for candidate in result["candidates"])
    unused = "" if any(candidate["used"] for candidate in result["candidates"]) else texts["unused"]
    evidence = result["evidence"]
    answerability = ""
    if evidence:
        is_enough = evidence["score"] >= evidence["threshold"]
        threshold = texts["from"].format(threshold=f"{evidence['threshold']:.0%}")
        answerability = (
            f"<p>{texts['answers']}: <span class='{'yes' if is_enough else 'no'}'>"
            f"{evidence['score']:.0%}</span> ({threshold})</p>"
        )
    note = f"<p class='quiet'>{unused}</p>" if unused else ""
    return f"{note}{answerability}<table><tr><th>{texts['passage']}</th>{head}</tr>{rows}</table>"


def _candidate(candidate: Json, texts: Texts) -> str:
    mark = f" <span class='yes'>✓ {texts['used']}</span>" if candidate["used"] else ""
    figures = "".join(
        f"<td class='figure'>{candidate[name]:.3f}</td>" for name in ("dense", "sparse", "score")
    )
    return (
        f"<tr{' class=used' if candidate['used'] else ''}><td><details>"
        f"<summary>{escape(candidate['title'])}{mark}<code>{escape(candidate['article'])}</code>"
        f"</summary><p>{escape(candidate['text'])}</p></details></td>{figures}</tr>"
    )


def _support(sentences: list[Json], texts: Texts, terms: ConsoleTexts) -> str:
    if not sentences:
        return f"<p class='quiet'>{texts['support_none']}</p>"
    flaws = (escape(", ".join(map(terms.flaw, sentence["flaws"]))) for sentence in sentences)
    rows = "".join(
        f"<tr><td>{escape(sentence['text'])}<code>{escape(sentence['article'] or '')}</code></td>"
        f"<td class='{'yes' if sentence['supported'] else 'no'}'>"
        f"{texts['supported'] if sentence['supported'] else texts['refused']} "
        f"{flaw_names}</td><td class='figure'>{sentence['score']:.2f}</td></tr>"
        for sentence, flaw_names in zip(sentences, flaws, strict=True)
    )
    return f"<table>{rows}</table>"


def _times(timings: Mapping[str, float], texts: Texts) -> str:
    longest = max(timings.get(_TOTAL, 0.0), *timings.values(), 1e-9)
    rows = "".join(
        _bar(texts.get(f"time_{name}", name), ms / longest, f"{ms:.1f} ms")
        for name, ms in timings.items()
    )
    return f"<table>{rows}</table>"


def _models(generated: list[Json], texts: Texts, terms: ConsoleTexts) -> str:
    if not generated:
        return f"<p class='quiet'>{texts['models_none']}</p>"
    return facts_html({call["model"]: call_summary(call, terms) for call in generated})
