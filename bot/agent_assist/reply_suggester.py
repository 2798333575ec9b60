"""Three replies an agent may send next: from templates, passages, and what colleagues answered."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.agent_assist.human_replies import MOST, HumanReplies, ReplyCase
from bot.agent_assist.reply_features import DialogueLine, likeness
from bot.assistant.protocols import Components
from bot.core.types import OUT_OF_SCOPE, IntentScore, Role, now
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
OFFERED: Final = 3
_OF_A_KIND: Final = 2
_PASSAGES: Final = 4
_NEW: Final = 20  # answers after which it is learnt again
_RANKED: Final = 3
_BACK: Final = 3  # of the customer's words that are looked at
_LONGEST: Final = 1500  # characters


@dataclass(frozen=True)
class ReplySuggestion:
    """A reply to send, where it comes from, and how well it would fit, 0 to 1.

    `kind` is `template`, `passage` or `past`; `source` is the template's name, the article's id,
    or the conversation in which somebody answered so.
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
    _known: int = -_NEW
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def suggest(self, parts: Components, said: Sequence[LoggedLine]) -> list[ReplySuggestion]:
        """Return the three replies that fit best, best first, no more than two of a kind."""
        asked = _asked(said)
        if not asked:
            return []
        language = "zh" if detect(asked[-1].text) == "zh" else "en"
        found = [*self._past(said, language)]
        for _ in range(_BACK):
            intents = _ranking(parts, asked, language)
            found += [*_templates(parts, intents, language)]
            found += [*_passage(parts, asked[-1].text, language)]
            calls = bool(intents) and _is_handed_on(parts, intents[0].intent)
            asked = _asked(asked[:-1])
            if not (calls and asked):  # who only calls a person means what was said before
                break
        chosen: list[ReplySuggestion] = []
        for one in sorted(found, key=lambda suggestion: -suggestion.score):
            alike = sum(other.kind == one.kind for other in chosen)
            new = all(reply_suggestions.distance(other.text, one.text) > 0.2 for other in chosen)  # noqa: PLR2004
            if alike < _OF_A_KIND and new:
                chosen.append(one)
        return chosen[:OFFERED]

    def _past(self, said: Sequence[LoggedLine], language: str) -> Iterator[ReplySuggestion]:
        replies = self.learnt.get(language)
        if replies is None:
            return
        situation = [DialogueLine(line.role, line.text, line.template) for line in said]
        for found in replies.past(situation, _OF_A_KIND):
            text, source = found.case.answer.text, found.case.conversation
            yield ReplySuggestion(
                "past", text[:_LONGEST], source, "", round(likeness(found.alike), 4)
            )

    def is_behind(self) -> bool:
        """Return whether people answered so much since that it is worth to learn again."""
        return reply_suggestions.count_agent_answers(self.engine) - self._known >= _NEW

    def learn(self) -> None:
        """Learn what people answered; one thread at a time."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._known = reply_suggestions.count_agent_answers(self.engine)
            cases = [*_of_files(self.dialogs), *_of_log(self.engine)]
            learnt = {}
            for language in ("en", "zh"):
                own = [c for c in cases if (detect(c.answer.text) == "zh") == (language == "zh")]
                if own:
                    learnt[language] = HumanReplies.fit(own, self.encoder().passages)
            self.learnt = learnt
        except Exception:  # suggestions from templates and passages are there without it
            _logger.exception("what people answered could not be learnt")
        finally:
            self._lock.release()


def _cases(said: Sequence[DialogueLine], conversation: str) -> Iterator[ReplyCase]:
    for at, line in enumerate(said):
        if line.role is Role.AGENT and at:
            yield ReplyCase(tuple(said[:at]), line, conversation)


def _of_log(engine: "Engine") -> Iterator[ReplyCase]:
    for conversation in reply_suggestions.answered_conversations(engine, MOST):
        lines = [DialogueLine(line.role, line.text, line.template) for line in conversation]
        yield from _cases(lines, conversation[0].conversation_id)


def _of_files(dialogs: Path) -> Iterator[ReplyCase]:
    files = sorted(dialogs.glob("*.jsonl*"))
    for conversation in datasets.read_transcripts(files):
        if not datasets.is_held_back(conversation.id):
            yield from _cases(
                [DialogueLine(t.role, t.text) for t in conversation.turns], conversation.id
            )


def _asked(said: Sequence[LoggedLine]) -> Sequence[LoggedLine]:
    """Return what was said up to the customer's last words; nothing where there are none."""
    places = [n for n, line in enumerate(said, 1) if line.role is Role.CUSTOMER]
    return said[: places[-1]] if places else ()


def _is_handed_on(parts: Components, intent: str) -> bool:
    """Tell an intent that calls a person: to one, its template says nothing."""
    rule = parts.policy.content.routes.get(intent)
    return rule is not None and rule.route == "handoff"


def _ranking(parts: Components, said: Sequence[LoggedLine], language: str) -> Sequence[IntentScore]:
    """Return what the customer's last words most likely want."""
    asked = said[-1].text
    earlier = [line for line in said if line.text != asked]
    before = [line.text for line in earlier if line.role is Role.CUSTOMER]
    replies = [line.text for line in earlier if line.role in {Role.BOT, Role.AGENT}]
    understanding = parts.understander.understand(
        asked,
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
    """Yield the templates of what the customer most likely wants."""
    for scored in intents[:_RANKED]:
        if scored.intent == OUT_OF_SCOPE or not parts.templates.has(scored.intent):
            continue
        if _is_handed_on(parts, scored.intent):
            continue
        try:
            text = parts.templates.render(scored.intent, language)
        except TemplateError:  # it wants to know what only an action knows
            continue
        title = parts.templates.title(scored.intent, language)
        yield ReplySuggestion("template", text, scored.intent, title, round(scored.confidence, 4))


def _passage(parts: Components, asked: str, language: str) -> Iterator[ReplySuggestion]:
    """Yield what the knowledge says, in its own words."""
    if parts.knowledge is None:
        return
    only = PassageFilter.public(now().date())
    found = parts.knowledge.find(
        asked, _PASSAGES, language=language, only=only, context=None, prefer=()
    )
    hits = remove_injections(found.hits)
    if not hits:
        return
    reply = extract(asked, hits, None)
    score = found.evidence.score if found.evidence else hits[0].score
    if reply.text and reply.citations:
        source = reply.citations[0]
        yield ReplySuggestion(
            "passage", reply.text[:_LONGEST], source.article, source.title, round(score, 4)
        )


def as_json(one: ReplySuggestion) -> dict[str, Any]:
    """Return the public shape."""
    return {
        "kind": one.kind,
        "text": one.text,
        "source": one.source,
        "title": one.title,
        "score": one.score,
    }
