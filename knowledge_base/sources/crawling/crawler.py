"""Crawling of help centres: one host, one request at a time, as robots.txt allows."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.robotparser import RobotFileParser

import httpx

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import loader
from knowledge_base.sources.crawling.fetcher import (
    AGENT,
    FetchedPage,
    Fetcher,
    HttpStatusError,
    PageHeaders,
)
from knowledge_base.sources.document_builder import SourceFailure
from knowledge_base.sources.encodings import decode
from knowledge_base.sources.html import read_links

MAX_PAGES: Final = 500
_MAX_DELAY: Final = 60.0  # seconds; a longer one is in effect a ban
_HTML: Final = ".html"
# The suffix of each media type; of two suffixes, the first in the table.
_KINDS: Final = {
    media_type: suffix
    for suffix, file_format in reversed(loader.FORMATS.items())
    for media_type in file_format.media_types
}
_VAGUE: Final = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})
# HTML that is sent as plain text is meant to be shown as it is written.
_SUFFIXES: Final = frozenset(
    suffix
    for suffix, file_format in loader.FORMATS.items()
    if file_format.media_types and not file_format.is_markup
)
_DECORATION: Final = ("image/", "video/", "audio/", "font/", "text/css", "text/javascript")


class _NoTextError(KnowledgeError):
    """A picture or a script: pages link to them, but they are not expected to have text."""


def crawl(
    url: str, *, depth: int, cache: Path, allow_private: bool, limit: int = MAX_PAGES
) -> Iterator[Document | SourceFailure]:
    """Yield the page at `url` and those linked from it in up to `depth` steps, on the same host.

    `cache` is a folder for pages that can be revalidated. A document's id is its address without
    the scheme. Pages that cannot be read are SourceFailures, and the others are still read.
    robots.txt and nofollow are respected; at most `limit` pages are requested.
    """
    start = normalise_url(url)
    if start is None:
        yield SourceFailure(
            url, "it is no web address: write it like https://help.example.com/returns"
        )
        return
    with Fetcher(cache, allow_private=allow_private) as fetcher:
        yield from _Crawl(start, fetcher, limit).run(depth)


def normalise_url(url: str) -> str | None:
    """Return an address in its canonical form; None if it is invalid."""
    try:
        parsed = httpx.URL(url.strip())
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            return None
        return str(parsed.copy_with(fragment=None, path=parsed.path or "/"))
    except (httpx.InvalidURL, ValueError):
        return None


def _identifier(url: str) -> str:
    return url.split("://", 1)[1]


class _Crawl:
    """A breadth-first crawl of one host."""

    def __init__(self, start: str, fetcher: Fetcher, limit: int) -> None:
        self._start = start
        self._fetcher = fetcher
        self._limit = limit
        self._queue: deque[tuple[str, int]] = deque()
        self._seen: set[str] = set()
        self._yielded: set[str] = set()
        self._robots = RobotFileParser()
        self._delay = 0.0
        self._last = 0.0

    def run(self, depth: int) -> Iterator[Document | SourceFailure]:
        try:
            self._read_robots()
        except KnowledgeError as error:
            yield SourceFailure(self._start, str(error))
            return
        if not self._robots.can_fetch(AGENT, self._start):
            yield SourceFailure(self._start, "robots.txt forbids to read it: ask the site's owner")
            return
        self._enqueue(self._start, depth)
        requested = 0
        while self._queue:
            if requested == self._limit:
                reason = (
                    f"it leads to more than {requested} pages: ingest its parts by their addresses"
                )
                yield SourceFailure(self._start, reason)
                return
            url, steps = self._queue.popleft()
            requested += 1
            try:
                yield from self._visit(url, steps)
            except _NoTextError as error:
                if url == self._start:
                    yield SourceFailure(url, str(error))
            except KnowledgeError as error:
                yield SourceFailure(url, str(error))

    def _enqueue(self, url: str, steps: int) -> None:
        """Queue a page once; http and https are the same page."""
        if _identifier(url) not in self._seen:
            self._seen.add(_identifier(url))
            self._queue.append((url, steps))

    def _visit(self, url: str, steps: int) -> Iterator[Document | SourceFailure]:
        page = self._get(url)
        address = normalise_url(page.head.url) or url
        if address != url:
            if _identifier(address) in self._seen and _identifier(address) != _identifier(url):
                return
            self._seen.add(_identifier(address))
        robots = page.head.robots
        index = "noindex" not in robots and "none" not in robots
        if _kind(page.head) == _HTML:
            text = decode(page.body, page.head.charset, markup=True)
            links = read_links(text, address)
            index = index and links.index
            if steps > 0 and "nofollow" not in robots and "none" not in robots:
                self._follow(links.links, steps - 1)
            own = normalise_url(links.canonical) if links.canonical else None
            address = own if own and self._is_on_host(own) else address
        if index and _identifier(address) not in self._yielded:
            self._yielded.add(_identifier(address))
            yield from self._documents(page, address, url)

    def _documents(
        self, page: FetchedPage, address: str, url: str
    ) -> Iterator[Document | SourceFailure]:
        name, kind = _identifier(address), _kind(page.head)
        for item in loader.parse(page.body, name, kind=kind, declared=page.head.charset):
            if isinstance(item, SourceFailure):
                yield SourceFailure(url, item.error)
            else:
                yield replace(item, id=name, url=address)

    def _follow(self, links: tuple[str, ...], steps: int) -> None:
        for link in links:
            url = normalise_url(link)
            if url and self._is_on_host(url) and self._robots.can_fetch(AGENT, url):
                self._enqueue(url, steps)

    def _is_on_host(self, url: str) -> bool:
        """Return whether an address is on the start page's host; without a port, for any scheme."""
        own, start = httpx.URL(url), httpx.URL(self._start)
        return (own.host, own.port) == (start.host, start.port) and not own.userinfo

    def _may_go(self, target: str) -> None:
        url = normalise_url(target)
        if url is None or not self._is_on_host(url):
            message = f"it leads to another host: ingest {target} itself"
            raise KnowledgeError(message)
        if not self._robots.can_fetch(AGENT, url):
            message = f"it leads to {target}, which robots.txt forbids to read"
            raise KnowledgeError(message)

    def _get(self, url: str) -> FetchedPage:
        time.sleep(max(0.0, self._last + self._delay - time.monotonic()))
        try:
            return self._fetcher.get(url, may_go=self._may_go, accept=_kind)
        finally:
            self._last = time.monotonic()

    def _read_robots(self) -> None:
        """Read the host's robots.txt; a missing one allows all, an unreadable one nothing."""

        def may_go(target: str) -> None:
            if not self._is_on_host(target):
                message = f"its robots.txt leads to another host: ingest {target} itself"
                raise KnowledgeError(message)

        where = str(httpx.URL(self._start).join("/robots.txt"))
        try:
            page = self._fetcher.get(where, may_go=may_go, accept=lambda _: None)
        except HttpStatusError as error:
            if error.status in {401, 403}:
                self._robots.parse(["User-agent: *", "Disallow: /"])
            elif error.status < 500:  # noqa: PLR2004 — server errors
                self._robots.parse([])
            else:
                message = f"its robots.txt cannot be read ({error}): try again later"
                raise KnowledgeError(message) from error
            return
        self._robots.parse(page.body.decode("utf-8-sig", "replace").splitlines())
        self._delay = min(float(self._robots.crawl_delay(AGENT) or 0.0), _MAX_DELAY)
        self._last = time.monotonic()


def _kind(head: PageHeaders) -> str:
    """Return the suffix a page is read as; raise KnowledgeError if it is not supported."""
    suffix = PurePosixPath(httpx.URL(head.url).path).suffix.lower()
    if head.content_type in _VAGUE and suffix in _SUFFIXES:
        return suffix
    if head.content_type in _KINDS:
        return _KINDS[head.content_type]
    if head.content_type.startswith(_DECORATION):
        message = f"it is {head.content_type}, which holds no text"
        raise _NoTextError(message)
    supported = ", ".join(sorted({*_KINDS.values()}))
    message = f"pages of kind '{head.content_type or 'none'}' are not read; known: {supported}"
    raise KnowledgeError(message)
