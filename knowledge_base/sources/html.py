"""HTML pages: the article without navigation, and the metadata of the page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.document_builder import (
    DocumentBuilder,
    parse_metadata,
    primary_language,
)

_DROPPED: Final = "script, style, nav, footer, header, aside, form, noscript, template, svg"
_BLOCKS: Final = frozenset(
    {
        "p", "li", "div", "section", "article", "ul", "ol", "table", "dl", "dt", "dd", "blockquote",
        "caption", "figure", "figcaption", "details", "summary", "address", "main", "body",
    }
)  # fmt: skip
_RUNS: Final = frozenset({"ul", "ol", "table", "dl"})
_WHOLE: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "tr", "pre"})
_BLANKS = re.compile(r"\s+")


def read_html(source: str, name: str) -> Iterator[Document]:
    """Yield the document of a page: `<main>`, `<article>` or its body."""
    tree = _parse(source)
    meta = _meta(tree)
    title = tree.css_first("title")
    root = tree.css_first("html")
    fields = {
        "title": _words(title.text()) if title else None,
        "url": _address(tree),
        "language": primary_language(
            (root.attributes.get("lang") if root else None)
            or meta.get("content-language")
            or meta.get("language")
        ),
        "tags": meta.get("keywords"),
        "audience": meta.get("audience"),
        "valid_from": meta.get("valid_from") or meta.get("valid-from"),
        "valid_until": meta.get("valid_until") or meta.get("valid-until"),
    }
    main = tree.css_first("main") or tree.css_first("article") or tree.body
    if main is None:
        message = "no text was found in it"
        raise KnowledgeError(message, "without_text")
    for node in main.css(_DROPPED):
        node.decompose()
    builder = DocumentBuilder()
    add_blocks(main, builder)
    yield builder.document(name, parse_metadata(fields))


@dataclass(frozen=True)
class PageLinks:
    """The links of a page that may be followed, and its canonical address."""

    links: tuple[str, ...]
    canonical: str | None
    index: bool


def read_links(source: str, url: str) -> PageLinks:
    """Read a page's links as absolute addresses, without those marked as nofollow."""
    tree = _parse(source)
    base = tree.css_first("base[href]")
    start = _join(url, base.attributes.get("href") if base else None) or url
    robots = set(re.split(r"[\s,]+", _meta(tree).get("robots", "").lower()))
    anchors = () if robots & {"nofollow", "none"} else tree.css("a[href], area[href]")
    links = [
        _join(start, anchor.attributes.get("href"))
        for anchor in anchors
        if "nofollow" not in (anchor.attributes.get("rel") or "").lower().split()
    ]
    canonical = _canonical(tree)
    return PageLinks(
        links=tuple(dict.fromkeys(link for link in links if link)),
        canonical=_join(start, canonical) if canonical else None,
        index=not robots & {"noindex", "none"},
    )


def _parse(source: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(source)


def _join(base: str, href: str | None) -> str | None:
    try:
        return urljoin(base, (href or "").strip()) if href and href.strip() else None
    except ValueError:  # an invalid IPv6 address
        return None


def _canonical(tree: Any) -> str | None:
    for link in tree.css("link[rel][href]"):
        if "canonical" in (link.attributes.get("rel") or "").lower().split():
            return str(link.attributes.get("href") or "").strip() or None
    return None


def _address(tree: Any) -> str | None:
    """Return the canonical address if it is absolute."""
    canonical = _canonical(tree) or ""
    return canonical if canonical.startswith(("https://", "http://")) else None


def _meta(tree: Any) -> dict[str, str]:
    """Return the page's `<meta>` tags by lower-case name; the first of each name is used."""
    tags: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        key = node.attributes.get("name") or node.attributes.get("http-equiv") or ""
        tags.setdefault(key.strip().lower(), str(node.attributes.get("content") or "").strip())
    return tags


def _words(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


@dataclass(frozen=True)
class _End:
    """The end of an element during the traversal."""

    run: object  # the enclosing list or table, which continues after it
    block: bool = True


def add_blocks(root: Any, builder: DocumentBuilder) -> None:
    """Add the blocks below `root` to the builder, in document order, without recursion."""
    pending: list[Any] = list(root.iter(include_text=True))[::-1]
    inline: list[str] = []
    run: object = None

    def flush() -> None:
        text = _words("".join(inline))
        inline.clear()
        if run is None:
            builder.paragraph(text)
        else:
            builder.line(text, run)

    while pending:
        node = pending.pop()
        if isinstance(node, _End):
            flush()
            run = node.run
        elif node.tag == "-text":
            inline.append(node.text(deep=False) or "")
        elif node.tag == "br":
            inline.append("\n")
        elif node.tag in _WHOLE:
            flush()
            _block(node, builder, run)
        else:
            if node.tag in _BLOCKS:
                flush()
                pending.append(_End(run))
                if node.tag in _RUNS and run is None:
                    run = object()
            pending.extend(list(node.iter(include_text=True))[::-1])
    flush()


def _block(node: Any, builder: DocumentBuilder, run: object) -> None:
    """Add an element that is one block: a heading, a row, preformatted text."""
    if node.tag == "tr":
        cells = [_words(cell.text()) for cell in node.iter() if cell.tag in {"td", "th"}]
        builder.line(" | ".join(cells) if any(cells) else "", run)
    elif node.tag == "pre":
        builder.paragraph(node.text().strip("\n"))
    else:
        builder.heading(int(node.tag[1]), _words(node.text()))
