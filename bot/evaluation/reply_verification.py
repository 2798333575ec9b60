"""Verification of replies: deterministic steps are repeated with the versions that served them.

Actions (orders are not cancelled twice) and texts of a language model are not repeated: their
results are taken from the log, and everything around them is compared.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bot.actions.calls import ActionCall
from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import ActionOutcome, ActionResponse, MessageUnderstander, ReplyTokens
from bot.core import serialization
from bot.core.types import (
    ActionRecord,
    Button,
    CarelineError,
    PromiseStatus,
    Reply,
    Turn,
    Understanding,
)
from bot.dialogue import state
from bot.dialogue.policy import Policy
from bot.dialogue.templates import Templates
from bot.store import audit_ledger, content_snapshots
from bot.store.in_memory_log import MemoryLog
from bot.store.read_model import ConversationReader
from knowledge_base.documents import SearchHit

if TYPE_CHECKING:
    from bot.store.database import Engine

_TOLERANCE: Final = 1e-3  # of scores: a batch of another size is rounded differently
_PLACEHOLDERS: Final = ("[email]", "[card]", "[phone]")


@dataclass(frozen=True)
class VerificationDifference:
    """A part of the turn with another result; `part` is a path into the trace."""

    part: str
    logged: Any
    now: Any


@dataclass(frozen=True)
class VerificationResult:
    """The result of the verification of a turn.

    `unaltered` is whether its rows are the original ones, None where they have no entry in the
    chain. `redacted` is whether the message had personal data, which is not in the log: the
    understanding of such a message is taken from the log, and everything that follows is repeated.
    """

    message_id: str
    differences: tuple[VerificationDifference, ...]
    unaltered: bool | None
    redacted: bool
    not_repeated: str | None  # "action" or "generator"

    @property
    def equal(self) -> bool:
        """Return whether all results are as logged, from unaltered rows."""
        return not self.differences and self.unaltered is not False


class LoggedHome(Protocol):
    """The required parts of a home: its log, its folder and its present content."""

    @property
    def engine(self) -> "Engine":
        """The engine of the log's database."""

    @property
    def path(self) -> Path:
        """The folder, in which content snapshots are kept."""

    def templates(self) -> Templates:
        """Return the present templates."""

    def policy(self) -> Policy:
        """Return the present policy."""


class AssistantBuilder(Protocol):
    """Builds the assistant of a home with given versions of model and knowledge."""

    def __call__(
        self, home: Any, log: MemoryLog, versions: Sequence[str], /, *, content: Path | None
    ) -> Assistant:
        """Build it; `content` is a folder of kept texts, None the home's present ones."""


class Verifier:
    """Verifies turns; the assistants of the versions are kept for further turns."""

    def __init__(self, home: LoggedHome, build: AssistantBuilder) -> None:
        """Take a home, whose log must be migrated, and the function that builds assistants."""
        self._home = home
        self._build = build
        self._reader = ConversationReader(home.engine)
        self._open: dict[tuple[str | None, ...], Assistant] = {}

    def verify(self, message_id: str) -> VerificationResult:
        """Repeat a message's turn, found by its id or that of its reply.

        Raises NotFoundError for an unknown id and CarelineError when a version no longer exists.
        """
        record, trace = self._reader.turn(message_id)
        turn = serialization.from_record(record)
        again = self._repeat(turn, trace)
        return VerificationResult(
            message_id=turn.message.id,
            differences=tuple(_differences(_comparable(turn, trace), again)),
            unaltered=audit_ledger.is_unaltered(self._home.engine, turn.message.id),
            redacted=_is_redacted(turn, trace),
            not_repeated=_not_repeated(turn),
        )

    def _repeat(self, turn: Turn, trace: Mapping[str, Any]) -> dict[str, Any]:
        served = turn.versions
        key = (served.model, served.knowledge, served.content)
        if key not in self._open:
            self._open[key] = self._assistant(turn)
        bot = self._open[key]
        parts = replace(
            bot.components,
            understander=_LoggedUnderstander(bot.components.understander, turn),
            actions=_LoggedActions(list(turn.acted)),
            suggester=None,
            log=_LoggedQueue(turn),
        )
        if turn.reply.composer.startswith("generated"):
            parts = replace(parts, composer=_LoggedComposer(turn.reply))
        before = state.from_json(trace.get("before") or {})
        repeated = Assistant(parts).replay(turn.message, before)
        return _comparable(repeated, serialization.trace_json(repeated))

    def _assistant(self, turn: Turn) -> Assistant:
        """Build the assistant that served; raise CarelineError when a part of it is missing."""
        served = turn.versions
        content = (
            content_snapshots.snapshot_folder(self._home.path, served.content)
            if served.content
            else None
        )
        current = (self._home.templates().version, self._home.policy().version)
        if content is None and (served.templates, served.policy) != current:
            message = (
                f"the texts and rules that served ({served.templates}, {served.policy}) were not "
                "kept: restore them in the home to verify this message"
            )
            raise CarelineError(message)
        versions = [version for version in (served.model, served.knowledge) if version]
        bot = self._build(self._home, MemoryLog(), versions, content=content)
        if (bot.served_by().model, bot.served_by().knowledge) != (served.model, served.knowledge):
            parts = replace(
                bot.components,
                knowledge=bot.components.knowledge if served.knowledge else None,
            )
            return Assistant(parts)
        return bot


def _is_redacted(turn: Turn, trace: Mapping[str, Any]) -> bool:
    slots = (trace.get("before") or {}).get("slots", {})
    return any(
        mark in text for text in (turn.message.text, *slots.values()) for mark in _PLACEHOLDERS
    )


def _not_repeated(turn: Turn) -> str | None:
    if turn.reply.composer.startswith("generated"):
        return "generator"
    return "action" if turn.acted else None


class _LoggedUnderstander:
    """Understands a message again, but with the logged state of the promise (void or not)."""

    def __init__(self, understander: MessageUnderstander, logged: Turn) -> None:
        self._understander = understander
        self._void = logged.understanding.promised is PromiseStatus.VOID
        self._logged = logged

    def understand(self, text: str, /, **context: Any) -> Understanding:
        if any(mark in self._logged.message.text for mark in _PLACEHOLDERS):
            return self._logged.understanding  # the original text is no longer available
        understanding = self._understander.understand(text, **context)
        requests = tuple(
            replace(r, promised=self._promised(r.promised)) for r in understanding.requests
        )
        return replace(
            understanding, promised=self._promised(understanding.promised), requests=requests
        )

    def explain(self, text: str, /) -> None:
        del text

    def _promised(self, promised: PromiseStatus) -> PromiseStatus:
        if promised not in {PromiseStatus.KEPT, PromiseStatus.VOID}:
            return promised
        return PromiseStatus.VOID if self._void else PromiseStatus.KEPT


@dataclass(frozen=True)
class _LoggedResponse:
    text: str | None
    template: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    buttons: Sequence[Button] = ()
    continues: bool = False


@dataclass(frozen=True)
class _LoggedOutcome:
    """The logged result of an action."""

    acted: ActionRecord

    @property
    def said(self) -> Sequence[_LoggedResponse]:
        text, buttons = self.acted.text, self.acted.buttons
        return (_LoggedResponse(text, buttons=buttons),) if text or buttons else ()

    @property
    def asks(self) -> str | None:
        return self.acted.asks

    @property
    def failed(self) -> str | None:
        return self.acted.failed

    @property
    def slots(self) -> Mapping[str, str | None]:
        return dict(self.acted.slots)


@dataclass(frozen=True)
class _LoggedActions:
    """Logged actions, which return their logged results in order."""

    remaining: list[ActionRecord]

    def run(self, call: ActionCall, /) -> ActionOutcome:
        if not self.remaining:
            message = f"{call.name} was not run then"
            raise CarelineError(message)
        return _LoggedOutcome(self.remaining.pop(0))

    def stream(self, call: ActionCall, /) -> Generator[ActionResponse, None, ActionOutcome]:
        outcome = self.run(call)
        yield from outcome.said
        return outcome


class _LoggedQueue(MemoryLog):
    """A log with the logged state of the queue."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    def queue_position(self, conversation_id: str) -> int:
        del conversation_id
        return (self._turn.handoff.position if self._turn.handoff else None) or 1

    def is_staffed(self, queue: str, at: datetime) -> bool:
        del queue, at
        return not any(decision.contact for decision in self._turn.decisions)


@dataclass(frozen=True)
class _LoggedComposer:
    """A composer that returns the logged text of a language model."""

    reply: Reply

    def stream(
        self, question: str, hits: Sequence[SearchHit], language: str, is_cancelled: Any, /
    ) -> ReplyTokens:
        del question, hits, language, is_cancelled
        yield self.reply.text
        return self.reply


def _comparable(turn: Turn, trace: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a turn that must be equal: no times, no place in a queue."""
    clean = serialization.without_personal_data(turn)
    return {
        "input_sha256": trace["input_sha256"],
        "understanding": serialization.understanding_json(clean.understanding),
        "requests": trace["requests"],
        "promise": trace["promise"],
        "decisions": trace["decisions"],
        "candidates": trace["candidates"],
        "citations": trace["citations"],
        "reply": turn.reply.text,
        "buttons": [button.payload for button in turn.reply.buttons],
        "slots": [list(slot) for slot in clean.slots],
    }


def _differences(logged: Any, now: Any, path: str = "") -> Iterator[VerificationDifference]:
    if isinstance(logged, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*logged, *now)):
            yield from _differences(logged.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(logged, list) and isinstance(now, list) and len(logged) == len(now):
        for number, (first, second) in enumerate(zip(logged, now, strict=True)):
            yield from _differences(first, second, f"{path}[{number}]")
    elif isinstance(logged, float) and isinstance(now, float):
        if abs(logged - now) > _TOLERANCE * max(1.0, abs(logged)):
            yield VerificationDifference(path, logged, now)
    elif logged != now:
        yield VerificationDifference(path, logged, now)
