"""Replays of past conversations: metrics, and today's replies.

Each customer turn is answered in its logged context: after our own answer the state gets the
logged reply, so that one difference does not affect the rest of a conversation.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console
from rich.progress import Progress

from bot.assistant.pipeline import Assistant
from bot.core.types import InvalidMessageError, Message, Role, Route, Turn
from bot.dialogue.handoff import Assignment
from bot.dialogue.state import State, Utterance
from bot.training import datasets
from bot.training.datasets import Conversation, LoggedTurn
from knowledge_base.index.sparse import terms

_MAX_DIFFERENCES: Final = 200  # in the report
_MAX_TEXT: Final = 300
_MIN_AGREEMENT: Final = 0.5  # F1 of the shared terms of two equivalent replies


class States(Protocol):
    """The log of a replay, to which it writes the logged state of a conversation."""

    states: dict[str, State]
    turns: list[Turn]


@dataclass(frozen=True)
class ReplayDifference:
    """A turn whose intent or route is not the annotated one."""

    conversation: str
    text: str
    wanted_intent: str | None
    intent: str | None
    wanted_route: str | None
    route: str
    reply: str


@dataclass
class ReplayResult:
    """Counts of one replay; memory does not grow with the number of conversations."""

    conversations: int = 0
    customer_turns: int = 0
    errors: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    by_language: dict[str, Counter[str]] = field(default_factory=dict)
    intents: Counter[bool] = field(default_factory=Counter)
    routes_right: Counter[bool] = field(default_factory=Counter)
    agreement: list[float] = field(default_factory=lambda: [0.0, 0.0])  # sum, count
    needed: Counter[bool] = field(default_factory=Counter)  # needs a human: handed off?
    unneeded: Counter[bool] = field(default_factory=Counter)  # needs none: handed off?
    escalated: int = 0
    seconds: float = 0.0
    differences: list[ReplayDifference] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the public JSON; a rate with nothing to measure is None."""
        total, count = self.agreement
        return {
            "conversations": self.conversations,
            "customer_turns": self.customer_turns,
            "routes": dict(self.routes),
            "intent": _accuracy(self.intents),
            "route": _accuracy(self.routes_right),
            "reply_agreement": total / count if count else None,
            "handoff": {
                "needed": sum(self.needed.values()),
                "recall": _accuracy(self.needed)["accuracy"],
                "unneeded": _accuracy(self.unneeded)["accuracy"],
            },
            "escalated": self.escalated,
            "errors": self.errors,
            "turns_per_second": self.customer_turns / self.seconds if self.seconds else None,
            "by_language": {
                code: {
                    "intent": _share(counts, "intent"),
                    "route": _share(counts, "route"),
                    "customer_turns": counts["turns"],
                }
                for code, counts in sorted(self.by_language.items())
            },
        }


def _accuracy(counts: Counter[bool]) -> dict[str, Any]:
    n = sum(counts.values())
    return {"n": n, "accuracy": counts[True] / n if n else None}


def _share(counts: Counter[str], name: str) -> float | None:
    n = counts[f"{name}_n"]
    return counts[f"{name}_right"] / n if n else None


def conversations_of(files: Sequence[Path] | None, dialogs: Path) -> Iterator[Conversation]:
    """Yield the conversations of files, or the held-back ones of a home's dialogs."""
    if files:
        yield from datasets.read_transcripts(files)
        return
    kinds = (".jsonl", ".jsonl.gz")
    own = sorted(path for path in dialogs.glob("*") if path.name.endswith(kinds))
    for conversation in datasets.read_transcripts(own):
        if datasets.is_held_back(conversation.id):
            yield conversation


def replay(
    conversations: Iterable[Conversation],
    assistant: Assistant,
    log: States,
    *,
    progress: bool = False,
) -> ReplayResult:
    """Run conversations through an assistant whose log is `log`."""
    result = ReplayResult()
    started = time.perf_counter()
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task("replaying", total=None)
        for conversation in conversations:
            _replay_one(conversation, assistant, log, result)
            bar.update(task, advance=1)
    result.seconds = time.perf_counter() - started
    return result


def _replay_one(
    conversation: Conversation, assistant: Assistant, log: States, result: ReplayResult
) -> None:
    result.conversations += 1
    key = f"replay-{conversation.id}"
    handed_off = False
    for number, turn in enumerate(conversation.turns):
        if turn.role is not Role.CUSTOMER:
            continue
        log.states[key] = _as_logged(log.states.get(key), conversation.turns[:number])
        answered = _answer(assistant, key, turn, result)
        if answered is None:
            continue
        reply = next((t for t in conversation.turns[number + 1 : number + 2]), None)
        _count(conversation, turn, reply, answered, result)
        handed_off = handed_off or any(d.route is Route.HANDOFF for d in answered.decisions)
    log.states.pop(key, None)
    log.turns.clear()
    result.escalated += handed_off
    if conversation.needs_human is not None:
        (result.needed if conversation.needs_human else result.unneeded)[handed_off] += 1


def _answer(assistant: Assistant, key: str, turn: LoggedTurn, result: ReplayResult) -> Turn | None:
    """Answer one turn; a refused message counts as an error only when it has text."""
    try:
        answered = assistant.answer(Message(turn.text, key, channel="replay"))
    except InvalidMessageError:
        result.errors += bool(turn.text.strip())
        return None
    result.errors += answered.decision.reason == "error"
    return answered


def _as_logged(state: State | None, turns: Sequence[LoggedTurn]) -> State:
    """Return the state with the logged history, and the bot as the owner."""
    history = tuple(
        Utterance(turn.role, turn.text) for turn in turns if turn.role is not Role.ACTION
    )
    return replace(state or State(), history=history[-12:], assignment=Assignment())


def _count(
    conversation: Conversation,
    logged: LoggedTurn,
    reply: LoggedTurn | None,
    turn: Turn,
    result: ReplayResult,
) -> None:
    result.customer_turns += 1
    result.routes[turn.decision.route.value] += 1
    counts = result.by_language.setdefault(
        conversation.language or turn.understanding.language, Counter()
    )
    counts["turns"] += 1
    # A greeting before a question is not what the message is about.
    decision = next((d for d in turn.decisions if d.reason != "smalltalk"), turn.decision)
    intent = decision.intent or turn.understanding.intent
    wrong = False
    if logged.intent is not None:
        right = intent == logged.intent
        result.intents[right] += 1
        counts["intent_n"] += 1
        counts["intent_right"] += right
        wrong = not right
    if logged.route is not None:
        right = decision.route.value == logged.route
        result.routes_right[right] += 1
        counts["route_n"] += 1
        counts["route_right"] += right
        wrong = wrong or not right
    if reply is not None and reply.role in {Role.BOT, Role.AGENT} and reply.text.strip():
        result.agreement[0] += _agree(turn.reply.text, reply.text)
        result.agreement[1] += 1
    if wrong and len(result.differences) < _MAX_DIFFERENCES:
        result.differences.append(
            ReplayDifference(
                conversation.id,
                logged.text[:_MAX_TEXT],
                logged.intent,
                intent,
                logged.route,
                turn.decision.route.value,
                turn.reply.text[:_MAX_TEXT],
            )
        )


def _agree(ours: str, theirs: str) -> bool:
    """Return whether two replies share most of their terms (F1 of the sets)."""
    our_terms, their_terms = set(terms(ours)), set(terms(theirs))
    if not our_terms or not their_terms:
        return our_terms == their_terms
    return 2 * len(our_terms & their_terms) / (len(our_terms) + len(their_terms)) >= _MIN_AGREEMENT
