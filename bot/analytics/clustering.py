"""Clusters of texts with the same meaning, and names for them."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms
from knowledge_base.text.chinese import simplified

Encode = Callable[[Sequence[str]], Vectors]
# Questions with nothing in common: their mean is where all vectors of a language are centred.
_BACKGROUND: Final = {
    "en": (
        "how tall is the oldest tree", "when does the train leave", "who painted this picture",
        "can I borrow your ladder", "what does the word mean", "is the soup still warm",
        "where did the meeting take place", "I lost the match yesterday", "please call my sister",
        "how do bees make honey", "why was the road closed", "the printer makes a noise",
    ),
    "zh": (
        "最老的树有多高", "火车几点开", "这幅画是谁画的", "能借我梯子吗", "这个词是什么意思",
        "汤还热吗", "会议在哪里举行", "我昨天输了比赛", "请给我姐姐打电话", "蜜蜂怎么酿蜜",
        "这条路为什么封了", "打印机有噪音",
    ),
}  # fmt: skip
_MAX_TERMS: Final = 3
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_RUN: Final = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)?")
_MIN_LETTERS: Final = 3  # of a word in a name
_CONTENT_TAGS: Final = frozenset("nva")  # tags of nouns, verbs, adjectives begin with these
_BLOCK: Final = 512


def origin(rows: Vectors, language: str, encode: Encode) -> Vectors:
    """Return the common component of a language's vectors, shape (d,).

    Some encoders put any two texts close to each other; without the background a handful of texts
    would form one group, or, centred on their own mean, none.
    """
    background = encode(_BACKGROUND.get(language, _BACKGROUND["en"]))
    return np.asarray(np.concatenate([rows, background]).mean(axis=0), dtype=np.float32)


def centre_rows(rows: Vectors, origin: Vectors) -> Vectors:
    """Return unit vectors from the origin to the rows, without the common component."""
    moved = rows - origin
    lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-9), dtype=np.float32)


def sort_by_typicality(rows: Vectors, members: NDArray[np.int64]) -> list[int]:
    """Return the members of a group, the one closest to their mean first."""
    centre = rows[members].mean(axis=0)
    return [int(n) for n in members[np.argsort(-(rows[members] @ centre), kind="stable")]]


def cluster_rows(rows: Vectors, min_cosine: float) -> list[NDArray[np.int64]]:
    """Return groups of rows by average linkage, each sorted; rows (n, d) are unit vectors.

    The mean cosine of two groups is that of their sums, so no n² table is needed: pairs are read
    block by block, closest first, and their current groups are joined where they still fit.
    """
    sums = {n: rows[n].astype(np.float64) for n in range(len(rows))}
    members = {n: [n] for n in range(len(rows))}
    group = list(range(len(rows)))
    for first, second in _links(rows, min_cosine):
        first_group, second_group = sorted((group[first], group[second]))
        if first_group == second_group:
            continue
        mean = float(sums[first_group] @ sums[second_group]) / (
            len(members[first_group]) * len(members[second_group])
        )
        if mean < min_cosine:
            continue
        sums[first_group] += sums.pop(second_group)
        moved = members.pop(second_group)
        members[first_group] += moved
        for row in moved:
            group[row] = first_group
    return [np.array(sorted(rows_of_group)) for rows_of_group in members.values()]


def _links(rows: Vectors, min_cosine: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs with a cosine of at least `min_cosine`, closest first."""
    parts = []
    for at in range(0, len(rows), _BLOCK):
        cosines = rows[at : at + _BLOCK] @ rows.T
        firsts, seconds = np.nonzero(cosines >= min_cosine)
        later = at + firsts < seconds
        firsts, seconds = firsts[later], seconds[later]
        close = np.round(cosines[firsts, seconds], 5)
        parts.append((close, (at + firsts).astype(np.int32), seconds.astype(np.int32)))
    close, firsts, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    for n in np.lexsort((seconds, firsts, -close)):
        yield int(firsts[n]), int(seconds[n])


class ClusterNamer:
    """Names for groups: words that most texts of a group share and few others have."""

    def __init__(self, texts: Sequence[str], conversations: Sequence[Collection[str]]) -> None:
        """Count the words of all texts; `conversations` are those in which each text occurs."""
        self._words = [_words(text) for text in texts]
        self._conversations = conversations
        self._document_counts = Counter(term for words in self._words for term in words)

    def name(self, members: Sequence[int], typical: str, min_conversations: int) -> str:
        """Return a name, written as in most of the texts, in the order of a typical text.

        A word must occur in two texts and in `min_conversations` conversations: a name must not
        reveal anything about a person. It is empty where the texts share no such word.
        """
        own = [self._words[n] for n in members]
        counts = Counter(term for words in own for term in words)
        conversations_of: defaultdict[str, set[str]] = defaultdict(set)
        for n in members:
            for term in self._words[n]:
                conversations_of[term].update(self._conversations[n])
        total = len(self._words)
        scores = {
            term: n / len(own) * log(1.0 + total / self._document_counts[term])
            for term, n in counts.items()
            if len(conversations_of[term]) >= min_conversations and (n > 1 or len(own) == 1)
        }
        # One Chinese character alone says little; it is used only where there is nothing longer.
        best = sorted(scores, key=lambda term: (len(term) == 1, -scores[term], term))[:_MAX_TERMS]
        best = [term for term in best if len(term) > 1] or best
        order = list(_words(typical))
        best.sort(key=lambda term: order.index(term) if term in order else len(order))
        return " ".join(self._as_written(term, own) for term in best)

    @staticmethod
    def _as_written(term: str, texts: Sequence[dict[str, str]]) -> str:
        return Counter(words[term] for words in texts if term in words).most_common(1)[0][0]


def _words(text: str) -> dict[str, str]:
    """Return the content words of a text: each term, and its written form."""
    import rjieba
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words: dict[str, str] = {}
    for run in _RUN.findall(simplified(text)):
        if _HAN.match(run):
            for word, tag in rjieba.tag(run):
                if tag[0] in _CONTENT_TAGS:
                    words.setdefault(word, word)
        elif len(run) >= _MIN_LETTERS and run.isalpha() and run.lower() not in ENGLISH_STOP_WORDS:
            words.setdefault(" ".join(terms(run)) or run.lower(), run.lower())
    return words
