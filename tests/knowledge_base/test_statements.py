from dataclasses import replace

import pytest

from knowledge_base import scopes, statements
from tests.knowledge_base.fakes import passage


def test_offsets_of_statements_are_those_of_the_article() -> None:
    chunk = passage("You have 60 days. It must be unused.", start=40)
    found = statements.of(chunk)
    assert [s.text for s in found] == ["You have 60 days.", "It must be unused."]
    for statement in found:
        assert chunk.text[statement.start - 40 : statement.end - 40] == statement.text


def test_rows_of_a_table_know_the_cells_above_them() -> None:
    first, second = statements.of(passage("Way | Time\n--- | ---\nMail | 2 days\nChat | 1 hour"))
    assert first.row == ("Mail", "2 days")
    assert first.header == second.header == ("Way", "Time")


def test_the_header_of_a_table_cut_in_two_stands_in_the_headings() -> None:
    cut = replace(passage("Chat | 1 hour"), headings=("Contact", "Way | Time"))
    (row,) = statements.of(cut)
    assert row.header == ("Way", "Time")


def test_a_heading_limits_the_sentences_below_it() -> None:
    here = replace(passage("Open from 10:00."), headings=("Shops", "Hong Kong"))
    assert statements.of(here)[0].scopes["place"] == {"hong kong"}
    both = replace(passage("Open from 10:00."), headings=("London and Hong Kong",))
    assert "place" not in statements.of(both)[0].scopes


def test_forms_of_a_word_are_one_word() -> None:
    assert set(statements.words("They delivered it")) & set(statements.words("on delivery"))
    assert statements.words("sent back") == statements.words("returned")
    assert statements.words("退款") == statements.words("退款")
    assert set(statements.words("退貨")) == set(statements.words("退货"))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Monday to Wednesday", "mon tue wed"),
        ("Saturday–Monday", "sat sun mon"),
        ("周一至周三", "mon tue wed"),
        ("at weekends", "sat sun"),
        ("每天", "mon tue wed thu fri sat sun"),
        ("no day", ""),
    ],
)
def test_weekdays_are_spelled_out(text: str, days: str) -> None:
    assert scopes.weekdays(text) == set(days.split())


def test_a_sentence_says_what_it_is_about() -> None:
    text = "With standard shipping to Canada you pay by bank transfer."
    assert scopes.named(text) == {
        "place": {"canada"},
        "speed": {"standard"},
        "payment": {"transfer"},
    }
