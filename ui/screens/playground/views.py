"""What the playground shows of a question. Pure: JSON in, HTML out; nothing of it is markup."""

from collections.abc import Mapping
from html import escape
from typing import Final

from ui.client.http_client import Json
from ui.screens.chat.views import facts_html, written
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
_WHOLE: Final = "total"

Words = Mapping[str, str]


def reply(found: Json, said: Words, terms: ConsoleTexts) -> str:
    """Return the conversation so far and the reply, with what the customer may press."""
    parts = []
    for turn in found["earlier"]:
        parts.append(f"<p class='said customer'>{escape(turn['text'])}</p>")
        parts.append(f"<p class='said'>{escape(turn['reply'])}</p>")
    answer = found["turn"]["reply"]
    buttons = "".join(f"\n• {escape(button['title'])}" for button in answer["buttons"])
    route = escape(terms.term(found["turn"]["route"]))
    parts.append(
        f"<h2>{said['reply']} · {route}</h2><p class='said'>{escape(answer['text'])}{buttons}</p>"
    )
    return f"<div class='step' role='status'>{''.join(parts)}</div>"


def steps(found: Json, said: Words, terms: ConsoleTexts) -> str:
    """Return every step, in the order in which they are taken."""
    turn, trace = found["turn"], found["trace"]
    blocks = {
        "understood": _understood(turn, said, terms),
        "decided": _decided(turn, trace, said, terms),
        "candidates": _candidates(found, said),
        "support": _support(found["support"], said, terms),
        "times": _times(turn["timings_ms"], said),
        "models": _models(trace["generated"], said, terms),
        "versions": facts_html({terms.term(kind): name for kind, name in turn["versions"].items()}),
    }
    return "".join(
        f"<section class='step' data-step='{name}'><h2>{said[name]}</h2>{html}</section>"
        for name, html in blocks.items()
    )


def _bar(name: str, share: float, figure: str) -> str:
    return (
        f"<tr><td>{escape(name)}</td><td style='width:45%'><span class='bar' "
        f"style='width:{100 * min(1.0, share):.1f}%'></span></td>"
        f"<td class='figure'>{figure}</td></tr>"
    )


def _understood(turn: Json, said: Words, terms: ConsoleTexts) -> str:
    feeling = ", ".join(filter(None, map(terms.term, (turn["sentiment"], turn["emotion"]))))
    values = ", ".join(f"{one['entity']} = {one['value']}" for one in turn["entities"])
    requests = [] if len(turn["requests"]) < 2 else turn["requests"]  # noqa: PLR2004
    facts = {
        said["spoken"]: terms.term(turn["language"]),
        said["feeling"]: feeling,
        said["entities"]: values,
        said["requests"]: " | ".join(
            f"{one['text']} → {terms.title(one['intent'])}" for one in requests
        ),
        said["promise"]: said.get(f"promise_{turn['promise']}"),
    }
    ranked = turn["ranking"][:_INTENTS]
    rows = "".join(
        _bar(_called(one["intent"], terms), one["confidence"], f"{one['confidence']:.1%}")
        for one in ranked
    )
    return facts_html(facts) + (f"<table>{rows}</table>" if rows else "")


def _called(intent: str, terms: ConsoleTexts) -> str:
    title = terms.title(intent)
    return intent if title == intent else f"{title} ({intent})"


def _decided(turn: Json, trace: Json, said: Words, terms: ConsoleTexts) -> str:
    handoff = turn.get("handoff")
    return facts_html(
        {
            said["route"]: terms.term(turn["route"]),
            said["reason"]: terms.reason(turn["reason"]),
            said["template"]: trace["template"],
            said["action"]: trace["action"],
            said["handoff"]: _handoff(handoff, terms),
        }
    )


def _handoff(handoff: Json | None, terms: ConsoleTexts) -> str:
    return f"{terms.state(handoff['state'])}, {handoff['queue']}" if handoff else ""


def _candidates(found: Json, said: Words) -> str:
    if not found["candidates"]:
        return f"<p class='quiet'>{said['candidates_none']}</p>"
    head = "".join(f"<th class='figure'>{said[name]}</th>" for name in ("dense", "sparse", "score"))
    rows = "".join(_candidate(one, said) for one in found["candidates"])
    unused = "" if any(one["used"] for one in found["candidates"]) else said["unused"]
    evidence = found["evidence"]
    judged = ""
    if evidence:
        enough = evidence["score"] >= evidence["threshold"]
        counts = said["from"].format(threshold=f"{evidence['threshold']:.0%}")
        judged = (
            f"<p>{said['answers']}: <span class='{'yes' if enough else 'no'}'>"
            f"{evidence['score']:.0%}</span> ({counts})</p>"
        )
    quiet = f"<p class='quiet'>{unused}</p>" if unused else ""
    return f"{quiet}{judged}<table><tr><th>{said['passage']}</th>{head}</tr>{rows}</table>"


def _candidate(one: Json, said: Words) -> str:
    used = f" <span class='yes'>✓ {said['used']}</span>" if one["used"] else ""
    figures = "".join(
        f"<td class='figure'>{one[name]:.3f}</td>" for name in ("dense", "sparse", "score")
    )
    return (
        f"<tr{' class=used' if one['used'] else ''}><td><details><summary>{escape(one['title'])}"
        f"{used}<code>{escape(one['article'])}</code></summary><p>{escape(one['text'])}</p>"
        f"</details></td>{figures}</tr>"
    )


def _support(checked: list[Json], said: Words, terms: ConsoleTexts) -> str:
    if not checked:
        return f"<p class='quiet'>{said['support_none']}</p>"
    flaws = (escape(", ".join(map(terms.flaw, one["flaws"]))) for one in checked)
    rows = "".join(
        f"<tr><td>{escape(one['text'])}<code>{escape(one['article'] or '')}</code></td>"
        f"<td class='{'yes' if one['supported'] else 'no'}'>"
        f"{said['supported'] if one['supported'] else said['refused']} "
        f"{flawed}</td><td class='figure'>{one['score']:.2f}</td></tr>"
        for one, flawed in zip(checked, flaws, strict=True)
    )
    return f"<table>{rows}</table>"


def _times(timings: Mapping[str, float], said: Words) -> str:
    whole = max(timings.get(_WHOLE, 0.0), *timings.values(), 1e-9)
    rows = "".join(
        _bar(said.get(f"time_{name}", name), ms / whole, f"{ms:.1f} ms")
        for name, ms in timings.items()
    )
    return f"<table>{rows}</table>"


def _models(generated: list[Json], said: Words, terms: ConsoleTexts) -> str:
    if not generated:
        return f"<p class='quiet'>{said['models_none']}</p>"
    return facts_html({one["model"]: written(one, terms) for one in generated})
