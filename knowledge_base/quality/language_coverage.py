"""Detection of articles that are missing in one of the languages."""

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
_MIN_SHARE: Final = 0.1  # share of the articles from which a language counts as supported


@dataclass(frozen=True)
class MissingTranslation:
    """An article without a counterpart in a language; `nearest` is the closest article there."""

    article: str
    language: str
    nearest: str | None = None
    score: float = 0.0


def passage_language(chunk: Chunk) -> str:
    """Return the language of a passage, guessed from its script where it is not declared."""
    return chunk.language or ("zh" if _HAN.search(chunk.text) else "en")


def find_missing(
    documents: Sequence[Document], chunks: Sequence[Chunk], vectors: Vectors
) -> Iterator[MissingTranslation]:
    """Yield the articles that are missing in a supported language.

    Folders that name languages (`en/returns.md`, `zh/returns.md`) decide where there are any, then
    tags. Where there are neither, the vectors of the chunks decide, shape (n, d): a translation and
    its original are each other's nearest, so an article without such a partner has no translation.
    """
    languages = _languages(documents, chunks)
    counts = Counter(languages.values())
    supported = sorted(
        lang for lang, n in counts.items() if n >= max(1.0, _MIN_SHARE * len(documents))
    )
    if len(supported) < 2:  # noqa: PLR2004 — with one language nothing can be missing
        return
    places = {document.id: _split_language(document.id) for document in documents}
    folders = {place[0] for place in places.values() if place}
    existing = {place for place in places.values() if place}
    unplaced: list[Document] = []
    for document in documents:
        place = places[document.id]
        if place is None or len(folders) < 2:  # noqa: PLR2004
            unplaced.append(document)
            continue
        for language in sorted(folders - {place[0]}):
            if (language, place[1]) not in existing:
                yield MissingTranslation(document.id, language)
    if len(folders) > 1 and len(unplaced) < len(documents) / 2:
        return  # where folders are the rule, articles outside them are for all languages
    yield from _by_meaning(unplaced, languages, supported, _means(unplaced, chunks, vectors))


def _split_language(identifier: str) -> tuple[str, str] | None:
    """Return the language in a path, and the path without it and without its suffix."""
    parts = PurePosixPath(identifier.partition("#")[0]).parts
    for at, part in enumerate(parts[:-1]):
        if _CODE.fullmatch(part):
            rest = PurePosixPath(*parts[:at], *parts[at + 1 :]).with_suffix("")
            row = identifier.partition("#")[2]
            return part.lower(), f"{rest}#{row}" if row else str(rest)
    return None


def _languages(documents: Sequence[Document], chunks: Sequence[Chunk]) -> dict[str, str]:
    by_chunk = {chunk.article: passage_language(chunk) for chunk in reversed(chunks)}
    return {d.id: d.language or by_chunk.get(d.id, "en") for d in documents}


def _by_meaning(
    documents: Sequence[Document],
    languages: dict[str, str],
    supported: Sequence[str],
    means: dict[str, Vectors],
) -> Iterator[MissingTranslation]:
    """Yield articles that are not the nearest neighbour of their own nearest neighbour."""
    tagged: dict[str, set[frozenset[str]]] = defaultdict(set)
    by_language: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        tagged[languages[document.id]].add(frozenset(document.tags))
        if document.id in means:
            by_language[languages[document.id]].append(document.id)
    tags = {document.id: frozenset(document.tags) for document in documents}
    rows = {name: _centre([means[i] for i in ids]) for name, ids in by_language.items()}
    for language in (name for name in supported if name in rows):
        candidates = by_language[language]
        for source in (name for name in supported if name in rows and name != language):
            near, scores = near_duplicates.nearest_rows(rows[source], rows[language])
            back, _ = near_duplicates.nearest_rows(rows[language], rows[source])
            for at, article in enumerate(by_language[source]):
                if tags[article] and tags[article] in tagged[language]:
                    continue
                if back[near[at]] != at:
                    yield MissingTranslation(
                        article, language, candidates[near[at]], round(float(scores[at]), 4)
                    )


def _centre(means: Sequence[Vectors]) -> Vectors:
    """Return unit vectors relative to the mean of a language, which removes what all share."""
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
