"""Suggestions of an agent's next reply: from templates, passages, and colleagues' past answers."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.agent_assist.human_replies import MAX_CASES, HumanReplies, ReplyCase
from bot.agent_assist.reply_features import DialogueLine, mean_similarity
from bot.assistant.protocols import Components
from bot.core.failures import log_failure
from bot.core.types import OUT_OF_SCOPE, IntentScore, NotFoundError, Role, now
from bot.dialogue.templates import TemplateError
from bot.generation.answer_extraction import extract
from bot.generation.prompt_injection import remove_injections
from bot.nlu.language import detect
from bot.store import reply_suggestions
from bot.store.reply_suggestions import LoggedLine
from bot.training import datasets
from knowledge_base.index.filters import PassageFilter

if TYPE_CHECKING:
    from bot.store.database import Engine
    from knowledge_base.encoders.base_models import ModelEncoder

_logger = logging.getLogger(__name__)
MAX_SUGGESTIONS: Final = 3
_MAX_PER_KIND: Final = 2
_MAX_PASSAGES: Final = 4
_MIN_NEW_ANSWERS: Final = 20  # answers after which the model is trained again
_MAX_INTENTS: Final = 3
_MAX_STEPS_BACK: Final = 3  # messages of the customer to look at
_MAX_LENGTH: Final = 1500  # characters


@dataclass(frozen=True)
class ReplySuggestion:
    """A reply to send, its source, and its fit, 0 to 1.

    `kind` is `template`, `passage` or `past`; `source` is the template's name, the article's id,
    or the id of the conversation with that answer.
    """

    kind: str
    text: str
    source: str
    title: str
    score: float


@dataclass
class ReplySuggester:
    """Suggests replies; learns from the log and the home's transcripts in the background."""

    engine: "Engine"
    encoder: "Callable[[], ModelEncoder]"
    dialogs: Path  # the folder of the home's transcripts
    learnt: dict[str, HumanReplies] = field(
        default_factory=dict
    )  # language → what people answer in it
    _learnt_answers: int = -_MIN_NEW_ANSWERS
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, parts: Components, conversation_id: str) -> dict[str, Any]:
        """Return replies that fit now as JSON, and store that they were offered.

        The first call starts learning from agents' replies in the background; until it is finished,
        templates and passages are suggested.
        """
        if self.is_behind():
            threading.Thread(target=self.learn, daemon=True, name="suggester").start()
        lines = reply_suggestions.lines(self.engine, conversation_id)
        offered = [suggestion_json(suggestion) for suggestion in self.suggest(parts, lines)]
        identifier = (
            reply_suggestions.offer(self.engine, conversation_id, offered) if offered else None
        )
        return {"id": identifier, "suggestions": offered}

    def record_choice(self, suggestion: str, place: int, message_id: str, text: str) -> None:
        """Store which suggestion an agent sent; a failure does not affect the message."""
        try:
            reply_suggestions.choose(self.engine, suggestion, place, message_id, text)
        except NotFoundError as error:
            _logger.warning("a choice could not be stored: %s", error)

    def suggest(self, parts: Components, lines: Sequence[LoggedLine]) -> list[ReplySuggestion]:
        """Return the best replies, best first, no more than two of a kind."""
        history = _up_to_last_question(lines)
        if not history:
            return []
        language = "zh" if detect(history[-1].text) == "zh" else "en"
        suggestions = [*self._past_replies(lines, language)]
        for _ in range(_MAX_STEPS_BACK):
            intents = _rank_intents(parts, history, language)
            suggestions += [*_templates(parts, intents, language)]
            suggestions += [*_passage(parts, history[-1].text, language)]
            is_handoff = bool(intents) and _is_handoff(parts, intents[0].intent)
            history = _up_to_last_question(history[:-1])
            if not (is_handoff and history):  # a call for a person is about the message before it
                break
        selected: list[ReplySuggestion] = []
        for suggestion in sorted(suggestions, key=lambda candidate: -candidate.score):
            same_kind = sum(other.kind == suggestion.kind for other in selected)
            new = all(
                reply_suggestions.distance(other.text, suggestion.text) > 0.2  # noqa: PLR2004
                for other in selected
            )
            if same_kind < _MAX_PER_KIND and new:
                selected.append(suggestion)
        return selected[:MAX_SUGGESTIONS]

    def _past_replies(
        self, lines: Sequence[LoggedLine], language: str
    ) -> Iterator[ReplySuggestion]:
        replies = self.learnt.get(language)
        if replies is None:
            return
        situation = [DialogueLine(line.role, line.text, line.template) for line in lines]
        for reply in replies.past(situation, _MAX_PER_KIND):
            text, source = reply.case.answer.text, reply.case.conversation
            yield ReplySuggestion(
                "past", text[:_MAX_LENGTH], source, "", round(mean_similarity(reply.alike), 4)
            )

    def is_behind(self) -> bool:
        """Return whether there are enough new answers to train again."""
        return (
            reply_suggestions.count_agent_answers(self.engine) - self._learnt_answers
            >= _MIN_NEW_ANSWERS
        )

    def learn(self) -> None:
        """Learn from agents' answers; only one thread does so at a time."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            # Suggestions from templates and passages do not need it.
            with log_failure(_logger, "what people answered could not be learnt"):
                self._fit()
        finally:
            self._lock.release()

    def _fit(self) -> None:
        self._learnt_answers = reply_suggestions.count_agent_answers(self.engine)
        cases = [*_cases_of_files(self.dialogs), *_cases_of_log(self.engine)]
        learnt = {}
        for language in ("en", "zh"):
            own = [c for c in cases if (detect(c.answer.text) == "zh") == (language == "zh")]
            if own:
                learnt[language] = HumanReplies.fit(own, self.encoder().passages)
        self.learnt = learnt


def _cases(lines: Sequence[DialogueLine], conversation: str) -> Iterator[ReplyCase]:
    for at, line in enumerate(lines):
        if line.role is Role.AGENT and at:
            yield ReplyCase(tuple(lines[:at]), line, conversation)


def _cases_of_log(engine: "Engine") -> Iterator[ReplyCase]:
    for conversation in reply_suggestions.answered_conversations(engine, MAX_CASES):
        lines = [DialogueLine(line.role, line.text, line.template) for line in conversation]
        yield from _cases(lines, conversation[0].conversation_id)


def _cases_of_files(dialogs: Path) -> Iterator[ReplyCase]:
    files = sorted(dialogs.glob("*.jsonl*"))
    for conversation in datasets.read_transcripts(files):
        if not datasets.is_held_back(conversation.id):
            yield from _cases(
                [DialogueLine(t.role, t.text) for t in conversation.turns], conversation.id
            )


def _up_to_last_question(lines: Sequence[LoggedLine]) -> Sequence[LoggedLine]:
    """Return the lines up to the customer's last message; nothing where there is none."""
    places = [n for n, line in enumerate(lines, 1) if line.role is Role.CUSTOMER]
    return lines[: places[-1]] if places else ()


def _is_handoff(parts: Components, intent: str) -> bool:
    """Return whether an intent calls a person: its template is of no use to one."""
    rule = parts.policy.content.routes.get(intent)
    return rule is not None and rule.route == "handoff"


def _rank_intents(
    parts: Components, lines: Sequence[LoggedLine], language: str
) -> Sequence[IntentScore]:
    """Return the most likely intents of the customer's last message."""
    question = lines[-1].text
    earlier = [line for line in lines if line.text != question]
    before = [line.text for line in earlier if line.role is Role.CUSTOMER]
    replies = [line.text for line in earlier if line.role in {Role.BOT, Role.AGENT}]
    understanding = parts.understander.understand(
        question,
        conversation_language=language,
        customer=before[-1] if before else None,
        reply=replies[-1] if replies else None,
        intent_history=(),
        today=now().date(),
    )
    return understanding.ranking


def _templates(
    parts: Components, intents: Sequence[IntentScore], language: str
) -> Iterator[ReplySuggestion]:
    """Yield the templates of the most likely intents."""
    for scored in intents[:_MAX_INTENTS]:
        if scored.intent == OUT_OF_SCOPE or not parts.templates.has(scored.intent):
            continue
        if _is_handoff(parts, scored.intent):
            continue
        try:
            text = parts.templates.render(scored.intent, language)
        except TemplateError:  # it needs a value that only an action knows
            continue
        title = parts.templates.title(scored.intent, language)
        yield ReplySuggestion("template", text, scored.intent, title, round(scored.confidence, 4))


def _passage(parts: Components, question: str, language: str) -> Iterator[ReplySuggestion]:
    """Yield an extract from the best passages."""
    if parts.knowledge is None:
        return
    only = PassageFilter.public(now().date())
    result = parts.knowledge.search_with_answerability(
        question, _MAX_PASSAGES, language=language, only=only, context=None, prefer=()
    )
    hits = remove_injections(result.hits)
    if not hits:
        return
    reply = extract(question, hits, None)
    score = result.evidence.score if result.evidence else hits[0].score
    if reply.text and reply.citations:
        source = reply.citations[0]
        yield ReplySuggestion(
            "passage", reply.text[:_MAX_LENGTH], source.article, source.title, round(score, 4)
        )


def suggestion_json(suggestion: ReplySuggestion) -> dict[str, Any]:
    """Return the public JSON of a suggestion."""
    return {
        "kind": suggestion.kind,
        "text": suggestion.text,
        "source": suggestion.source,
        "title": suggestion.title,
        "score": suggestion.score,
    }
