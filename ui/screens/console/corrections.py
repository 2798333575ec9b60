"""Why the bot said something, and what would have been right, chosen with one click."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.chat.views import facts_html, trace_html
from ui.screens.console.texts import ConsoleTexts

CHOSEN: Final = 7  # what the page shows of a reply that was clicked
_PASSAGES: Final = 40  # of which several may stand in one article
_ARTICLES: Final = 12


@dataclass(frozen=True)
class CorrectionPanel:
    """The reasons of a reply and their corrections. `chosen` is the message that was clicked."""

    desk: DeskApi

    def why(self, held: Json | None, event: Any, said: ConsoleTexts) -> Any:
        """Return why the bot said what was clicked, and what can be said to be right instead."""
        import gradio as gr

        place = event.index[0] if isinstance(event.index, list | tuple) else event.index
        line = held["lines"][place] if held else None
        if held is None or line is None or not _answers(line, line.get("in_reply_to")):
            return nothing_chosen(said)
        asked = line["in_reply_to"]
        question = next((o["text"] for o in held["lines"] if o["message_id"] == asked), "")
        try:
            trace, right = self._known(asked)
            found = self.desk.client.search(question, _PASSAGES) if question.strip() else []
        except ApiError as error:
            return nothing_chosen(said, error_texts.told(error, said.tongue))
        value = {kind: one["value"] for kind, one in right.items()}
        intent = value.get("intent", line.get("intent"))
        return [
            asked,
            _facts(line, said) + trace_html(trace, said),
            kept_html(right, said),
            gr.update(choices=intents(said), value=intent, visible=True),
            gr.update(choices=articles(trace, found), value=value.get("article"), visible=True),
            gr.update(value=value.get("answer", ""), visible=True),
            gr.update(visible=True),
        ]

    def again(self, held: Json | None, chosen: str | None, said: ConsoleTexts) -> Any:
        """Return the reasons of the reply that was clicked, in another language.

        What is being corrected stays as it stands there.
        """
        import gradio as gr

        lines = held["lines"] if held and chosen else ()
        line = next((one for one in lines if _answers(one, chosen)), None)
        if chosen is None or line is None:
            return nothing_chosen(said)
        try:
            trace, right = self._known(chosen)
        except ApiError as error:
            return nothing_chosen(said, error_texts.told(error, said.tongue))
        facts = _facts(line, said) + trace_html(trace, said)
        named = gr.update(choices=intents(said))
        return [chosen, facts, kept_html(right, said), named, *[gr.skip()] * (CHOSEN - 4)]

    def _known(self, asked: str) -> tuple[Json, Json]:
        """Return how the reply to a message came about, and what was corrected about it."""
        return self.desk.client.trace(asked), self.desk.corrections(asked)["corrections"]

    def correct(self, kind: str) -> Callable[[str | None, str | None, ConsoleTexts], Any]:
        """Return what keeps a correction of this kind."""

        def corrected(chosen: str | None, value: str | None, said: ConsoleTexts) -> Any:
            import gradio as gr

            if not (chosen and value and value.strip()):
                return gr.skip()
            try:
                kept = self.desk.correct(chosen, kind, value)
            except ApiError as error:
                notices.warn(error, said.tongue)
                return gr.skip()
            return kept_html(kept["corrections"], said)

        return corrected


def nothing_chosen(said: ConsoleTexts, why: str = "") -> list[Any]:
    """Return what the page shows where no reply was clicked, or where it cannot be explained."""
    import gradio as gr

    hint = f"<p class='quiet'>{escape(why) or said['why_hint']}</p>"
    return [None, hint, "", *[gr.update(visible=False)] * (CHOSEN - 3)]


def intents(said: ConsoleTexts) -> list[tuple[str, str]]:
    """Return the intents as choices, by their titles."""
    return [(f"{said.title(name)} ({name})", name) for name in said.titles]


def articles(trace: Json, found: list[Json]) -> list[tuple[str, str]]:
    """Return the articles a reply was chosen from, then others that a search finds, each once."""
    both = [*trace.get("candidates", ()), *found]
    titles = {one["article"]: one["title"] for one in reversed(both)}
    names = dict.fromkeys(one["article"] for one in both)
    return [(f"{titles[name]} ({name})", name) for name in [*names][:_ARTICLES]]


def kept_html(right: Json, said: ConsoleTexts) -> str:
    """Return what was corrected and by whom."""
    lines = "".join(
        f"<p class='noted'>{escape(_told(kind, one, said))}</p>" for kind, one in right.items()
    )
    return f"<div role='status'>{lines}</div>" if lines else ""


def _told(kind: str, one: Json, said: ConsoleTexts) -> str:
    value = said.title(one["value"]) if kind == "intent" else one["value"]
    what = f"{said[f'right_{kind}']}: {value}"
    return said["right_kept"].format(author=one["author"], what=what)


def _facts(line: Json, said: ConsoleTexts) -> str:
    facts = {
        said["route"]: said.term(line.get("route")),
        said["reason"]: said.reason(line.get("reason")),
        said["intent"]: said.title(line.get("intent")),
        said["language"]: said.term(line.get("language")),
    }
    return facts_html(facts)


def _answers(line: Json, asked: str | None) -> bool:
    """Tell the bot's reply to a message."""
    return bool(asked) and line["role"] == "bot" and line.get("in_reply_to") == asked
