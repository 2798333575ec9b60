import io
import zipfile

import pytest

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import docx
from knowledge_base.sources.docx import read_docx
from tests.knowledge_base.sources.files import WORD_NAMES, word

STYLES = """
<w:style w:styleId="Titel"><w:name w:val="Title"/></w:style>
<w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="berschrift2"><w:name w:val="Heading 2"/><w:basedOn w:val="1"/></w:style>
<w:style w:styleId="Own"><w:name w:val="Our own"/><w:basedOn w:val="berschrift2"/></w:style>
<w:style w:styleId="Lined"><w:name w:val="Lined"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>
<w:style w:styleId="LB"><w:name w:val="List Bullet"/></w:style>
<w:style w:styleId="T1"><w:name w:val="toc 1"/></w:style>
"""
CORE = """<?xml version="1.0" encoding="UTF-8"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Rental &amp; more</dc:title>
<cp:keywords>tents, rent</cp:keywords><dc:language>zh-CN</dc:language></cp:coreProperties>"""


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def paragraph(text: str, style: str = "", properties: str = "") -> str:
    styled = f"<w:pStyle w:val='{style}'/>" if style else ""
    return f"<w:p><w:pPr>{styled}{properties}</w:pPr>{run(text)}</w:p>"


def table(*rows: tuple[str, ...]) -> str:
    cells = "".join(
        "<w:tr>" + "".join(f"<w:tc>{c if '<' in c else paragraph(c)}</w:tc>" for c in r) + "</w:tr>"
        for r in rows
    )
    return f"<w:tbl>{cells}</w:tbl>"


def document(body: str, styles: str = STYLES, core: str = "") -> Document:
    (only,) = read_docx(word(body, styles=styles, core=core), "guide.docx")
    for section in only.sections:
        assert only.text[section.start : section.end].strip()
    return only


def sections(loaded: Document) -> dict[tuple[str, ...], str]:
    return {s.headings: loaded.text[s.start : s.end] for s in loaded.sections}


def test_styles_make_headings_whatever_their_ids_are() -> None:
    loaded = document(
        paragraph("Rental", "Titel")
        + paragraph("Intro.")
        + paragraph("Prices", "1")
        + paragraph("Cheap.")
        + paragraph("Tents", "berschrift2")
        + paragraph("Five euros.")
        + paragraph("Packs", "Own")
        + paragraph("Six euros.")
        + paragraph("Small", "Lined")
        + paragraph("Four.", "Loop")
    )
    assert sections(loaded) == {
        ("Rental",): "Intro.",
        ("Rental", "Prices"): "Cheap.",
        ("Rental", "Prices", "Tents"): "Five euros.",
        ("Rental", "Prices", "Packs"): "Six euros.",
        ("Rental", "Prices", "Packs", "Small"): "Four.",
    }
    assert loaded.title == "Rental"


def test_items_are_lines_and_rows_are_joined() -> None:
    number = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/></w:numPr>"
    none = "<w:numPr><w:numId w:val='0'/></w:numPr>"
    loaded = document(
        paragraph("Bring:")
        + paragraph("a tent", "LB")
        + paragraph("a bag", properties=number)
        + paragraph("Then come.", "LB", none)
        + table(
            ("Product", "Fee"), ("Tent", ""), ("", ""), (paragraph("Big") + paragraph("bag"), "3")
        )
        + table(("Other", "table"))
    )
    assert loaded.text == (
        "Bring:\na tent\na bag\n\nThen come.\nProduct | Fee\nTent |\nBig bag | 3\n\nOther | table"
    )


def test_a_table_inside_a_cell_stays_in_its_row() -> None:
    inner = table(("a", "b"), ("", ""), ("c", ""))
    assert document(table(("x", paragraph("y") + inner), ("1", "2"))).text == "x | y a, b c\n1 | 2"


def test_words_stay_whole_and_breaks_become_blanks() -> None:
    body = (
        f"<w:p>{run('re')}{run('turn')}<w:r><w:tab/><w:t>now</w:t><w:br/><w:t>or</w:t></w:r></w:p>"
    )
    link = f"<w:p><w:hyperlink>{run('our page')}</w:hyperlink><w:ins>{run(' new')}</w:ins></w:p>"
    assert document(body + link).text == "return now or\n\nour page new"


def test_deleted_hidden_doubled_and_generated_words_are_left_out() -> None:
    names = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    box = f"<w:p>{run('boxed')}</w:p>"
    body = (
        f"<w:p>{run('Kept')}<w:del>{run(' deleted')}</w:del>"
        f"<w:moveFrom>{run(' moved')}</w:moveFrom>"
        f"{run(' secret', '<w:vanish/>')}{run(' shown', '<w:vanish w:val=&quot;0&quot;/>')}</w:p>"
        f"<w:p><w:r><mc:AlternateContent {names}><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
        f"<w:p><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
    ).replace("&quot;", '"')
    assert document(body + paragraph("Contents 3", "T1")).text == "Kept shown\n\nboxed"


def test_heads_and_feet_are_left_out() -> None:
    header = f"<w:hdr {WORD_NAMES}>{paragraph('Confidential')}</w:hdr>".encode()
    (loaded,) = read_docx(word(paragraph("Text."), header1=header, footer1=header), "a.docx")
    assert loaded.text == "Text."


def test_properties_describe_the_document() -> None:
    loaded = document(paragraph("Text."), core=CORE)
    assert (loaded.title, loaded.language) == ("Rental & more", "zh")
    assert loaded.tags == ("tents", "rent")


def test_what_the_properties_do_not_say_stays_unsaid() -> None:
    loaded = document(paragraph("Text."), styles="")
    assert (loaded.title, loaded.language, loaded.tags) == ("guide", None, ())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"no zip at all", "no readable zip"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "protected by a password or of the old format"),
        (word(paragraph("Text."))[:-40], "no readable zip"),
        (word("<w:p>"), "damaged"),
        (word(""), "no text"),
    ],
)
def test_what_is_no_word_file_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(KnowledgeError, match=reason):
        list(read_docx(raw, "a.docx"))


def archive(**parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in parts.items():
            opened.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


def test_another_kind_of_archive_is_no_word_file() -> None:
    with pytest.raises(KnowledgeError, match="no Word document"):
        list(read_docx(archive(xl__workbook="x"), "a.docx"))


def test_names_a_file_defines_itself_are_refused() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("word/document.xml", bomb)
    with pytest.raises(KnowledgeError, match="defines XML entities"):
        list(read_docx(packed.getvalue(), "a.docx"))


def test_a_bomb_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KnowledgeError, match="far more than it should"):
        list(read_docx(word(" " * 40 * 2**20), "a.docx"))
    monkeypatch.setattr(docx, "_MAX_PART", 2**20)
    with pytest.raises(KnowledgeError, match="split it"):
        list(read_docx(word("".join(paragraph(f"Text {n}") for n in range(20_000))), "a.docx"))
