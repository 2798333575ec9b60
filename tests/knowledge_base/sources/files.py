"""PDF and Word files as small as they can be, written byte by byte."""

import io
import zipfile
from collections.abc import Sequence

WORD_NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
Words = Sequence[tuple[float, float, float, str]]


def pdf(*pages: Words, title: str = "", stream: bytes | None = None) -> bytes:
    """Return a PDF whose pages show words at (x, y, size, text), in Helvetica.

    `stream` is drawn on the first page instead of words, already packed with zlib.
    """
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", font]
    bodies: list[bytes] = [part.encode() for part in objects]
    kids = []
    for number, words in enumerate(pages):
        drawn = "".join(
            f"BT /F1 {size} Tf {x} {y} Td ({_escaped(text)}) Tj ET\n" for x, y, size, text in words
        ).encode("cp1252")
        packing = ""
        if stream is not None and number == 0:
            drawn, packing = stream, "/Filter /FlateDecode "
        kids.append(len(bodies) + 1)
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(bodies) + 2} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        bodies.append(
            f"<< {packing}/Length {len(drawn)} >>\nstream\n".encode() + drawn + b"\nendstream"
        )
    kid_list = " ".join(f"{kid} 0 R" for kid in kids)
    bodies[1] = f"<< /Type /Pages /Kids [{kid_list}] /Count {len(kids)} >>".encode()
    bodies.append(f"<< /Title ({_escaped(title)}) >>".encode("cp1252"))
    return _file(bodies)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _file(bodies: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{place:010d} 00000 n \n" for place in places).encode()
    out += f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R /Info {len(bodies)} 0 R >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def word(body: str, *, styles: str = "", core: str = "", **parts: bytes) -> bytes:
    """Return a Word file with this body, these styles and these properties, all in XML."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "word/document.xml", f"<w:document {WORD_NAMES}><w:body>{body}</w:body></w:document>"
        )
        archive.writestr("word/styles.xml", f"<w:styles {WORD_NAMES}>{styles}</w:styles>")
        if core:
            archive.writestr("docProps/core.xml", core)
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", content)
    return packed.getvalue()
