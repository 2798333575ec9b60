import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.documents import KnowledgeError
from knowledge_base.sources.document_builder import (
    DocumentBuilder,
    SourceMetadata,
    parse_metadata,
    primary_language,
)


def test_dates_are_kept_as_iso_dates() -> None:
    found = parse_metadata({"valid_from": "2026-01-01", "valid_until": "2026-12-31T23:59:00Z"})
    assert (found.valid_from, found.valid_until) == ("2026-01-01", "2026-12-31")


@pytest.mark.parametrize("value", ["2026-13-01", "31.12.2026", "soon", "2026", 20261231.5])
def test_a_wrong_date_is_named_with_its_key(value: object) -> None:
    with pytest.raises(KnowledgeError, match=f"valid_until is '{value}'.*write it like"):
        parse_metadata({"valid_until": value})


def test_dates_in_the_wrong_order_are_named() -> None:
    with pytest.raises(KnowledgeError, match="from 2026-02-01 until 2026-01-01"):
        parse_metadata({"valid_from": "2026-02-01", "valid_until": "2026-01-01"})


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a, b;c|d，e", ("a", "b", "c", "d", "e")), (["a", " a ", 7, None], ("a", "7")),
        ("gift cards", ("gift cards",)), (None, ()), ("", ()),
    ],
)  # fmt: skip
def test_tags_are_a_list_or_words_with_marks_between(value: object, tags: tuple[str, ...]) -> None:
    assert parse_metadata({"tags": value}).tags == tags


@pytest.mark.parametrize("found", [{"tags": 3}, {"tags": [["a"]]}, {"title": ["a"]}, {"url": {}}])
def test_values_of_a_wrong_kind_are_refused(found: dict[str, object]) -> None:
    with pytest.raises(KnowledgeError, match="must be"):
        parse_metadata(found)


@pytest.mark.parametrize(
    ("code", "language"),
    [("zh-CN", "zh"), ("EN_us", "en"), ("fil", "fil"), ("", None), (None, None), (" de ", "de")],
)
def test_the_region_is_no_part_of_a_language(code: str | None, language: str | None) -> None:
    assert primary_language(code) == language


_STEP = st.one_of(
    st.tuples(st.just("heading"), st.integers(1, 4), st.text("HI \n", max_size=4)),
    st.tuples(st.just("paragraph"), st.just(0), st.text("ab \n", max_size=8)),
    st.tuples(st.just("line"), st.integers(0, 2), st.text("cd ", max_size=8)),
)


@given(st.lists(_STEP, max_size=25))
def test_sections_lie_on_their_words_and_nothing_is_lost(steps: list[tuple[str, int, str]]) -> None:
    builder = DocumentBuilder()
    for kind, number, text in steps:
        if kind == "heading":
            builder.heading(number, text)
        elif kind == "paragraph":
            builder.paragraph(text)
        else:
            builder.line(text, number)
    said = [text.strip() for kind, _, text in steps if kind != "heading" and text.strip()]
    if not said:
        with pytest.raises(KnowledgeError, match="no text"):
            builder.document("a", SourceMetadata())
        return
    loaded = builder.document("a", SourceMetadata())
    covered = "".join(loaded.text[s.start : s.end] for s in loaded.sections)
    assert "".join(covered.split()) == "".join("".join(said).split())
    assert "".join(loaded.text.split()) == "".join(covered.split())
    for one, other in zip(loaded.sections, loaded.sections[1:], strict=False):
        assert one.end < other.start
    for section in loaded.sections:
        assert loaded.text[section.start : section.end].strip()
