"""Plays conversations on a home through the one path of every message, and says what came of them.

    python -m tests.golden.player HOME SCRIPT OUT

reads the conversations of SCRIPT and writes their turns to OUT, both JSONL.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.assistant.pipeline import Assistant
from bot.container import Home, build_assistant
from bot.core.privacy import redact
from bot.core.serialization import to_record, trace_json, turn_json
from bot.core.settings import Settings
from bot.core.types import Message, Turn
from bot.dialogue.state import State
from bot.evaluation.conversation_tests.test_clock import TestActions
from bot.store.in_memory_log import MemoryLog

Json = dict[str, Any]
BETWEEN = timedelta(seconds=10)  # two messages of a customer


@dataclass(frozen=True)
class Script:
    """What a customer writes from a fixed time on; `customer` is who that was proven to be."""

    id: str
    at: str
    texts: list[str] = field(default_factory=list)
    customer: str | None = None


class _Log(MemoryLog):
    """Remembers, as the log of a server does, no personal data of what was said."""

    def append(self, turn: Turn, state: State, before: State | None = None) -> Turn:
        history = tuple(replace(line, text=redact(line.text)) for line in state.history)
        return super().append(turn, replace(state, history=history), before)


def play(home_folder: Path, scripts: Iterable[Script]) -> Iterator[Json]:
    """Yield what came of each message; each conversation has a log and orders of its own."""
    home = Home(Settings.load(home_folder))
    with tempfile.TemporaryDirectory():
        parts = build_assistant(home, MemoryLog()).components
        shop = TestActions(home.path, home.actions(dry=True))
        for script in scripts:
            clock = [datetime.fromisoformat(script.at)]
            actions = shop.at(lambda clock=clock: clock[0])  # type: ignore[misc]
            bot = Assistant(replace(parts, log=_Log(), actions=actions))
            for number, text in enumerate(script.texts):
                clock[0] += BETWEEN
                turn = bot.answer(
                    Message(
                        text,
                        script.id,
                        channel="golden",
                        id=f"{script.id}-{number}",
                        at=clock[0],
                        customer=script.customer,
                    )
                )
                yield _seen(turn, script, number)


def _seen(turn: Turn, script: Script, number: int) -> Json:
    """Return what is compared: nothing that is random, a time, or a number of a model."""
    shown, logged, trace = turn_json(turn), to_record(turn), trace_json(turn)
    reply = shown["reply"]
    return {
        "conversation": script.id,
        "at": script.at,
        **({"customer": script.customer} if script.customer else {}),
        "turn": number,
        "text": script.texts[number],
        **{key: shown[key] for key in ("language", "intent", "route", "reason")},
        "requests": [[r["text"], r["intent"], r["route"]] for r in shown["requests"]],
        "reply": reply["text"],
        "citations": [[c["article"], c["quote"], c["start"], c["end"]] for c in reply["citations"]],
        "buttons": [[b["title"], b["payload"]] for b in reply["buttons"]],
        "related": reply["related"],
        "slots": dict(logged["slots"]),
        "actions": [acted["action"] for acted in logged["acted"]],
        "handoff": _handoff(shown.get("handoff")),
        "shapes": {
            "turn": sorted(set(keys(shown))),
            "logged": sorted(set(keys(logged))),
            "trace": sorted(set(keys(trace))),
        },
    }


def _handoff(found: Json | None) -> list[str] | None:
    return [found["state"], found["queue"]] if found else None


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key in nested values; the entries of a list share one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}".lstrip(".")
            yield from keys(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, f"{path}[]")


def write(rows: Iterable[Json], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def save(scripts: Iterable[Script], path: Path) -> None:
    write(map(asdict, scripts), path)


if __name__ == "__main__":
    place, script_file, out = map(Path, sys.argv[1:])
    write(play(place, (Script(**row) for row in read(script_file))), out)
