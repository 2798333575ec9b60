"""Verifying a reply: what is deterministic is done again, under the versions that served it.

Not repeated are what acts (orders are not cancelled twice) and what a language model wrote: of that
the words are taken from the log, and everything around them is compared.
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
from bot.dialogue import state as states
from bot.dialogue.policy import Policy
from bot.dialogue.templates import Templates
from bot.store import audit_ledger, content_snapshots
from bot.store.in_memory_log import MemoryLog
from bot.store.read_model import ConversationReader
from knowledge_base.documents import SearchHit

if TYPE_CHECKING:
    from bot.store.database import Engine

_CLOSE: Final = 1e-3  # scores: a batch of another size is rounded differently
_PERSONAL: Final = ("[email]", "[card]", "[phone]")


@dataclass(frozen=True)
class VerificationDifference:
    """A part of the turn that came out otherwise; `part` is a path into the trace."""

    part: str
    logged: Any
    now: Any


@dataclass(frozen=True)
class VerificationResult:
    """What came of doing a turn again.

    `unaltered` tells whether its rows are those that were written, None where they have no entry
    in the chain. `redacted` tells that the message had personal data, which is gone from the log:
    what was understood of it is taken from there, and everything that follows is done again.
    """

    message_id: str
    differences: tuple[VerificationDifference, ...]
    unaltered: bool | None
    redacted: bool
    not_repeated: str | None  # "action" or "generator"

    @property
    def equal(self) -> bool:
        """Return whether everything came out as it was logged, from rows that nobody altered."""
        return not self.differences and self.unaltered is not False


class LoggedHome(Protocol):
    """What is needed of a home: its log, its folder and its present content."""

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
    """Does turns again; assistants of the versions met are kept open."""

    def __init__(self, home: LoggedHome, build: AssistantBuilder) -> None:
        """Take a home, whose log must be migrated, and the function that builds assistants."""
        self._home = home
        self._build = build
        self._reader = ConversationReader(home.engine)
        self._open: dict[tuple[str | None, ...], Assistant] = {}

    def verify(self, message_id: str) -> VerificationResult:
        """Do a message's turn again, found by its id or that of its reply.

        Raises NotFoundError for an unknown id and CarelineError when a version is gone.
        """
        record, trace = self._reader.turn(message_id)
        turn = serialization.from_record(record)
        again = self._again(turn, trace)
        return VerificationResult(
            message_id=turn.message.id,
            differences=tuple(_differences(_comparable(turn, trace), again)),
            unaltered=audit_ledger.is_unaltered(self._home.engine, turn.message.id),
            redacted=_is_redacted(turn, trace),
            not_repeated=_not_repeated(turn),
        )

    def _again(self, turn: Turn, trace: Mapping[str, Any]) -> dict[str, Any]:
        served = turn.versions
        key = (served.model, served.knowledge, served.content)
        if key not in self._open:
            self._open[key] = self._assistant(turn)
        bot = self._open[key]
        parts = replace(
            bot.components,
            understander=_AsItWas(bot.components.understander, turn),
            actions=_Done(list(turn.acted)),
            suggester=None,
            log=_AsItStood(turn),
        )
        if turn.reply.composer.startswith("generated"):
            parts = replace(parts, composer=_Said(turn.reply))
        before = states.from_json(trace.get("before") or {})
        done = Assistant(parts).replay(turn.message, before)
        return _comparable(done, serialization.trace_json(done))

    def _assistant(self, turn: Turn) -> Assistant:
        """Build the assistant that served; raise CarelineError when a part of it is gone."""
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
        wanted = [version for version in (served.model, served.knowledge) if version]
        bot = self._build(self._home, MemoryLog(), wanted, content=content)
        if (bot.served_by().model, bot.served_by().knowledge) != (served.model, served.knowledge):
            parts = replace(
                bot.components,
                knowledge=bot.components.knowledge if served.knowledge else None,
            )
            return Assistant(parts)
        return bot


def _is_redacted(turn: Turn, trace: Mapping[str, Any]) -> bool:
    slots = (trace.get("before") or {}).get("slots", {})
    return any(mark in text for text in (turn.message.text, *slots.values()) for mark in _PERSONAL)


def _not_repeated(turn: Turn) -> str | None:
    if turn.reply.composer.startswith("generated"):
        return "generator"
    return "action" if turn.acted else None


class _AsItWas:
    """Understands as before; whether the promise was void depended on the messages of that day."""

    def __init__(self, understander: MessageUnderstander, logged: Turn) -> None:
        self._understander = understander
        self._void = logged.understanding.promised is PromiseStatus.VOID
        self._logged = logged

    def understand(self, text: str, /, **context: Any) -> Understanding:
        if any(mark in self._logged.message.text for mark in _PERSONAL):
            return self._logged.understanding  # what was read then is no longer there to be read
        found = self._understander.understand(text, **context)
        requests = tuple(replace(r, promised=self._promised(r.promised)) for r in found.requests)
        return replace(found, promised=self._promised(found.promised), requests=requests)

    def explain(self, text: str, /) -> None:
        del text

    def _promised(self, found: PromiseStatus) -> PromiseStatus:
        if found not in {PromiseStatus.KEPT, PromiseStatus.VOID}:
            return found
        return PromiseStatus.VOID if self._void else PromiseStatus.KEPT


@dataclass(frozen=True)
class _Spoken:
    text: str | None
    template: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    buttons: Sequence[Button] = ()
    continues: bool = False


@dataclass(frozen=True)
class _Outcome:
    """What came of an action."""

    acted: ActionRecord

    @property
    def said(self) -> Sequence[_Spoken]:
        text, buttons = self.acted.text, self.acted.buttons
        return (_Spoken(text, buttons=buttons),) if text or buttons else ()

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
class _Done:
    """Actions that were done: they say and set what they said and set, in order."""

    left: list[ActionRecord]

    def run(self, call: ActionCall, /) -> ActionOutcome:
        if not self.left:
            message = f"{call.name} was not run then"
            raise CarelineError(message)
        return _Outcome(self.left.pop(0))

    def stream(self, call: ActionCall, /) -> Generator[ActionResponse, None, ActionOutcome]:
        outcome = self.run(call)
        yield from outcome.said
        return outcome


class _AsItStood(MemoryLog):
    """A log that knows of the queue what was so then."""

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
class _Said:
    """A composer that says what a language model said."""

    reply: Reply

    def stream(
        self, question: str, hits: Sequence[SearchHit], language: str, gone: Any, /
    ) -> ReplyTokens:
        del question, hits, language, gone
        yield self.reply.text
        return self.reply


def _comparable(turn: Turn, trace: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a turn must be equal in: no times, no place in a queue, nothing learnt since."""
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
        for number, (one, other) in enumerate(zip(logged, now, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif isinstance(logged, float) and isinstance(now, float):
        if abs(logged - now) > _CLOSE * max(1.0, abs(logged)):
            yield VerificationDifference(path, logged, now)
    elif logged != now:
        yield VerificationDifference(path, logged, now)
