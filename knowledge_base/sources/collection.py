"""All the places a knowledge comes from, in order: files, folders and addresses on the web."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge_base.documents import Document
from knowledge_base.sources import loader
from knowledge_base.sources.crawling.crawler import MOST_PAGES, crawl
from knowledge_base.sources.document_builder import SourceFailure, same_id

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def collect(
    places: Sequence[str | Path],
    *,
    cache: Path,
    depth: int = 1,
    allow_private: bool = False,
    limit: int = MOST_PAGES,
) -> Iterator[Document | SourceFailure]:
    """Yield the documents of all places; what cannot be read comes as a Failure.

    A later place overlays the earlier ones: its article replaces theirs of the same id. The same
    id twice within one place is a Failure, and the first stays. The options are those of `crawl`.
    """
    kept: dict[str, Document] = {}
    for place in places:
        here: set[str] = set()
        if isinstance(place, str) and _ADDRESS.match(place):
            found = crawl(place, depth=depth, cache=cache, allow_private=allow_private, limit=limit)
        else:
            found = loader.load([Path(place)])
        for item in found:
            if isinstance(item, SourceFailure):
                yield item
            elif item.id in here:
                yield same_id(item.id)
            else:
                here.add(item.id)
                kept[item.id] = item
    yield from kept.values()
