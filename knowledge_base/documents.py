"""The data types of the library: documents, chunks and search results."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


class KnowledgeError(Exception):
    """The knowledge cannot be read, built or searched; the message says what to do.

    `reason` is a stable key for callers that translate the message, `facts` are its variables.
    """

    def __init__(self, message: str = "", reason: str = "", **facts: str | int) -> None:
        """Set the message, its key and its variables."""
        super().__init__(message)
        self.reason = reason
        self.facts: Mapping[str, str | int] = facts


@dataclass(frozen=True)
class Section:
    """A run of a document's text under one path of headings: `text[start:end]`."""

    headings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """An article as extracted; all offsets refer to its text, in code points."""

    id: str
    title: str
    text: str
    sections: tuple[Section, ...] = ()
    url: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    audience: str | None = None
    valid_from: str | None = None  # the first day it is valid, as an ISO date
    valid_until: str | None = None  # the last day it is valid, as an ISO date

    @property
    def sha256(self) -> str:
        """The hash of everything in the document that is indexed."""
        parts = [self.id, self.title, self.text, self.url or "", self.language or ""]
        parts += [*self.tags, self.audience or "", self.valid_from or "", self.valid_until or ""]
        parts += ["/".join(section.headings) for section in self.sections]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Chunk:
    """A passage of an article: `document.text[start:end] == text`."""

    id: str
    article: str
    title: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    url: str | None = None
    language: str | None = None

    @property
    def heading(self) -> str:
        """The title and the headings above the passage, as one line."""
        path = [self.title, *(h for h in self.headings if h != self.title)]
        return " › ".join(part for part in path if part)


@dataclass(frozen=True)
class SearchHit:
    """A retrieved chunk, with its fused score and the scores of both retrievers.

    `dense` is the cosine of query and passage, `sparse` the BM25 score; `score` combines them
    and is between 0 and 1.
    """

    chunk: Chunk
    score: float
    dense: float
    sparse: float


@dataclass(frozen=True)
class SearchFeature:
    """A feature of one vector field: the score of the article (about 0 to 1) and its lead."""

    name: str
    level: float
    lead: float

    @property
    def strength(self) -> float:
        """Their sum, never negative."""
        return max(0.0, self.level + self.lead)


@dataclass(frozen=True)
class AnswerEvidence:
    """The probability that an article answers a question, with the features behind it."""

    article: str
    score: float
    signs: tuple[SearchFeature, ...]


@dataclass(frozen=True)
class SearchResult:
    """The hits of a search, best first, and how likely the best one answers the question."""

    hits: tuple[SearchHit, ...] = ()
    evidence: AnswerEvidence | None = None
