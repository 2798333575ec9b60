"""PDF files: extraction of text fragments with positions, for the layout analysis."""

import io
import logging
import math
import time
from collections.abc import Iterator
from typing import Any, Final

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import page_layout
from knowledge_base.sources.document_builder import (
    DocumentBuilder,
    parse_metadata,
    primary_language,
)
from knowledge_base.sources.page_layout import TextFragment

MAX_PAGES: Final = 1000
MAX_SECONDS: Final = 120.0
_MAX_CHARACTERS: Final = 16 * 2**20
_MAX_STREAM: Final = 32 * 2**20  # unpacked bytes of one page's drawing or one font
_NO_TITLES: Final = frozenset({"untitled", "(anonymous)", "anonymous", "unspecified", "document"})


def read_pdf(raw: bytes, name: str) -> Iterator[Document]:
    """Yield the document of a PDF; raise KnowledgeError with the reason if it has no text."""
    # Damage is reported by our own message; the library's warnings would only repeat it.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    from pypdf import Configuration, apply_configuration
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    limits = Configuration(
        zlib_maximum_output_length=_MAX_STREAM,
        lzw_maximum_output_length=_MAX_STREAM,
        run_length_maximum_output_length=_MAX_STREAM,
        array_based_stream_maximum_output_length=_MAX_STREAM,
    )
    try:
        with apply_configuration(limits):
            document = _read(raw, name)
    except KnowledgeError:
        raise
    except FileNotDecryptedError as error:
        raise KnowledgeError(_LOCKED, "locked") from error
    except DependencyError as error:  # the newer encryption, which needs one more library
        message = "it is encrypted: print it to a new PDF, or save a copy without protection"
        raise KnowledgeError(message, "locked") from error
    except LimitReachedError as error:
        message = f"it unpacks to more than it should ({error}): print it to a new PDF"
        raise KnowledgeError(message) from error
    except Exception as error:  # a damaged file can raise any error
        message = f"it is damaged ({type(error).__name__}): export it again"
        raise KnowledgeError(message, "damaged", why=type(error).__name__) from error
    yield document


_LOCKED: Final = "it is protected by a password: save a copy without one"


def _read(raw: bytes, name: str) -> Document:
    from pypdf import PasswordType, PdfReader

    reader = PdfReader(io.BytesIO(raw))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise KnowledgeError(_LOCKED, "locked")
    pages = reader.get_num_pages()
    if pages > MAX_PAGES:
        message = f"it has {pages} pages, more than {MAX_PAGES}: split it"
        raise KnowledgeError(message, "too_many_pages", pages=pages, most=MAX_PAGES)
    extraction = _Extraction()
    heights = {}
    for number, page in enumerate(reader.pages):
        heights[number] = float(page.mediabox.height)
        extraction.read(number, page, float(page.mediabox.bottom))
    if not any(piece.text.strip() for piece in extraction.fragments):
        message = "it holds pictures of pages only: run OCR first"
        raise KnowledgeError(message, "only_pictures")
    builder = DocumentBuilder()
    page_layout.write(extraction.fragments, heights, _outline(reader), builder)
    meta: Any = reader.metadata or {}
    fields = {
        "title": _title(meta),
        "tags": str(meta.get("/Keywords") or "") or None,
        "language": primary_language(str(reader.root_object.get("/Lang") or "")),
    }
    return builder.document(name, parse_metadata(fields))


class _Extraction:
    """Collects the fragments of all pages, within limits of time and memory."""

    def __init__(self) -> None:
        self.fragments: list[TextFragment] = []
        self._characters = 0
        self._deadline = time.monotonic() + MAX_SECONDS
        self._over: KnowledgeError | None = None

    def read(self, number: int, page: Any, bottom: float) -> None:
        def collect(text: str, cm: list[float], tm: list[float], _font: Any, size: float) -> None:
            if not text:
                return
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5] - bottom
            tall = math.hypot(tm[2] * cm[0] + tm[3] * cm[2], tm[2] * cm[1] + tm[3] * cm[3])
            self._characters += len(text)
            self.fragments.append(TextFragment(text, number, x, y, abs(tall * (size or 1)) or 1.0))

        def check(*_: Any) -> None:
            # The library continues after an error in drawing, so the reason is raised again at the
            # end.
            if time.monotonic() > self._deadline:
                self._over = KnowledgeError(f"reading it takes over {MAX_SECONDS:.0f} s: split it")
            elif self._characters > _MAX_CHARACTERS:
                self._over = KnowledgeError("it unpacks to more text than any book has: split it")
            if self._over is not None:
                raise self._over

        page.extract_text(visitor_text=collect, visitor_operand_before=check)
        check()


def _title(meta: Any) -> str | None:
    title = str(meta.get("/Title") or "").strip()
    made_from_a_file = title.lower().startswith("microsoft word - ")
    return None if title.lower() in _NO_TITLES or made_from_a_file else title or None


def _outline(reader: Any) -> dict[str, int]:
    """Return the titles of the outline with their depths, from 1."""
    titles: dict[str, int] = {}
    pending: list[tuple[Any, int]] = [(reader.outline, 0)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, list):
            pending += [(part, depth + 1) for part in item]
        elif getattr(item, "title", None):
            titles.setdefault(str(item.title), depth)
    return titles
