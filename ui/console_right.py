"""Why the bot said something, and what would have been right, chosen with one click."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from ui.chat import TRACE, trace_html
from ui.client import ApiError, Json
from ui.console_words import Speech
from ui.desk import Desk

CHOSEN: Final = 7  # what the page shows of a reply that was clicked
_PASSAGES: Final = 40  # of which several may stand in one article
_ARTICLES: Final = 12


@dataclass(frozen=True)
class Right:
    """The reasons of a reply and their corrections. `chosen` is the message that was clicked."""

    desk: Desk

    def why(self, held: Json | None, event: Any, said: Speech) -> Any:
        """Return why the bot said what was clicked, and what can be said to be right instead."""
        import gradio as gr

        place = event.index[0] if isinstance(event.index, list | tuple) else event.index
        line = held["lines"][place] if held else None
        if held is None or line is None or line["role"] != "bot" or not line.get("in_reply_to"):
            return nothing_chosen(said)
        asked = line["in_reply_to"]
        question = next((o["text"] for o in held["lines"] if o["message_id"] == asked), "")
        try:
            trace = self.desk.client.trace(asked)
            right = self.desk.corrections(asked)["corrections"]
            found = self.desk.client.search(question, _PASSAGES) if question.strip() else []
        except ApiError as error:
            return nothing_chosen(said, str(error))
        value = {kind: one["value"] for kind, one in right.items()}
        return [
            asked,
            _facts(line, said) + trace_html(trace, {name: said[f"trace_{name}"] for name in TRACE}),
            kept_html(right, said),
            gr.update(
                choices=intents(said), value=value.get("intent", line.get("intent")), visible=True
            ),
            gr.update(choices=articles(trace, found), value=value.get("article"), visible=True),
            gr.update(value=value.get("answer", ""), visible=True),
            gr.update(visible=True),
        ]

    def correct(self, kind: str) -> Callable[[str | None, str | None, Speech], Any]:
        """Return what keeps a correction of this kind."""

        def corrected(chosen: str | None, value: str | None, said: Speech) -> Any:
            import gradio as gr

            if not (chosen and value and value.strip()):
                return gr.skip()
            try:
                kept = self.desk.correct(chosen, kind, value)
            except ApiError as error:
                gr.Warning(str(error))
                return gr.skip()
            return kept_html(kept["corrections"], said)

        return corrected


def nothing_chosen(said: Speech, why: str = "") -> list[Any]:
    """Return what the page shows where no reply was clicked, or where it cannot be explained."""
    import gradio as gr

    hint = f"<p class='quiet'>{escape(why) or said['why_hint']}</p>"
    return [None, hint, "", *[gr.update(visible=False)] * (CHOSEN - 3)]


def intents(said: Speech) -> list[tuple[str, str]]:
    """Return the intents as choices, by their titles."""
    return [(f"{said.title(name)} ({name})", name) for name in said.titles]


def articles(trace: Json, found: list[Json]) -> list[tuple[str, str]]:
    """Return the articles a reply was chosen from, then others that a search finds, each once."""
    both = [*trace.get("candidates", ()), *found]
    titles = {one["article"]: one["title"] for one in reversed(both)}
    names = dict.fromkeys(one["article"] for one in both)
    return [(f"{titles[name]} ({name})", name) for name in [*names][:_ARTICLES]]


def kept_html(right: Json, said: Speech) -> str:
    """Return what was corrected and by whom."""
    lines = "".join(
        f"<p class='noted'>{escape(_told(kind, one, said))}</p>" for kind, one in right.items()
    )
    return f"<div role='status'>{lines}</div>" if lines else ""


def _told(kind: str, one: Json, said: Speech) -> str:
    value = said.title(one["value"]) if kind == "intent" else one["value"]
    what = f"{said[f'right_{kind}']}: {value}"
    return said["right_kept"].format(author=one["author"], what=what)


def _facts(line: Json, said: Speech) -> str:
    facts = {
        said["route"]: said.term(line.get("route")),
        said["reason"]: line.get("reason"),
        said["intent"]: said.title(line.get("intent")),
        said["language"]: said.term(line.get("language")),
    }
    rows = "".join(f"<dt>{k}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items() if v)
    return f"<dl class='facts'>{rows}</dl>"
