"""The page of figures: its charts and its words."""

from ui import insights_charts, insights_views
from ui.insights_words import words
from ui.tongue import CHINESE, ENGLISH


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words(ENGLISH), words(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []


def test_what_customers_wrote_is_no_markup() -> None:
    told = [{"examples": ["<img src=x onerror=alert(1)>"]}]
    assert "<img" not in insights_views.examples(told, 0)
    about = {"topic": "x", "kind": "discovered", "name": "<b>"}
    rows = [{**about, "day": "2026-01-01", "negative": 1, "neutral": 0, "positive": 0}]
    drawn = insights_charts.voice(rows, [{"day": "2026-01-01"}], words(ENGLISH))
    assert "<b>" not in drawn
    assert 'fill-opacity="1.00"' in drawn


def test_a_day_is_as_tall_as_its_conversations() -> None:
    ended = dict.fromkeys(insights_charts.OUTCOMES, 0)
    days = [
        {"day": "2026-01-01", "conversations": 4, "outcomes": {**ended, "handoff": 4}},
        {"day": "2026-01-02", "conversations": 0, "outcomes": ended},
    ]
    drawn = insights_charts.outcomes(days, words(ENGLISH))
    assert drawn.count('<rect class="handoff" x=') == 1
    assert 'height="200.0"' in drawn


def test_alarms_of_these_days_are_told_at_length_and_earlier_ones_named() -> None:
    surge = {
        "topic": "topic:1",
        "kind": "discovered",
        "name": "ants",
        "also": "Delivery",
        "first": "2026-03-30",
        "last": "2026-03-31",
        "observed": 9,
        "expected": 1.0,
        "changes": [{"version": "kb-7", "changed": ["a/b"]}],
        "examples": [{"text": "ants!"}, {"text": "ants!"}, {"text": "more ants"}],
    }
    old = {**surge, "name": "moths", "first": "2026-03-02", "last": "2026-03-02"}
    page = {
        "period": {"synthetic": False, "last": "2026-03-31"},
        "figures": {"conversations": 10},
    }
    for tongue, within in ((ENGLISH, "within Delivery"), (CHINESE, "属于：Delivery")):
        said = words(tongue)
        told = insights_views._alarm(said, page, [surge, old])
        assert "**ants**" in told
        assert within in told
        assert told.count("ants!") == 1
        assert "kb-7" in told
        assert "**moths**" not in told
        assert "moths (2026-03-02)" in told
        assert said["surge_none"] not in told
        assert said["surge_none"] in insights_views._alarm(said, page, [old])
