import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.chunking import MAX_CHARACTERS, MAX_HAN_CHARACTERS, chunk, sentences
from knowledge_base.documents import Document, Section

_PIECES = (
    "word ", "Parcels leave daily. ", "Really?! ", "3.5 kg ", "退货很简单。", "请问，可以吗？",
    "；", "\n", "\n\n", " \n \n ", "| a | b |\n", "x" * 700, "好" * 300, "   ",
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = ""
    sections: list[Section] = []
    for number in range(draw(st.integers(1, 3))):
        body = "".join(draw(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=60))).strip()
        if not body:
            continue
        text += "\n\n" if text else ""
        sections.append(Section((f"Heading {number}",), len(text), len(text) + len(body)))
        text += body
    return Document("a.md", "Title", text, tuple(sections))


def limit(text: str) -> int:
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    return MAX_HAN_CHARACTERS if han * 3 > len(text) else MAX_CHARACTERS


@settings(max_examples=50, deadline=None)
@given(documents())
def test_offsets_of_chunks_lead_to_their_text(document: Document) -> None:
    for part in chunk(document):
        assert document.text[part.start : part.end] == part.text
        assert part.text


@settings(max_examples=50, deadline=None)
@given(documents())
def test_no_chunk_crosses_a_section_or_a_limit(document: Document) -> None:
    for part in chunk(document):
        (home,) = [s for s in document.sections if s.headings == part.headings]
        assert home.start <= part.start < part.end <= home.end
        assert len(part.text) <= limit(document.text[home.start : home.end])


@settings(max_examples=50, deadline=None)
@given(documents())
def test_nothing_is_lost_and_nothing_said_twice(document: Document) -> None:
    parts = chunk(document)
    for one, following in itertools.pairwise(parts):
        assert one.end <= following.start
    covered = {at for part in parts for at in range(part.start, part.end)}
    words = {at for at, character in enumerate(document.text) if not character.isspace()}
    assert words <= covered
    assert len({part.id for part in parts}) == len(parts)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join), st.integers(0, 9))
def test_spans_of_sentences_are_trimmed_ordered_and_complete(text: str, shift: int) -> None:
    spans = list(sentences(text, shift))
    at = 0
    for start, end in spans:
        piece = text[start - shift : end - shift]
        assert piece == piece.strip() != ""
        assert start - shift >= at
        assert not text[at : start - shift].strip()
        at = end - shift
    assert not text[at:].strip()


def test_english_sentences_end_at_marks_followed_by_a_blank() -> None:
    text = "It costs 3.50 euros. Really? Yes! See shop.example for more"
    assert [text[a:b] for a, b in sentences(text)] == [
        "It costs 3.50 euros.",
        "Really?",
        "Yes!",
        "See shop.example for more",
    ]


def test_chinese_sentences_need_no_blank() -> None:
    text = "退货免费。运费呢？我们付；放心！谢谢"
    assert [text[a:b] for a, b in sentences(text)] == [
        "退货免费。",
        "运费呢？",
        "我们付；",
        "放心！",
        "谢谢",
    ]


def test_lines_are_sentences_of_their_own() -> None:
    text = "Norway | 9 €\nSweden | 8 €"
    assert list(sentences(text, 100)) == [(100, 112), (113, 125)]


def test_a_blank_text_has_no_sentences() -> None:
    assert list(sentences(" \n ")) == []


def test_a_short_section_is_one_chunk() -> None:
    text = "One paragraph.\n\nAnother one."
    (part,) = chunk(Document("a", "Title", text, (Section(("Title", "Sub"), 0, len(text)),)))
    assert part.text == text
    assert part.heading == "Title › Sub"


def test_a_document_without_sections_is_cut_all_the_same() -> None:
    (part,) = chunk(Document("a", "Title", "Just a line.", language="en", url="https://u.example"))
    assert (part.text, part.headings) == ("Just a line.", ())
    assert (part.article, part.language, part.url) == ("a", "en", "https://u.example")


def test_a_long_section_is_cut_between_paragraphs() -> None:
    paragraph = "Tents dry best in the shade. " * 20
    text = "\n\n".join([paragraph.strip()] * 4)
    parts = chunk(Document("a", "T", text))
    assert len(parts) == 2
    assert all(part.text.startswith("Tents") and part.text.endswith("shade.") for part in parts)


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    parts = chunk(Document("a", "T", "Tents dry best in the shade. " * 100))
    assert len(parts) > 1
    assert all(part.text.endswith("shade.") for part in parts)


def test_a_long_chinese_section_gets_shorter_chunks() -> None:
    parts = chunk(Document("a", "T", "帐篷要在阴凉处晾干。" * 100))
    assert all(len(part.text) <= MAX_HAN_CHARACTERS for part in parts)
    assert all(part.text.endswith("。") for part in parts)


def test_a_long_run_of_blanks_makes_no_blank_chunk() -> None:
    parts = chunk(Document("a", "T", "Left" + " " * 3 * MAX_CHARACTERS + "right"))
    assert [part.text.strip() for part in parts if not part.text.strip()] == []


def test_the_id_of_a_chunk_depends_on_its_words_and_headings_alone() -> None:
    one = Document("a", "T", "Text.", (Section(("H",), 0, 5),))
    same = Document("a", "T", "Text.", (Section(("H",), 0, 5),), url="https://u.example")
    other = Document("a", "T", "Text.", (Section(("G",), 0, 5),))
    assert chunk(one)[0].id == chunk(same)[0].id
    assert chunk(one)[0].id != chunk(other)[0].id
