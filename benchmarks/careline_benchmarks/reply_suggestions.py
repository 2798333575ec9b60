"""`careline bench suggest`: prediction of agents' answers in real conversations.

Conversations are split by their ids. The labels of the templates that agents picked are predicted;
the choice that was offered to them is never read.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from bot.agent_assist.human_replies import HumanReplies, ReplyCase
from bot.agent_assist.reply_features import DialogueLine, is_answer
from bot.core.types import Role
from bot.training.datasets import is_held_back
from careline_benchmarks.harness import Benchmark, BenchmarkContext, BenchmarkReport, at_least
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import SparseIndex

_BASE: Final = "minilm"
_TOP: Final = 3


@dataclass(frozen=True)
class _Data:
    """The cases of both parts, and the encoder with its cache."""

    train: list[ReplyCase]
    test: list[ReplyCase]
    encode: "_Encoder"


class _Encoder:
    """An encoder that encodes each text once."""

    def __init__(self, setting: BenchmarkContext) -> None:
        self._encoder = setting.home.encoder(_BASE)
        self._cache: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._cache]
        if new:
            self._cache.update(zip(new, self._encoder.passages(new), strict=True))
        return np.stack([self._cache[text] for text in texts])


def _read(setting: BenchmarkContext) -> _Data:
    train: list[ReplyCase] = []
    test: list[ReplyCase] = []
    path = setting.file("transcripts", "star_a.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for text in file:
            row = json.loads(text)
            lines = [_line(turn) for turn in row["turns"]]
            part = test if is_held_back(row["id"]) else train
            part += [
                ReplyCase(tuple(lines[:at]), line, row["id"])
                for at, line in enumerate(lines)
                if is_answer(line)
            ]
    return _Data(train, test, _Encoder(setting))


def _line(turn: dict[str, Any]) -> DialogueLine:
    return DialogueLine(Role(turn["role"]), turn["text"], turn.get("label"))


def _words_only(case: ReplyCase) -> ReplyCase:
    """Return the case without actions and without the names of earlier templates."""
    lines = tuple(replace(line, template=None) for line in case.situation)
    return replace(case, situation=tuple(line for line in lines if line.role is not Role.ACTION))


def _without_sense(case: ReplyCase) -> ReplyCase:
    """Return the case as if the conversation were empty."""
    return replace(case, situation=())


def _hits(data: _Data, *, words_only: bool, planted: bool) -> tuple[float, float]:
    """Return how often the template was predicted first, and among the first three."""
    train, test = (
        [_words_only(case) if words_only else case for case in part if case.answer.template]
        for part in (data.train, data.test)
    )
    if planted:
        test = [_without_sense(case) for case in test]
    replies = HumanReplies.fit(train, data.encode)
    scores = replies.predict([case.situation for case in test])[0]
    ranked = np.argsort(-scores, axis=1)[:, :_TOP]
    names = np.array(replies.names)[ranked]
    expected = np.array([case.answer.template for case in test])[:, None]
    return float((names[:, :1] == expected).mean()), float((names == expected).any(axis=1).mean())


def _templates(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    data = _read(setting)
    figures: dict[str, Any] = {"train": len(data.train), "test": len(data.test)}
    for name, words_only, bars in (("history", False, (0.64, 0.86)), ("text", True, (0.54, 0.78))):
        first, three = _hits(data, words_only=words_only, planted=setting.planted)
        figures[name] = {"top1": first, "top3": three}
        result.bars.append(at_least(f"suggest: next template first, {name}", first, bars[0]))
        result.bars.append(at_least(f"suggest: next template in three, {name}", three, bars[1]))
    result.figures["suggest"] = figures


def _retrieval(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare the past answers retrieved by meaning and by BM25 with the real ones.

    BM25 finds the past message most similar to the customer's last one, and repeats its answer.
    """
    data = _read(setting)
    train, test = ([c for c in part if _last_question(c)] for part in (data.train, data.test))
    real = data.encode([case.answer.text for case in test])
    situations = [() if setting.planted else case.situation for case in test]
    replies = HumanReplies.fit(train, data.encode)
    ours = replies.answers[replies.best(situations)]
    index = SparseIndex.build([_last_question(case) for case in train])
    places = [int(index.scores(_last_question(case))[0].argmax()) for case in test]
    theirs = data.encode([train[place].answer.text for place in places])
    by_meaning, by_words = (float((rows * real).sum(axis=1).mean()) for rows in (ours, theirs))
    result.figures["replies"] = {"n": len(test), "ours": by_meaning, "bm25": by_words}
    gain = by_meaning - by_words
    result.bars.append(at_least("suggest: past replies over BM25, cosine", gain, 0.05))


def _last_question(case: ReplyCase) -> str:
    return next((n.text for n in reversed(case.situation) if n.role is Role.CUSTOMER), "")


BENCHMARK: Final = Benchmark({"templates": _templates, "replies": _retrieval})
