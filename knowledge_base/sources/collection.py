"""Collection of documents from several sources: files, folders and web addresses."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge_base.documents import Document
from knowledge_base.sources import loader
from knowledge_base.sources.crawling.crawler import MAX_PAGES, crawl
from knowledge_base.sources.document_builder import SourceFailure, duplicate_id_failure

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def collect(
    places: Sequence[str | Path],
    *,
    cache: Path,
    depth: int = 1,
    allow_private: bool = False,
    limit: int = MAX_PAGES,
) -> Iterator[Document | SourceFailure]:
    """Yield the documents of all places; a source that cannot be read is a SourceFailure.

    A later place overrides the earlier ones: its article replaces theirs of the same id. If an id
    occurs twice within one place, the second is a SourceFailure. The options are those of `crawl`.
    """
    documents: dict[str, Document] = {}
    for place in places:
        here: set[str] = set()
        if isinstance(place, str) and _ADDRESS.match(place):
            items = crawl(place, depth=depth, cache=cache, allow_private=allow_private, limit=limit)
        else:
            items = loader.load([Path(place)])
        for item in items:
            if isinstance(item, SourceFailure):
                yield item
            elif item.id in here:
                yield duplicate_id_failure(item.id)
            else:
                here.add(item.id)
                documents[item.id] = item
    yield from documents.values()
