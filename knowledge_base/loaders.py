"""Files of any known kind → documents. One function a suffix."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from knowledge_base.documents import Document, KnowledgeError, Section

MAX_BYTES: Final = 32 * 2**20  # one file; larger ones are exports that want splitting
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)
_DROPPED: Final = "script, style, nav, footer, header, aside, form, noscript, template, svg"
_BLOCKS: Final = frozenset(
    {
        "p", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "div", "section", "article", "ul",
        "ol", "table", "dl", "dt", "dd", "blockquote", "pre",
    }
)  # fmt: skip
_HEADING = re.compile(r"h[1-6]")


@dataclass(frozen=True)
class Failure:
    """A file that could not be read, and why, in words for the person who ingests."""

    path: str
    error: str


def load(paths: Iterable[Path]) -> Iterator[Document | Failure]:
    """Yield the documents of files and folders; what cannot be read comes as a Failure."""
    for path in paths:
        if not path.exists():
            yield Failure(str(path), "there is no such file or folder")
        elif path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and _visible(p, path))
            for file in files:
                yield from _load_file(file, file.relative_to(path).as_posix())
        else:
            yield from _load_file(path, path.name)


def _visible(path: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)


def _load_file(path: Path, name: str) -> Iterator[Document | Failure]:
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    loader = LOADERS.get(suffix)
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        yield Failure(name, f"files of kind '{suffix or 'none'}' are not read; known: {known}")
        return
    try:
        yield from loader(_read(path), name)
    except KnowledgeError as error:
        yield Failure(name, str(error))


def _read(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = f"it cannot be opened: {error}"
        raise KnowledgeError(message) from error
    if len(raw) > MAX_BYTES:
        message = f"it is larger than {MAX_BYTES // 2**20} MiB: split it"
        raise KnowledgeError(message)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8 (byte {error.start}): save it as UTF-8"
        raise KnowledgeError(message) from error
    if not text.strip():
        message = "it is empty"
        raise KnowledgeError(message)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


@dataclass
class _Builder:
    """Collects blocks of text under a path of headings and notes where each section lies."""

    text: str = ""
    path: tuple[tuple[int, str], ...] = ()
    sections: tuple[Section, ...] = ()
    _open_at: int | None = None

    def heading(self, level: int, text: str) -> None:
        self.close()
        self.path = (*((at, name) for at, name in self.path if at < level), (level, text))

    def block(self, text: str) -> None:
        if not text.strip():
            return
        if self.text:
            self.text += "\n\n" if self._open_at is None or "\n" in text else "\n"
        if self._open_at is None:
            self._open_at = len(self.text)
        self.text += text.strip()

    def close(self) -> None:
        if self._open_at is not None:
            names = tuple(name for _, name in self.path)
            self.sections += (Section(names, self._open_at, len(self.text)),)
            self._open_at = None

    def document(self, name: str, title: str, meta: dict[str, Any]) -> Document:
        self.close()
        if not self.text:
            message = "no text was found in it"
            raise KnowledgeError(message)
        tags = meta.get("tags") or ()
        return Document(
            id=name,
            title=title,
            text=self.text,
            sections=self.sections,
            url=_optional(meta, "url"),
            language=_optional(meta, "language"),
            tags=tuple(map(str, tags)) if isinstance(tags, list | tuple) else (str(tags),),
            audience=_optional(meta, "audience"),
        )


def _optional(meta: dict[str, Any], key: str) -> str | None:
    value = meta.get(key)
    return str(value) if value not in (None, "") else None


def _front_matter(source: str) -> tuple[dict[str, Any], str]:
    """Return the front matter and what follows it; text between two rules is no front matter."""
    match = _FRONT_MATTER.match(source)
    if match is None:
        return {}, source
    try:
        loaded = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError) as error:
        message = f"its front matter is not YAML: {str(error).splitlines()[0]}"
        raise KnowledgeError(message) from error
    return (loaded, source[match.end() :]) if isinstance(loaded, dict) else ({}, source)


def _markdown(source: str, name: str) -> Iterator[Document]:
    from markdown_it import MarkdownIt

    meta, source = _front_matter(source)
    builder = _Builder()
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    row: list[str] | None = None
    for number, token in enumerate(tokens):
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            builder.block(" | ".join(row))
            row = None
        elif token.type in {"fence", "code_block"}:
            builder.block(token.content)
        elif token.type == "inline":
            text = _inline(token)
            opener = tokens[number - 1]
            if row is not None:
                row.append(text)
            elif opener.type == "heading_open":
                builder.heading(int(opener.tag[1]), text)
            else:
                builder.block(text)
    first = builder.path[0][1] if builder.path else Path(name).stem
    headings = [s.headings[0] for s in builder.sections if s.headings]
    title = meta.get("title") or (headings[0] if headings else first)
    yield builder.document(name, str(title), meta)


def _inline(token: Any) -> str:
    """Return an inline token's words: link texts and code stay, marks go, breaks become spaces."""
    words = []
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        elif child.type in {"text", "code_inline", "image"}:
            words.append(child.content)
    return re.sub(r"\s+", " ", "".join(words)).strip()


def _html(source: str, name: str) -> Iterator[Document]:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    title_node = tree.css_first("title")
    title = title_node.text(strip=True) if title_node else ""
    root = tree.css_first("html")
    language = (root.attributes.get("lang") or "")[:2] if root else ""
    main = tree.css_first("main") or tree.css_first("article") or tree.body
    if main is None:
        message = "no text was found in it"
        raise KnowledgeError(message)
    for node in main.css(_DROPPED):
        node.decompose()
    builder = _Builder()
    _walk(main, builder)
    builder.close()
    if not title and builder.sections and builder.sections[0].headings:
        title = builder.sections[0].headings[0]
    yield builder.document(name, title or Path(name).stem, {"language": language})


def _walk(root: Any, builder: _Builder) -> None:
    """Feed the blocks below `root` to the builder, in document order, without recursion."""
    pending: list[Any] = list(root.iter(include_text=True))[::-1]
    inline: list[str] = []

    def flush() -> None:
        builder.block(re.sub(r"\s+", " ", "".join(inline)))
        inline.clear()

    while pending:
        node = pending.pop()
        if node is None:
            flush()
        elif node.tag == "-text":
            inline.append(node.text(deep=False) or "")
        elif _HEADING.fullmatch(node.tag or ""):
            flush()
            builder.heading(int(node.tag[1]), re.sub(r"\s+", " ", node.text()).strip())
        elif node.tag == "tr":
            flush()
            cells = [re.sub(r"\s+", " ", cell.text()).strip() for cell in node.css("td, th")]
            builder.block(" | ".join(cells))
        elif node.tag == "br":
            inline.append("\n")
        else:
            if node.tag in _BLOCKS:
                flush()
                pending.append(None)
            pending.extend(list(node.iter(include_text=True))[::-1])
    flush()


def _plain(source: str, name: str) -> Iterator[Document]:
    builder = _Builder()
    for paragraph in re.split(r"\n\s*\n", source):
        builder.block(paragraph)
    yield builder.document(name, Path(name).stem.replace("-", " ").replace("_", " "), {})


def _faq(source: str, name: str) -> Iterator[Document]:
    csv.field_size_limit(min(sys.maxsize, MAX_BYTES))
    reader = csv.DictReader(io.StringIO(source))
    columns = set(reader.fieldnames or ())
    if not {"question", "answer"} <= columns:
        message = f"its first row must name question and answer; it has {sorted(columns)}"
        raise KnowledgeError(message)
    try:
        for number, row in enumerate(reader, start=1):
            question, answer = (row["question"] or "").strip(), (row["answer"] or "").strip()
            if not question or not answer:
                continue
            builder = _Builder()
            builder.heading(1, question)
            builder.block(answer)
            meta = {**row, "tags": re.findall(r"[^,;|\s]+", row.get("tags") or "")}
            yield builder.document(f"{name}#{number}", question, meta)
    except csv.Error as error:
        message = f"row {reader.reader.line_num} is not CSV: {error}"
        raise KnowledgeError(message) from error


def _texts(row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key) or ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _jsonl(source: str, _name: str) -> Iterator[Document]:
    for number, line in enumerate(source.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, identifier = str(row["text"] or ""), str(row["id"])
            title = str(row.get("title") or "")
            headings, tags = _texts(row, "headings"), _texts(row, "tags")
            json.dumps(row, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, KeyError, TypeError) as error:
            message = f"line {number} is not an article with id and text: {error!r}"
            raise KnowledgeError(message) from error
        if not text.strip():
            continue
        section = Section((title, *headings) if title else headings, 0, len(text))
        yield Document(
            id=identifier,
            title=title,
            text=text,
            sections=(section,),
            url=_optional(row, "url"),
            language=_optional(row, "language"),
            tags=tags,
            audience=_optional(row, "audience"),
        )


LOADERS: Final[dict[str, Callable[[str, str], Iterator[Document]]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".txt": _plain,
    ".csv": _faq,
    ".jsonl": _jsonl,
}
