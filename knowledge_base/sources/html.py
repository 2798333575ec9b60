"""HTML pages: the article without what surrounds it, and what the page says of itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.document_builder import DocumentBuilder, details, tongue

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
    said = {
        "title": _words(title.text()) if title else None,
        "url": _address(tree),
        "language": tongue(
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
    _walk(main, builder)
    yield builder.document(name, details(said))


@dataclass(frozen=True)
class PageLinks:
    """Where a page leads: links that may be followed, and the address it gives as its own."""

    links: tuple[str, ...]
    canonical: str | None
    index: bool


def signposts(source: str, url: str) -> PageLinks:
    """Read a page's links as absolute addresses, without those it asks not to follow."""
    tree = _parse(source)
    base = tree.css_first("base[href]")
    start = _join(url, base.attributes.get("href") if base else None) or url
    robots = set(re.split(r"[\s,]+", _meta(tree).get("robots", "").lower()))
    anchors = () if robots & {"nofollow", "none"} else tree.css("a[href], area[href]")
    found = [
        _join(start, anchor.attributes.get("href"))
        for anchor in anchors
        if "nofollow" not in (anchor.attributes.get("rel") or "").lower().split()
    ]
    canonical = _canonical(tree)
    return PageLinks(
        links=tuple(dict.fromkeys(link for link in found if link)),
        canonical=_join(start, canonical) if canonical else None,
        index=not robots & {"noindex", "none"},
    )


def _parse(source: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(source)


def _join(base: str, href: str | None) -> str | None:
    try:
        return urljoin(base, (href or "").strip()) if href and href.strip() else None
    except ValueError:  # an address in brackets that is none
        return None


def _canonical(tree: Any) -> str | None:
    for link in tree.css("link[rel][href]"):
        if "canonical" in (link.attributes.get("rel") or "").lower().split():
            return str(link.attributes.get("href") or "").strip() or None
    return None


def _address(tree: Any) -> str | None:
    """Return the page's own address when it is a whole one."""
    canonical = _canonical(tree) or ""
    return canonical if canonical.startswith(("https://", "http://")) else None


def _meta(tree: Any) -> dict[str, str]:
    """Return the page's `<meta>` tags by lower-case name; the first of a name stays."""
    found: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        key = node.attributes.get("name") or node.attributes.get("http-equiv") or ""
        found.setdefault(key.strip().lower(), str(node.attributes.get("content") or "").strip())
    return found


def _words(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


@dataclass(frozen=True)
class _End:
    """Where an element ends, on the way through the page."""

    run: object  # the list or table that goes on behind it
    block: bool = True


def _walk(root: Any, builder: DocumentBuilder) -> None:
    """Feed the blocks below `root` to the builder, in document order, without recursion."""
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
    """Write an element that is one block: a heading, a row, text with its line breaks."""
    if node.tag == "tr":
        cells = [_words(cell.text()) for cell in node.iter() if cell.tag in {"td", "th"}]
        builder.line(" | ".join(cells) if any(cells) else "", run)
    elif node.tag == "pre":
        builder.paragraph(node.text().strip("\n"))
    else:
        builder.heading(int(node.tag[1]), _words(node.text()))
