from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.sources.document_builder import DocumentBuilder, SourceMetadata
from knowledge_base.sources.page_layout import TextFragment, width, write


def text_of(pieces: Sequence[TextFragment], pages: int = 1) -> str:
    builder = DocumentBuilder()
    write(pieces, dict.fromkeys(range(pages), 842.0), {}, builder)
    return builder.document("a.pdf", SourceMetadata()).text


def test_chinese_lines_are_joined_without_blanks() -> None:
    lines = ("七天内可以退货请保留包装寄回时附上订单号码", "并且写上姓名。")
    pieces = [TextFragment(text, 0, 72, 700 - 16 * n, 11) for n, text in enumerate(lines)]
    assert text_of(pieces) == "".join(lines)


def test_words_drawn_apart_on_one_line_are_one_line() -> None:
    pieces = [
        TextFragment("Pack the ", 0, 72, 700, 11),
        TextFragment("whole", 0, 116, 700, 11),
        TextFragment(" item", 0, 143, 700, 11),
        TextFragment("s", 0, 165, 700.4, 11),
    ]
    assert text_of(pieces) == "Pack the whole items"


def test_a_cell_that_fills_its_column_is_still_a_cell() -> None:
    rows = (("Norway", "9"), ("Sweden and the islands around it", "8"), ("Fiji", "7"))
    edge = 72 + width(rows[1][0], 11) + 4
    pieces = [
        TextFragment(cell, 0, x, 700 - 18 * n, 11)
        for n, row in enumerate(rows)
        for x, cell in zip((72, edge), row, strict=True)
    ]
    assert text_of(pieces) == "Norway | 9\nSweden and the islands around it | 8\nFiji | 7"


def test_joined_letters_are_taken_apart_and_soft_hyphens_go() -> None:
    assert (
        text_of([TextFragment("The o\ufb03ce con\u00adfirms", 0, 72, 700, 11)])
        == "The office confirms"
    )


def test_single_lines_with_a_gap_are_no_table() -> None:
    pieces = [TextFragment("Name:", 0, 72, 700, 11), TextFragment("Ann", 0, 300, 700, 11)]
    assert text_of(pieces) == "Name: Ann"


_WORDS = st.text("abcdefg 退货,", min_size=1, max_size=30).filter(str.strip)


@given(
    st.lists(
        st.builds(
            TextFragment,
            _WORDS,
            st.just(0),
            st.floats(50, 500),
            st.floats(50, 780),
            st.just(11.0),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_no_letter_is_lost_wherever_it_stands(pieces: list[TextFragment]) -> None:
    letters = sorted(c for piece in pieces for c in piece.text if c.isalpha())
    if letters:
        assert sorted(c for c in text_of(pieces) if c.isalpha()) == letters
