from dataclasses import replace

import pytest

from knowledge_base.quality import claims
from knowledge_base.text import scope_constraints
from tests.knowledge_base.fakes import passage


def test_offsets_of_statements_are_those_of_the_article() -> None:
    chunk = passage("You have 60 days. It must be unused.", start=40)
    found = claims.extract_claims(chunk)
    assert [s.text for s in found] == ["You have 60 days.", "It must be unused."]
    for statement in found:
        assert chunk.text[statement.start - 40 : statement.end - 40] == statement.text


def test_rows_of_a_table_know_the_cells_above_them() -> None:
    first, second = claims.extract_claims(
        passage("Way | Time\n--- | ---\nMail | 2 days\nChat | 1 hour")
    )
    assert first.row == ("Mail", "2 days")
    assert first.header == second.header == ("Way", "Time")


def test_the_header_of_a_table_cut_in_two_stands_in_the_headings() -> None:
    cut = replace(passage("Chat | 1 hour"), headings=("Contact", "Way | Time"))
    (row,) = claims.extract_claims(cut)
    assert row.header == ("Way", "Time")


def test_a_heading_limits_the_sentences_below_it() -> None:
    here = replace(passage("Open from 10:00."), headings=("Shops", "Hong Kong"))
    assert claims.extract_claims(here)[0].scopes["place"] == {"hong kong"}
    both = replace(passage("Open from 10:00."), headings=("London and Hong Kong",))
    assert "place" not in claims.extract_claims(both)[0].scopes


def test_forms_of_a_word_are_one_word() -> None:
    assert set(claims.words("They delivered it")) & set(claims.words("on delivery"))
    assert claims.words("sent back") == claims.words("returned")
    assert claims.words("退款") == claims.words("退款")
    assert set(claims.words("退貨")) == set(claims.words("退货"))


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
    assert scope_constraints.find_weekdays(text) == set(days.split())


def test_a_sentence_says_what_it_is_about() -> None:
    text = "With standard shipping to Canada you pay by bank transfer."
    assert scope_constraints.find_scopes(text) == {
        "place": {"canada"},
        "speed": {"standard"},
        "payment": {"transfer"},
    }
