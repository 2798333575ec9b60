import io
import time
import zlib

import pypdf
import pytest

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import pdf as reading
from knowledge_base.sources.pdf import read_pdf
from tests.knowledge_base.sources.files import Words, pdf

LONG = "Customers may return goods within thirty days of the delivery, provided that"


def document(*pages: Words, title: str = "") -> Document:
    return read(pdf(*pages, title=title))


def read(raw: bytes) -> Document:
    (only,) = read_pdf(raw, "guide.pdf")
    return only


def sections(loaded: Document) -> dict[tuple[str, ...], str]:
    return {s.headings: loaded.text[s.start : s.end] for s in loaded.sections}


def written(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def writer_of(raw: bytes) -> pypdf.PdfWriter:
    return pypdf.PdfWriter(clone_from=io.BytesIO(raw))


def test_larger_words_are_headings_and_lines_flow_into_paragraphs() -> None:
    loaded = document(
        [
            (72, 760, 20, "Returns"),
            (72, 720, 11, LONG),
            (72, 706, 11, "they are unused."),
            (72, 670, 11, "A second paragraph."),
            (72, 640, 14, "Costs"),
            (72, 620, 11, "Free."),
        ]
    )
    assert sections(loaded) == {
        ("Returns",): f"{LONG} they are unused.\n\nA second paragraph.",
        ("Returns", "Costs"): "Free.",
    }
    assert loaded.title == "Returns"


def test_a_heading_of_two_lines_is_one() -> None:
    loaded = document([(72, 760, 20, "Sending things"), (72, 738, 20, "back"), (72, 700, 11, LONG)])
    assert list(sections(loaded)) == [("Sending things back",)]


def test_divided_words_are_joined_and_hyphens_kept_where_they_belong() -> None:
    lines = [LONG + " they are in the origi-", "nal packaging, and the well-known", "well-"]
    words = [(72.0, 700 - 14 * n, 11.0, text) for n, text in enumerate([*lines, "known label."])]
    text = document(words).text
    assert "original packaging" in text
    assert text.count("well-known") == 2


def test_what_stands_in_columns_becomes_rows() -> None:
    rows = [("Country", "Fee", "Days"), ("Norway", "9 euros", "5"), ("United Kingdom", "12", "4")]
    words = [(72.0, 760.0, 11.0, "The fees:")]
    for number, row in enumerate(rows):
        words += [(72 + 150 * n, 740 - 18 * number, 11, cell) for n, cell in enumerate(row)]
    words += [(72, 650, 11, "That is all.")]
    assert document(words).text == (
        "The fees:\nCountry | Fee | Days\nNorway | 9 euros | 5\nUnited Kingdom | 12 | 4"
        "\n\nThat is all."
    )


def test_items_stay_lines_and_lose_their_bullets() -> None:
    words = [(72.0, 760.0, 11.0, "Please bring:")]
    for number, item in enumerate(("the tent", "the bag", "1. the label")):
        bullet = [(72, 740 - 18 * number, 11, "•")] if number < 2 else []
        words += [*bullet, (90, 740 - 18 * number, 11, item)]
    assert document(words).text == "Please bring:\nthe tent\nthe bag\n1. the label"


def test_heads_feet_and_page_numbers_are_left_out() -> None:
    pages = [
        [
            (72.0, 800.0, 9.0, "The Handbook"),
            (72.0, 700.0, 16.0, f"Chapter {number}"),
            (72.0, 660.0, 11.0, f"Text of the page {number}."),
            (280.0, 30.0, 9.0, f"Page {number} of 3"),
        ]
        for number in (1, 2, 3)
    ]
    assert sections(document(*pages)) == {
        (f"Chapter {n}",): f"Text of the page {n}." for n in (1, 2, 3)
    }


def test_a_sentence_goes_on_over_the_page() -> None:
    text = document([(72, 60, 11, LONG)], [(72, 780, 11, "they are unused.")]).text
    assert text == f"{LONG} they are unused."


def test_the_outline_makes_headings_where_all_is_one_size() -> None:
    page = [(72.0, 760.0, 11.0, "Returns"), (72.0, 730.0, 11.0, LONG),
            (72.0, 700.0, 11.0, "Costs"), (72.0, 670.0, 11.0, "Free.")]  # fmt: skip
    writer = writer_of(pdf(page))
    top = writer.add_outline_item(title="Returns", page_number=0)
    writer.add_outline_item(title="Costs", page_number=0, parent=top)
    assert sections(read(written(writer))) == {("Returns",): LONG, ("Returns", "Costs"): "Free."}


def test_what_the_file_says_of_itself_is_kept() -> None:
    writer = writer_of(pdf([(72, 700, 11, "Text.")]))
    writer.add_metadata({"/Title": "The guide", "/Keywords": "returns; fees"})
    writer.root_object[pypdf.generic.NameObject("/Lang")] = pypdf.generic.TextStringObject("en-US")
    loaded = read(written(writer))
    assert (loaded.title, loaded.tags, loaded.language) == ("The guide", ("returns", "fees"), "en")


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - draft7.docx"])
def test_titles_that_are_none_are_passed_over(title: str) -> None:
    loaded = document([(72, 760, 20, "Returns"), (72, 700, 11, LONG)], title=title)
    assert loaded.title == "Returns"


def test_a_protected_file_says_so() -> None:
    writer = writer_of(pdf([(72, 700, 11, "Text.")]))
    writer.encrypt("secret", algorithm="RC4-128")
    with pytest.raises(KnowledgeError, match="protected by a password: save a copy without one"):
        read(written(writer))


def test_a_file_that_is_only_locked_against_changes_is_read() -> None:
    writer = writer_of(pdf([(72, 700, 11, "Text.")]))
    writer.encrypt("", "owner", algorithm="RC4-128")
    assert read(written(writer)).text == "Text."


def test_pictures_of_pages_say_so() -> None:
    with pytest.raises(KnowledgeError, match="pictures of pages only: run OCR"):
        document([], [])


@pytest.mark.parametrize(
    "raw",
    [b"%PDF-1.4\nnothing more", b"no pdf", pdf([(72, 700, 11, "Text.")])[:200], b"%PDF-1.7" * 999],
)
def test_damaged_files_say_so(raw: bytes) -> None:
    with pytest.raises(KnowledgeError, match=r"damaged|pictures"):
        read(raw)


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_PAGES", 2)
    with pytest.raises(KnowledgeError, match="3 pages, more than 2: split it"):
        document(*[[(72.0, 700.0, 11.0, "Text.")]] * 3)


def test_too_long_work_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_SECONDS", 0.0)
    with pytest.raises(KnowledgeError, match="split it"):
        document([(72, 700, 11, "Text.")])


def test_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MAX_CHARACTERS", 1000)
    with pytest.raises(KnowledgeError, match="split it"):
        document([(72, 700 - n, 11, LONG) for n in range(50)])


def test_bombs_are_refused_quickly() -> None:
    packed = zlib.compress(b"BT /F1 11 Tf (x) Tj ET\n" * 4_000_000, 9)
    started = time.process_time()
    with pytest.raises(KnowledgeError, match="unpacks to more"):
        read(pdf([], stream=packed))
    assert time.process_time() - started < 40
