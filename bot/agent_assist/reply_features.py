"""Features of moments of conversations, and the similarity of two moments for an agent's answer.

A moment is all that happened before somebody answers. Its parts are compared one by one: the
customer's last message and the earlier ones, the reply before them, an action with its result, the
last speaker; some only count together, such as similar words after the same question.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from math import log
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot.core.types import Role
from knowledge_base.encoders.base_models import Vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats: TypeAlias = NDArray[np.float32]
Encode: TypeAlias = Callable[[Sequence[str]], Vectors]

# The weight of each part: chosen by cross-validation on training conversations.
WEIGHTS: Final[Mapping[str, float]] = {
    "facts": 1.015,
    "words": 0.36,
    "reply words": 0.029,
    "earlier words": 1.063,
    "meaning": 0.699,
    "meaning of the run": 0.769,
    "meaning before": 0.006,
    "meaning so far": 0.078,
    "meaning of replies": 0.875,
    "words after the reply": 0.102,
    "words after the action": 0.233,
    "reply": 0.014,
    "reply after the action": 0.033,
    "shape": 2.538,
    "shape after the reply": 0.079,
    "facts after the reply": 0.033,
    "facts after the action": 0.195,
}
_SHARPNESS: Final = 1.5  # exp(sharpness · (similarity - 1)): favours moments similar in all parts
_DECAY: Final = 0.7  # weight of a message relative to the one after it
_TOKEN: Final = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
_DIGITS: Final = re.compile(r"\d+")
_OUTCOME: Final = re.compile(r"type|status|message|result|code", re.IGNORECASE)
_MAX_VALUE: Final = 30  # characters of a value
_MAX_TURNS: Final = 12  # turns that are counted


@dataclass(frozen=True)
class DialogueLine:
    """One line of a conversation; `template` is the template of an answer made from one."""

    role: Role
    text: str
    template: str | None = None

    @property
    def name(self) -> str:
        """The identity of this answer: its template, else its beginning without figures."""
        return self.template or _plain(self.text)[:40]


Situation: TypeAlias = Sequence[DialogueLine]


def is_answer(line: DialogueLine) -> bool:
    """Return whether somebody answered the customer with this line."""
    return line.role in {Role.AGENT, Role.BOT}


def _plain(text: str) -> str:
    return _DIGITS.sub("0", text.lower().strip())


def _tokens(text: str) -> Iterator[str]:
    words = _TOKEN.findall(text.lower())
    yield from words
    yield from (f"{first} {second}" for first, second in pairwise(words))


@dataclass(frozen=True)
class _Parts:
    """The parts of a moment."""

    messages: list[str]  # by the customer
    run: list[str]  # since the last answer
    answers: list[DialogueLine]
    reply: str
    action: str
    shape: str
    facts: Mapping[str, float]

    @classmethod
    def from_situation(cls, situation: Situation) -> Self:
        messages = [line.text for line in situation if line.role is Role.CUSTOMER]
        answers = [line for line in situation if is_answer(line)]
        tail = list(takewhile(lambda line: not is_answer(line), reversed(situation)))
        run = [line.text for line in tail if line.role is Role.CUSTOMER]
        reply = answers[-1].name if answers else "^"
        last = situation[-1] if situation else None
        outcome_pairs = _flat(last) if last and last.role is Role.ACTION else []
        outcome = [
            f"{k}={v}"
            for k, v in outcome_pairs[:1] + [p for p in outcome_pairs[1:] if _OUTCOME.search(p[0])]
        ]
        return cls(
            messages=messages,
            run=run,
            answers=answers,
            reply=reply,
            action="|".join(outcome) or "none",
            shape="".join(line.role.value[0:2] for line in tail[:4]),
            facts=_facts(situation, answers, messages),
        )


def _flat(line: DialogueLine) -> list[tuple[str, str]]:
    """Return an action's names and values at any depth; invalid JSON is returned as one value."""
    try:
        return list(_pairs("", json.loads(line.text)))
    except ValueError:
        return [("", _plain(line.text)[:_MAX_VALUE])]


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(name, inner)
    else:
        yield name, _plain(str(value))[:_MAX_VALUE]


def _facts(
    situation: Situation, answers: Sequence[DialogueLine], messages: Sequence[str]
) -> dict[str, float]:
    """Return the facts of a moment: answers, actions, and the number of turns."""
    facts: Counter[str] = Counter()
    facts[f"turn {min(len(answers), _MAX_TURNS)}"] = 1
    facts["turns"] = min(len(answers), _MAX_TURNS) / 5  # type: ignore[assignment]
    for age, line in enumerate(reversed(answers)):
        if age < 4:  # noqa: PLR2004
            facts[f"answer {age} {line.name}"] = 1
        facts[f"answered {line.name}"] += _DECAY**age if age else 0  # type: ignore[assignment]
    if len(answers) > 1:
        facts[f"answers {answers[-1].name} {answers[-2].name}"] = 1
    if answers and messages:
        facts[f"{answers[-1].name} > {_plain(messages[-1])[:20]}"] = 1
    actions = [at for at, line in enumerate(situation) if line.role is Role.ACTION]
    facts[f"actions {min(len(actions), 4)}"] = 1
    if actions:
        age = sum(line.role is not Role.ACTION for line in situation[actions[-1] + 1 :])
        phase = "now" if age == 0 else "old"
        facts[f"age {min(age, 4)}"] = 1
        pairs = _flat(situation[actions[-1]])
        name = pairs[0][1] if pairs else ""
        for key, value in pairs:
            facts[f"{phase} {key}"] = 1
            facts[f"{phase} {key}={value}"] = 1
            if _OUTCOME.search(key):
                facts[f"{phase} {name}: {key}={value}"] = 1
        facts[f"{phase} {name} {answers[-1].name if answers else '^'}"] = 1
    if situation:
        facts[f"last {situation[-1].role}"] = 1
    return dict(facts)


@dataclass(frozen=True)
class FeatureBags:
    """Bags of names as rows of length 1, weighted by the rarity of a name."""

    places: Mapping[str, int]
    weights: Floats

    @classmethod
    def fit(cls, bags: Sequence[Mapping[str, float]], min_count: int, floor: float) -> Self:
        """Learn the names that occur in at least so many bags, and their weights."""
        document_counts = Counter(name for bag in bags for name in bag)
        names = sorted(name for name, count in document_counts.items() if count >= min_count)
        weights = [log((len(bags) + 1) / (document_counts[name] + 1)) + floor for name in names]
        return cls({name: n for n, name in enumerate(names)}, np.array(weights, dtype=np.float32))

    def rows(self, bags: Sequence[Mapping[str, float]]) -> "csr_matrix":
        """Return a row per bag; unknown names are left out."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        entries = [
            (row, self.places[name], count * self.weights[self.places[name]])
            for row, bag in enumerate(bags)
            for name, count in bag.items()
            if name in self.places
        ]
        rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
        shape = (len(bags), max(len(self.places), 1))
        return normalize(csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32))


def _bag(texts: Iterable[str]) -> dict[str, float]:
    counts = Counter(token for text in texts for token in _tokens(text))
    return {token: 1.0 + log(count) for token, count in counts.items()}


_BAGS: Final[Mapping[str, Callable[[_Parts], Mapping[str, float]]]] = {
    "facts": lambda p: p.facts,
    "words": lambda p: _bag(p.messages[-1:]),
    "reply words": lambda p: _bag([p.answers[-1].text] if p.answers else []),
    "earlier words": lambda p: _bag(p.messages[-5:-1]),
}
_KEYS: Final[Mapping[str, Callable[[_Parts], str]]] = {
    "reply": lambda p: p.reply,
    "action": lambda p: p.action,
    "shape": lambda p: p.shape,
}


@dataclass(frozen=True)
class MomentFeatures:
    """Moments as numbers: rows of bags, unit vectors, and keys."""

    bags: Mapping[str, "csr_matrix"]
    meanings: Mapping[str, Floats]
    keys: Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True)
class MomentEncoder:
    """Converts moments into numbers, as learnt from past ones."""

    encode: Encode
    bags: Mapping[str, FeatureBags]
    centres: Mapping[str, Floats]

    @classmethod
    def fit(cls, situations: Sequence[Situation], encode: Encode) -> Self:
        """Learn names, their weights, and the mean of each meaning."""
        parts = [_Parts.from_situation(situation) for situation in situations]
        bags = {
            name: FeatureBags.fit(
                [extract(p) for p in parts], *((1, 0.3) if name == "facts" else (2, 1.0))
            )
            for name, extract in _BAGS.items()
        }
        meanings = _meanings(parts, encode)
        return cls(encode, bags, {name: rows.mean(axis=0) for name, rows in meanings.items()})

    def encode_moments(self, situations: Sequence[Situation]) -> MomentFeatures:
        """Return the features of moments."""
        parts = [_Parts.from_situation(situation) for situation in situations]
        centred = {n: rows - self.centres[n] for n, rows in _meanings(parts, self.encode).items()}
        return MomentFeatures(
            {name: self.bags[name].rows([get(p) for p in parts]) for name, get in _BAGS.items()},
            {name: _unit(rows) for name, rows in centred.items()},
            {name: np.array([get(p) for p in parts]) for name, get in _KEYS.items()},
        )


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def _meanings(parts: Sequence[_Parts], encode: Encode) -> dict[str, Floats]:
    """Return the vectors of the messages; each text is encoded once, no text gives zeros."""
    texts = sorted({t for p in parts for t in (*p.messages, *(line.text for line in p.answers))})
    vectors = dict(zip(texts, encode(texts), strict=True)) if texts else {}
    nothing = np.zeros_like(next(iter(vectors.values()))) if vectors else np.zeros(1, np.float32)

    def mean(texts: Sequence[str], decay: float = 1.0) -> Floats:
        total = nothing.copy()
        for age, text in enumerate(reversed(texts)):
            total += vectors[text] * np.float32(decay**age)
        return total

    averages: dict[str, Callable[[_Parts], Floats]] = {
        "meaning": lambda p: mean(p.messages[-1:]),
        "meaning of the run": lambda p: mean(p.run),
        "meaning before": lambda p: mean(p.messages[-2:-1]),
        "meaning so far": lambda p: mean(p.messages, _DECAY),
        "meaning of replies": lambda p: mean([line.text for line in p.answers], _DECAY),
    }
    return {name: np.stack([average(p) for p in parts]) for name, average in averages.items()}


def similarity(first: MomentFeatures, second: MomentFeatures) -> Floats:
    """Return the similarity of moments, above 0 and up to 1, shape (len(first), len(second))."""
    parts: dict[str, Floats] = {
        name: np.asarray((rows @ second.bags[name].T).todense(), dtype=np.float32)
        for name, rows in first.bags.items()
    }
    parts |= {name: rows @ second.meanings[name].T for name, rows in first.meanings.items()}
    same = {
        name: (keys[:, None] == second.keys[name][None, :]).astype(np.float32)
        for name, keys in first.keys.items()
    }
    text = 0.5 * parts["words"] + 0.5 * np.maximum(parts["meaning"], 0.0)
    parts |= {
        "words after the reply": same["reply"] * text,
        "words after the action": same["action"] * text,
        "reply": same["reply"],
        "reply after the action": same["reply"] * same["action"],
        "shape": same["shape"],
        "shape after the reply": same["shape"] * same["reply"],
        "facts after the reply": same["reply"] * parts["facts"],
        "facts after the action": same["action"] * parts["facts"],
    }
    total = np.zeros_like(text)
    for name, weight in WEIGHTS.items():
        total += np.float32(weight) * parts[name]
    return np.asarray(np.exp(_SHARPNESS * (total / sum(WEIGHTS.values()) - 1.0)), dtype=np.float32)


def mean_similarity(similarity_: float) -> float:
    """Return the mean similarity of the parts, 0 to 1, behind a similarity of moments."""
    return min(max(log(max(similarity_, 1e-9)) / _SHARPNESS + 1.0, 0.0), 1.0)
