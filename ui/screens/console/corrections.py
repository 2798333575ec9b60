"""The reasons of a reply, and its corrections."""

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

_FIELDS: Final = ("intent_right", "article_right", "answer_right", "save_answer")
_PASSAGES: Final = 40  # of one article there may be several
_ARTICLES: Final = 12


@dataclass(frozen=True)
class CorrectionPanel:
    """Event handlers of the reasons and corrections; `message` is the one that was answered.

    They return updates by the names of the tab's components.
    """

    desk: DeskApi

    def explain(self, conversation: Json | None, event: Any, texts: ConsoleTexts) -> Json:
        """Return the reasons of the reply that was clicked, and its corrections."""
        import gradio as gr

        index = event.index[0] if isinstance(event.index, list | tuple) else event.index
        line = conversation["lines"][index] if conversation else None
        if conversation is None or line is None or not _is_reply(line, line.get("in_reply_to")):
            return no_reply(texts)
        message = line["in_reply_to"]
        question = next(
            (other["text"] for other in conversation["lines"] if other["message_id"] == message), ""
        )
        try:
            trace, corrections = self._load(message)
            passages = self.desk.client.search(question, _PASSAGES) if question.strip() else []
        except ApiError as error:
            return no_reply(texts, error_texts.error_text(error, texts.locale))
        values = {kind: correction["value"] for kind, correction in corrections.items()}
        intent = values.get("intent", line.get("intent"))
        article_choices = articles(trace, passages)
        return {
            "message": message,
            "why": _facts(line, texts) + trace_html(trace, texts),
            "corrections": corrections_html(corrections, texts),
            "intent_right": gr.update(choices=intents(texts), value=intent, visible=True),
            "article_right": gr.update(
                choices=article_choices, value=values.get("article"), visible=True
            ),
            "answer_right": gr.update(value=values.get("answer", ""), visible=True),
            "save_answer": gr.update(visible=True),
        }

    def translate(
        self, conversation: Json | None, message: str | None, texts: ConsoleTexts
    ) -> Json:
        """Return the reasons of the reply in another locale; fields keep what was entered."""
        import gradio as gr

        lines = conversation["lines"] if conversation and message else ()
        line = next((line for line in lines if _is_reply(line, message)), None)
        if message is None or line is None:
            return no_reply(texts)
        try:
            trace, corrections = self._load(message)
        except ApiError as error:
            return no_reply(texts, error_texts.error_text(error, texts.locale))
        return {
            "message": message,
            "why": _facts(line, texts) + trace_html(trace, texts),
            "corrections": corrections_html(corrections, texts),
            "intent_right": gr.update(choices=intents(texts)),
        }

    def _load(self, message: str) -> tuple[Json, Json]:
        """Return the trace and the corrections of a message."""
        return self.desk.client.trace(message), self.desk.corrections(message)["corrections"]

    def correct(self, kind: str) -> Callable[[str | None, str | None, ConsoleTexts], Any]:
        """Return the handler that saves a correction of this kind."""

        def handle(message: str | None, value: str | None, texts: ConsoleTexts) -> Any:
            import gradio as gr

            if not (message and value and value.strip()):
                return gr.skip()
            try:
                response = self.desk.correct(message, kind, value)
            except ApiError as error:
                notices.warn(error, texts.locale)
                return gr.skip()
            return corrections_html(response["corrections"], texts)

        return handle


def no_reply(texts: ConsoleTexts, problem: str = "") -> Json:
    """Return the updates of the page without a reply: none was clicked, or there is a problem."""
    import gradio as gr

    hint = f"<p class='quiet'>{escape(problem) or texts['why_hint']}</p>"
    hidden = dict.fromkeys(_FIELDS, gr.update(visible=False))
    return {"message": None, "why": hint, "corrections": "", **hidden}


def intents(texts: ConsoleTexts) -> list[tuple[str, str]]:
    """Return the intents as choices, by their titles."""
    return [(f"{texts.title(name)} ({name})", name) for name in texts.titles]


def articles(trace: Json, passages: list[Json]) -> list[tuple[str, str]]:
    """Return the candidate articles of a reply, then others that a search finds, each once."""
    candidates = [*trace.get("candidates", ()), *passages]
    titles = {candidate["article"]: candidate["title"] for candidate in reversed(candidates)}
    names = dict.fromkeys(candidate["article"] for candidate in candidates)
    return [(f"{titles[name]} ({name})", name) for name in [*names][:_ARTICLES]]


def corrections_html(corrections: Json, texts: ConsoleTexts) -> str:
    """Return the corrections and their authors."""
    lines = "".join(
        f"<p class='noted'>{escape(_correction_line(kind, correction, texts))}</p>"
        for kind, correction in corrections.items()
    )
    return f"<div role='status'>{lines}</div>" if lines else ""


def _correction_line(kind: str, correction: Json, texts: ConsoleTexts) -> str:
    value = texts.title(correction["value"]) if kind == "intent" else correction["value"]
    label = f"{texts[f'right_{kind}']}: {value}"
    return texts["right_kept"].format(author=correction["author"], what=label)


def _facts(line: Json, texts: ConsoleTexts) -> str:
    facts = {
        texts["route"]: texts.term(line.get("route")),
        texts["reason"]: texts.reason(line.get("reason")),
        texts["intent"]: texts.title(line.get("intent")),
        texts["language"]: texts.term(line.get("language")),
    }
    return facts_html(facts)


def _is_reply(line: Json, message: str | None) -> bool:
    """Return whether a line is the bot's reply to a message."""
    return bool(message) and line["role"] == "bot" and line.get("in_reply_to") == message
