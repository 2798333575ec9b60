from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.text.numbers import parse, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"), ("1,249", "1249"), ("1,249.50", "1249.50"), ("49,99", "49.99"),
        ("1.249,50", "1249.50"), ("1.2万", "12000"), ("3k", "3000"), ("12 k", "12000"),
        ("twenty-five", "25"), ("one hundred and twenty", "120"), ("two thousand five", "2005"),
        ("a hundred", "100"), ("三", "3"), ("十", "10"), ("十二", "12"), ("二十", "20"),
        ("两百", "200"), ("两百五", "250"), ("一百零五", "105"), ("一万二", "12000"),
        ("三千五百", "3500"), ("三万五千", "35000"), ("一亿", "100000000"), ("俩", "2"),
        ("二〇二六", "2026"), ("二零二六", "2026"),
    ],
)  # fmt: skip
def test_numbers_are_read(text: str, value: str) -> None:
    assert parse(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "one two", "两三", "三四", "abc", "twenty thirty", "五五折"])
def test_what_is_vague_or_no_number_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_number_is_written_without_needless_zeros() -> None:
    assert plain(Decimal("3.00")) == "3"
    assert plain(Decimal("12.5")) == "12.50"


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789.,kK 一二三十百千万亿零两俩onetwhudra-", max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    parse(text)
