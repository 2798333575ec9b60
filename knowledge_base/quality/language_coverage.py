"""Which articles exist in one language only."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from knowledge_base.documents import Chunk, Document
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.quality import near_duplicates

_HAN = re.compile(r"[\u3400-\u9fff]")
_CODE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")
_SHARE: Final = 0.1  # of all articles make a language one of the business's


@dataclass(frozen=True)
class MissingTranslation:
    """An article without a counterpart in a language; `nearest` is what comes closest there."""

    article: str
    language: str
    nearest: str | None = None
    score: float = 0.0


def of_passage(chunk: Chunk) -> str:
    """Return the language a passage is in; by its script where nobody said."""
    return chunk.language or ("zh" if _HAN.search(chunk.text) else "en")


def gaps(
    documents: Sequence[Document], chunks: Sequence[Chunk], vectors: Vectors
) -> Iterator[MissingTranslation]:
    """Yield the articles that a language of the business lacks.

    Where folders name languages (`en/returns.md`, `zh/returns.md`), paths tell. Elsewhere tags do,
    and where there are none the vectors, shape (n, d), of the chunks: a translation and its
    original are each other's nearest, and an article that has no such partner is alone.
    """
    spoken = _spoken(documents, chunks)
    counts = Counter(spoken.values())
    wanted = sorted(lang for lang, n in counts.items() if n >= max(1.0, _SHARE * len(documents)))
    if len(wanted) < 2:  # noqa: PLR2004 — one language lacks nothing
        return
    laid = {document.id: _laid(document.id) for document in documents}
    folders = {place[0] for place in laid.values() if place}
    there = {place for place in laid.values() if place}
    loose: list[Document] = []
    for document in documents:
        place = laid[document.id]
        if place is None or len(folders) < 2:  # noqa: PLR2004
            loose.append(document)
            continue
        for language in sorted(folders - {place[0]}):
            if (language, place[1]) not in there:
                yield MissingTranslation(document.id, language)
    if len(folders) > 1 and len(loose) < len(documents) / 2:
        return  # where folders are the rule, what lies beside them is for all
    yield from _by_meaning(loose, spoken, wanted, _means(loose, chunks, vectors))


def _laid(identifier: str) -> tuple[str, str] | None:
    """Return the language a path names and the path without it and without its ending."""
    parts = PurePosixPath(identifier.partition("#")[0]).parts
    for at, part in enumerate(parts[:-1]):
        if _CODE.fullmatch(part):
            rest = PurePosixPath(*parts[:at], *parts[at + 1 :]).with_suffix("")
            row = identifier.partition("#")[2]
            return part.lower(), f"{rest}#{row}" if row else str(rest)
    return None


def _spoken(documents: Sequence[Document], chunks: Sequence[Chunk]) -> dict[str, str]:
    by_chunk = {chunk.article: of_passage(chunk) for chunk in reversed(chunks)}
    return {d.id: d.language or by_chunk.get(d.id, "en") for d in documents}


def _by_meaning(
    loose: Sequence[Document],
    spoken: dict[str, str],
    wanted: Sequence[str],
    means: dict[str, Vectors],
) -> Iterator[MissingTranslation]:
    """Yield articles that are not the nearest one of the article nearest to them."""
    tagged: dict[str, set[frozenset[str]]] = defaultdict(set)
    by_language: dict[str, list[str]] = defaultdict(list)
    for document in loose:
        tagged[spoken[document.id]].add(frozenset(document.tags))
        if document.id in means:
            by_language[spoken[document.id]].append(document.id)
    tags = {document.id: frozenset(document.tags) for document in loose}
    rows = {name: _centred([means[i] for i in ids]) for name, ids in by_language.items()}
    for language in (name for name in wanted if name in rows):
        there = by_language[language]
        for own in (name for name in wanted if name in rows and name != language):
            near, scores = near_duplicates.best(rows[own], rows[language])
            back, _ = near_duplicates.best(rows[language], rows[own])
            for at, article in enumerate(by_language[own]):
                if tags[article] and tags[article] in tagged[language]:
                    continue
                if back[near[at]] != at:
                    yield MissingTranslation(
                        article, language, there[near[at]], round(float(scores[at]), 4)
                    )


def _centred(means: Sequence[Vectors]) -> Vectors:
    """Return unit vectors from the mean of a language: what its articles have in common goes."""
    rows = np.stack(means)
    if len(rows) > 1:
        rows = rows - rows.mean(axis=0)
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32
    )


def _means(
    documents: Sequence[Document], chunks: Sequence[Chunk], vectors: Vectors
) -> dict[str, Vectors]:
    """Return the mean of each article's passages."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, chunk in enumerate(chunks):
        rows[chunk.article].append(row)
    return {d.id: vectors[rows[d.id]].mean(axis=0) for d in documents if rows[d.id]}
