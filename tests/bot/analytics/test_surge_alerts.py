"""Surges of a home's own counts, and which of them are one and the same."""

from dataclasses import replace
from datetime import date

from bot.analytics.surge_alerts import Surge, merge_intents

PARCELS = Surge("topic:ants", date(2026, 3, 4), date(2026, 3, 6), 12, 2.0, 6.0)
DELIVERY = Surge("delivery", date(2026, 3, 5), date(2026, 3, 5), 30, 14.0, 4.0)
WITHIN = {"topic:ants": "delivery", "topic:late": "delivery", "topic:else": "oos"}


def test_a_topic_speaks_for_the_intent_it_lies_in() -> None:
    found = [DELIVERY, PARCELS]
    assert merge_intents(found, WITHIN) == [replace(PARCELS, also=("delivery",))]
    other = replace(PARCELS, topic="topic:late")
    assert [one.also for one in merge_intents([*found, other], WITHIN)] == [("delivery",)] * 2


def test_topics_of_two_languages_explain_together_what_neither_does() -> None:
    english, chinese = (
        replace(PARCELS, topic=f"topic:{name}", observed=7) for name in ("ants", "late")
    )
    assert merge_intents([DELIVERY, english], WITHIN) == [DELIVERY, english]
    both = merge_intents([DELIVERY, english, chinese], WITHIN)
    assert [(one.topic, one.also) for one in both] == [
        ("topic:ants", ("delivery",)),
        ("topic:late", ("delivery",)),
    ]


def test_what_a_topic_does_not_explain_is_told_beside_it() -> None:
    few = replace(PARCELS, observed=9)  # 7 of 16 too many
    later = replace(PARCELS, first=date(2026, 3, 6))
    elsewhere = replace(PARCELS, topic="topic:else")
    for other in (few, later, elsewhere):
        assert merge_intents([DELIVERY, other], WITHIN) == [DELIVERY, other]
