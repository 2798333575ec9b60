"""The benchmark of suggested questions: whether customers ask them next."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot.assistant.question_suggestions import QuestionSuggester, distinct
from bot.core.types import OUT_OF_SCOPE, CarelineError
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport, at_least

_OFFERED: Final = 3
_DEMO: Final = ("en.jsonl", "zh.jsonl", "held_out.jsonl")

Session = tuple[str, tuple[str, ...]]  # a conversation's id and its intents in order
Step = tuple[tuple[str, ...], str]  # the questions so far, and the next other question


def next_questions(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare suggestions with the three most popular questions, on held-back conversations.

    Small talk and out-of-scope messages cannot be suggested, so they are excluded on both sides.
    The limit is on the home's dialogs. The services' dialogs of the real data have so few intents
    that three always hit; their figures are only reported.
    """
    folder = setting.home.path / "dialogs"
    demo = _read([folder / name for name in _DEMO if (folder / name).exists()])
    if not any(map(_is_test, demo)):
        message = f"there are no held-back dialogs in {folder}: give --home the demo's folder"
        raise CarelineError(message)
    figures = {"dialogs": _measure(demo, setting)}
    services = setting.data / "transcripts" / "sgd_a.jsonl.gz"
    if services.exists():
        figures["services"] = _measure(_read([services]), setting)
    result.figures["suggestions"] = figures
    dialogs = figures["dialogs"]
    ratio = dialogs["hit@3"] / dialogs["popular"] if dialogs["popular"] else float("nan")
    result.bars.append(at_least("suggestions: hit@3 over most popular", ratio, 2.0))


def _measure(sessions: Sequence[Session], setting: BenchmarkContext) -> dict[str, float]:
    """Fit on the training part, and count hits on the test part."""
    content = setting.home.policy().content
    small_talk = content.small_talk({item for _, items in sessions for item in items})
    learnt = [items for name, items in sessions if not _is_test((name, items))]
    suggester = QuestionSuggester.fit(learnt, never={*small_talk, OUT_OF_SCOPE})
    ranked = sorted(suggester.popular, key=lambda item: (-suggester.popular[item], item))
    favourites = set(ranked[:_OFFERED])
    steps = [step for s in sessions if _is_test(s) for step in _steps(s[1], suggester.never)]
    if setting.planted:  # suggestions that know nothing of what was asked
        suggester = QuestionSuggester({}, {}, suggester.popular)
    hits = sum(
        next_question in suggester.suggest(questions, _OFFERED)
        for questions, next_question in steps
    )
    popular = sum(next_question in favourites for _, next_question in steps)
    n = max(len(steps), 1)
    return {"n": len(steps), "hit@3": hits / n, "popular": popular / n}


def _steps(items: Sequence[str], never: frozenset[str]) -> Iterator[Step]:
    questions = distinct([item for item in items if item not in never])
    for at in range(1, len(questions)):
        if questions[at] not in questions[:at]:
            yield tuple(questions[:at]), questions[at]


def _is_test(session: Session) -> bool:
    return int(hashlib.sha256(session[0].encode()).hexdigest()[:8], 16) % 5 == 0


def _read(paths: Sequence[Path]) -> list[Session]:
    return [session for path in paths for session in _sessions(path)]


def _sessions(path: Path) -> Iterator[Session]:
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            intents = (t.get("intent") for t in row["turns"] if t["role"] == "customer")
            yield row["id"], tuple(intent for intent in intents if intent)
