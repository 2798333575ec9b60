import pytest

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.markdown import read_markdown, read_plain


def read(source: str) -> Document:
    (only,) = read_markdown(source, "guide.md")
    return only


def test_front_matter_tells_how_long_it_is_true() -> None:
    loaded = read("---\nvalid_from: 2026-01-01\nvalid_until: '2026-12-31'\n---\nText.")
    assert (loaded.valid_from, loaded.valid_until) == ("2026-01-01", "2026-12-31")
    assert loaded.sha256 != read("---\nvalid_from: 2026-01-01\n---\nText.").sha256


@pytest.mark.parametrize("value", ["2026-02-30", "tomorrow", "[a, b]"])
def test_a_wrong_date_in_front_matter_is_named(value: str) -> None:
    with pytest.raises(KnowledgeError, match=r"front matter is wrong.*valid_until"):
        read(f"---\nvalid_until: {value}\n---\nText.")


def test_words_that_yaml_knows_are_still_words() -> None:
    loaded = read(
        "---\nlanguage: no\ntitle: 2026\nurl: null\naudience:\ntags: [yes, 1]\n---\nText."
    )
    assert (loaded.language, loaded.title, loaded.url, loaded.audience) == (
        "no",
        "2026",
        None,
        None,
    )
    assert loaded.tags == ("yes", "1")


def test_front_matter_that_repeats_itself_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(KnowledgeError, match="title must be one text"):
        read("---\n" + "\n".join(lines) + "\ntitle: *a29\n---\nText.")


def test_items_and_rows_are_lines_below_what_leads_into_them() -> None:
    loaded = read(
        "Bring:\n\n- a tent\n- a bag\n  with\n  straps\n\n  and more\n   1. blue\n\n"
        "Then come.\n\nFees:\n\n| a | b |\n|---|---|\n| c | d |\n\n| e |\n|---|\n| f |\n"
    )
    assert loaded.text == (
        "Bring:\na tent\na bag with straps\nand more\nblue\n\nThen come.\n\n"
        "Fees:\na | b\nc | d\n\ne\nf"
    )


def test_two_lists_with_words_between_stand_apart() -> None:
    assert read("- a\n- b\n\nwords\n\n1. c\n2. d").text == "a\nb\n\nwords\nc\nd"


def test_plain_paragraphs_stand_apart() -> None:
    (loaded,) = read_plain("One\nline.\n\n\nTwo.", "opening_hours.txt")
    assert (loaded.title, loaded.text) == ("opening hours", "One\nline.\n\nTwo.")
