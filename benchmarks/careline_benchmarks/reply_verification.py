"""`careline bench verify`: replies reproduced after a restart, and detection of altered rows."""

import shutil
from collections.abc import Iterator
from itertools import islice
from typing import Final

from bot.container import Home, build_assistant
from bot.core.settings import Settings
from bot.core.types import InvalidMessageError, Message, Role
from bot.evaluation.reply_verification import Verifier
from bot.store import audit_ledger, tampering
from bot.training import datasets
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_TURNS: Final = 1000
_ALTERED: Final = 24


def _verified(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Play the home's own dialogs into a new log; open everything again and verify."""
    folder = setting.scratch / "home"
    unneeded = shutil.ignore_patterns("*.db*", ".content", ".tuning*", ".unfinished*")
    shutil.copytree(setting.home.path, folder, ignore=unneeded, symlinks=True)
    home = Home(Settings.load(folder))
    bot = build_assistant(home)
    message_ids: list[str] = []
    for message in islice(_messages(setting.home), _TURNS):
        try:
            message_ids.append(bot.answer(message).message.id)
        except InvalidMessageError:  # an empty line of a transcript
            continue
    home.engine.dispose()
    again = Home(Settings.load(folder))
    if setting.planted:
        tampering.alter_replies(again.engine)
    verifier = Verifier(again, build_assistant)
    outcomes = [verifier.verify(identifier) for identifier in message_ids]
    parts = [difference.part for outcome in outcomes for difference in outcome.differences]
    result.figures["verify"] = {
        "turns": len(outcomes),
        "with personal data removed": sum(outcome.redacted for outcome in outcomes),
        "different parts": {name: parts.count(name) for name in sorted(set(parts))},
    }
    equal = sum(outcome.equal for outcome in outcomes) / max(1, len(outcomes))
    result.bars.append(at_least("verify: replies that come out equal", equal, 1.0))
    whole = audit_ledger.walk(again.engine)
    result.bars.append(
        at_most("verify: altered rows in an untouched log", len(whole.altered + whole.broken), 0)
    )
    missed = sum(_is_missed(again, number) for number in range(_ALTERED))
    result.bars.append(at_most("verify: altered bytes that are not found", missed, 0))
    again.engine.dispose()


def _is_missed(home: Home, number: int) -> bool:
    """Alter one byte of one row, check the log, and restore it."""
    with tampering.altered(home.engine, number):
        return audit_ledger.walk(home.engine).is_whole


def _messages(home: Home) -> Iterator[Message]:
    files = sorted((home.path / "dialogs").glob("*.jsonl*"))
    for conversation in datasets.read_transcripts(files):
        for turn in conversation.turns:
            if turn.role is Role.CUSTOMER:
                yield Message(turn.text, conversation.id)


BENCHMARK: Final = Benchmark({"verify": _verified})
