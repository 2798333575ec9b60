"""What a conversation has been about."""

import pytest

from bot.core import intent_history
from bot.core.types import IntentScore


def scores(**chances: float) -> list[IntentScore]:
    return [IntentScore(intent, chance) for intent, chance in chances.items()]


def test_what_was_said_last_counts_most_and_the_rest_fades() -> None:
    first = intent_history.update_history((), scores(refund=0.9, invoice=0.1))
    assert first == (("refund", 0.9), ("invoice", 0.1))
    second = intent_history.update_history(first, scores(invoice=0.8, refund=0.1))
    assert dict(second) == pytest.approx({"invoice": 0.85, "refund": 0.55})
    assert second[0][0] == "invoice"


def test_what_hardly_counts_is_left_out() -> None:
    about = intent_history.update_history((), scores(refund=1.0))
    for _ in range(7):
        about = intent_history.update_history(about, scores(invoice=1.0))
    assert [intent for intent, _ in about] == ["invoice"]


def test_the_order_does_not_hang_on_the_order_of_the_ranking() -> None:
    assert intent_history.update_history((), scores(b=0.5, a=0.5)) == intent_history.update_history(
        (), scores(a=0.5, b=0.5)
    )
