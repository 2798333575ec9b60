from datetime import date

import pytest

from knowledge_base.quality import staleness

TODAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The offer is valid until 31 January 2026.", "31 January 2026"),
        ("Valid through 2025.", "2025"),
        ("Order by December 20, 2025 to have it in time.", "December 20, 2025"),
        ("The code expired on 2026-04-30.", "2026-04-30"),
        ("活动截至 2025 年 12 月 31 日。", "2025 年 12 月 31 日"),
        ("有效期至 2024 年。", "2024"),
    ],
)
def test_an_end_that_has_passed_is_found(text: str, said: str) -> None:
    before = "We are glad you are here. "
    (found,) = staleness.find_expired(before + text, TODAY)
    assert found.expiry == said
    assert found.text == text
    assert (before + text)[found.start : found.start + len(found.text)] == found.text


@pytest.mark.parametrize(
    "text",
    [
        "Valid until 31 December 2026.",
        "Valid until 2026.",
        "We have been here since 2019.",
        "Valid from 1 May 2025 until 1 May 2027.",
        "It is valid until the end of the year.",
        "The filter lasts until 2000 litres have passed.",
        "Pay up to $2000 by card.",
        "Standard ISO 2019-1, valid everywhere.",
        "至今已服务 2000 元以上的订单。",
        "",
    ],
)
def test_what_still_holds_is_left_alone(text: str) -> None:
    assert list(staleness.find_expired(text, TODAY)) == []


def test_days_are_iso_dates_or_nothing() -> None:
    assert staleness.parse_date("2026-05-01") == TODAY
    assert staleness.parse_date(None) is staleness.parse_date("soon") is None
