import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.chunking import MAX_PIECES, chunk, sentences
from knowledge_base.documents import Chunk, Document, Section

_PIECES = (
    "word ", "Parcels leave daily. ", "Really?! ", "3.5 kg ", "退货很简单。", "请问，可以吗？",
    "；", "\n", "\n\n", " \n \n ", "| a | b |\n", "x" * 700, "好" * 300, "   ", "Norway | 9 €\n",
    "Bring:\n", "- a tent\n", "请准备：\n", "a | " * 90 + "\n", "|---|---|\n",
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


def pieces(text: str) -> float:
    """Estimate word pieces the way the module says: five letters of a word, or a wide character."""
    wide = sum(character >= "\u2e80" for character in text)
    letters = sum(character.isalpha() for character in text) - len(
        re.findall(r"[\u2e80-\uffff]", text)
    )
    return 0.8 * wide + 0.2 * letters


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
        (home,) = [s for s in document.sections if s.headings == part.headings[:1]]
        assert home.start <= part.start < part.end <= home.end
        assert pieces(part.text) <= MAX_PIECES
        assert len(part.text) <= 5 * MAX_PIECES


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
    paragraph = "Tents dry best in the shade. " * 14
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
    assert all(len(part.text) <= 320 for part in parts)
    assert all(part.text.endswith("。") for part in parts)


def test_a_long_run_of_blanks_makes_no_blank_chunk() -> None:
    parts = chunk(Document("a", "T", "Left" + " " * 15 * MAX_PIECES + "right"))
    assert [part.text.strip() for part in parts if not part.text.strip()] == []


def test_the_id_of_a_chunk_depends_on_its_words_and_headings_alone() -> None:
    one = Document("a", "T", "Text.", (Section(("H",), 0, 5),))
    same = Document("a", "T", "Text.", (Section(("H",), 0, 5),), url="https://u.example")
    other = Document("a", "T", "Text.", (Section(("G",), 0, 5),))
    assert chunk(one)[0].id == chunk(same)[0].id
    assert chunk(one)[0].id != chunk(other)[0].id


@settings(max_examples=50, deadline=None)
@given(documents())
def test_a_cut_never_goes_through_a_row_that_fits(document: Document) -> None:
    for part in chunk(document):
        for at in (part.start, part.end):
            left = document.text.rfind("\n", 0, at) + 1
            right = document.text.find("\n", at)
            line = document.text[left : right if right >= 0 else None]
            inside = line[: at - left].strip() and line[at - left :].strip()
            assert not inside or len(line) > MAX_PIECES, line


def cut_in_two(text: str) -> list[Chunk]:
    parts = chunk(Document("a", "T", text, (Section(("Fees",), 0, len(text)),)))
    assert len(parts) > 1
    assert parts[0].headings == ("Fees",)
    for part in parts:
        assert text[part.start : part.end] == part.text
    return parts


def test_a_table_that_is_cut_keeps_its_header_among_the_headings() -> None:
    rows = [f"Country number {n} of the long list | {n} €" for n in range(80)]
    text = "The fees are:\n" + "\n".join(["Country | Fee", *rows])
    for part in cut_in_two(text)[1:]:
        assert part.headings == ("Fees", "Country | Fee")
        assert part.heading == "T › Fees › Country | Fee"
        assert all(line in rows for line in part.text.split("\n"))


def test_a_list_that_is_cut_keeps_what_leads_into_it() -> None:
    items = [f"a thing that everybody needs, number {n}." for n in range(80)]
    text = "Before you leave. Please bring the following:\n" + "\n".join(items)
    for part in cut_in_two(text)[1:]:
        assert part.headings == ("Fees", "Please bring the following:")
        assert all(line in items for line in part.text.split("\n"))


def test_a_lead_in_may_stand_in_a_paragraph_of_its_own() -> None:
    items = [f"- 每个人都需要的东西，编号{n}" for n in range(60)]
    for part in cut_in_two("请准备：\n\n" + "\n".join(items))[1:]:
        assert part.headings[-1] == "请准备："


def test_a_lead_in_is_not_left_behind() -> None:
    before = "Tents dry best in the shade. " * 29
    items = "\n".join(f"- a thing that everybody needs, number {n}" for n in range(30))
    text = f"{before.strip()}\nPlease bring:\n{items}"
    first, second, *_ = cut_in_two(text)
    assert first.text.endswith("shade.")
    assert second.text.startswith("Please bring:")


def test_a_paragraph_after_a_list_has_nothing_to_do_with_it() -> None:
    text = "Bring:\n- a tent\n\n" + "Tents dry best in the shade. " * 60
    assert {part.headings for part in cut_in_two(text)} == {("Fees",)}


def test_a_second_table_has_its_own_header() -> None:
    rows = "\n".join(f"Country number {n} of the long list | {n} €" for n in range(20))
    text = f"A | B\n{rows}\n\nC | D\n{rows}\n{rows}\n{rows}"
    assert [part.headings[-1] for part in cut_in_two(text)[1:]][-1] == "C | D"


def test_a_row_that_alone_is_too_long_is_cut_between_sentences() -> None:
    row = "Tent | " + "It dries best in the shade. " * 60
    parts = cut_in_two(f"Product | Care\n{row}\nPack | none")
    assert all(part.text.endswith(("shade.", "none")) for part in parts)
    assert all(part.headings[-1] == "Product | Care" for part in parts[1:])


def test_a_very_long_header_is_shortened() -> None:
    header = " | ".join(f"column {n}" for n in range(40))
    rows = "\n".join(f"Country number {n} of the long list | {n} €" for n in range(80))
    assert all(len(part.headings[-1]) <= 160 for part in cut_in_two(f"{header}\n{rows}"))


def test_a_sentence_without_end_is_cut_between_words() -> None:
    words = [f"word{n}" for n in range(600)]
    parts = chunk(Document("a", "T", " ".join(words)))
    assert [word for part in parts for word in part.text.split()] == words
    assert len(parts) > 1
