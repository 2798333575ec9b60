"""Markdown files with front matter, and plain text files."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.document_builder import DocumentBuilder, SourceMetadata, parse_metadata

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


def read_markdown(source: str, name: str) -> Iterator[Document]:
    """Yield the document of a Markdown file: the text without markup."""
    from markdown_it import MarkdownIt

    meta, source = _front_matter(source)
    builder = DocumentBuilder()
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    run: object = None  # the outermost list, or the table, around the current token
    depth = 0
    row: list[str] | None = None
    for number, token in enumerate(tokens):
        if token.tag in {"ul", "ol", "table"}:
            run = run if depth else object()
            depth += token.nesting
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            builder.line(" | ".join(row), run)
            row = None
        elif token.type in {"fence", "code_block"}:
            builder.paragraph(token.content)
        elif token.type == "inline":
            text = _inline(token)
            opener = tokens[number - 1]
            if row is not None:
                row.append(text)
            elif opener.type == "heading_open":
                builder.heading(int(opener.tag[1]), text)
            elif depth:
                builder.line(text, run)
            else:
                builder.paragraph(text)
    yield builder.document(name, meta)


def read_plain(source: str, name: str) -> Iterator[Document]:
    """Yield the document of a plain text: paragraphs, no headings."""
    builder = DocumentBuilder()
    for paragraph in re.split(r"\n\s*\n", source):
        builder.paragraph(paragraph)
    title = PurePosixPath(name).stem.replace("-", " ").replace("_", " ")
    yield builder.document(name, SourceMetadata(title=title))


def _front_matter(source: str) -> tuple[SourceMetadata, str]:
    """Return the metadata and the rest; text between two rules is not front matter."""
    match = _FRONT_MATTER.match(source)
    if match is None:
        return SourceMetadata(), source
    try:
        # All scalars stay strings: `no` is a language, and a wrong date is reported by its key.
        loaded = yaml.load(match[1], Loader=yaml.BaseLoader)  # noqa: S506 — it creates strings only
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = (str(error).splitlines() or ["?"])[0]
        message = f"its front matter is not YAML: {why}"
        raise KnowledgeError(message, "not_yaml", why=why) from error
    if not isinstance(loaded, dict):
        return SourceMetadata(), source
    try:
        fields = {str(key): value for key, value in loaded.items() if value not in ("null", "~")}
        return parse_metadata(fields), source[match.end() :]
    except KnowledgeError as error:
        message = f"its front matter is wrong: {error}"
        raise KnowledgeError(message, error.reason, **error.facts) from error


def _inline(token: Any) -> str:
    """Return an inline token's text: link texts and code stay, breaks become spaces."""
    words = []
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        elif child.type in {"text", "code_inline", "image"}:
            words.append(child.content)
    return re.sub(r"\s+", " ", "".join(words)).strip()
