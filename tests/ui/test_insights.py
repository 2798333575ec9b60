"""The page of figures: its charts and its words."""

from datetime import UTC, date, datetime

from bot.analytics.reports import FIGURES
from ui.i18n import CHINESE, ENGLISH
from ui.screens.insights import charts, views
from ui.screens.insights.texts import words


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words(ENGLISH), words(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []


def test_what_customers_wrote_is_no_markup() -> None:
    told = [{"examples": ["<img src=x onerror=alert(1)>"]}]
    assert "<img" not in views.examples(told, 0)
    about = {"topic": "x", "kind": "discovered", "name": "<b>"}
    rows = [{**about, "day": "2026-01-01", "negative": 1, "neutral": 0, "positive": 0}]
    drawn = charts.voice(rows, [{"day": "2026-01-01"}], words(ENGLISH))
    assert "<b>" not in drawn
    assert 'fill-opacity="1.00"' in drawn


def test_a_day_is_as_tall_as_its_conversations() -> None:
    ended = dict.fromkeys(charts.OUTCOMES, 0)
    days = [
        {"day": "2026-01-01", "conversations": 4, "outcomes": {**ended, "handoff": 4}},
        {"day": "2026-01-02", "conversations": 0, "outcomes": ended},
    ]
    drawn = charts.outcomes(days, words(ENGLISH))
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
        told = views._alarm(said, page, [surge, old])
        assert "**ants**" in told
        assert within in told
        assert told.count("ants!") == 1
        assert "kb-7" in told
        assert "**moths**" not in told
        assert "moths (2026-03-02)" in told
        assert said["surge_none"] not in told
        assert said["surge_none"] in views._alarm(said, page, [old])


def test_each_column_leads_to_what_it_counts_and_the_period_before_to_its_days() -> None:
    for tongue in (ENGLISH, CHINESE):
        for table in ("intent", "topic", "article"):
            headings = words(tongue)[f"{table}_columns"].split("|")
            found = [views.counted(table, at) for at in range(len(headings))]
            assert {figure for figure, _ in found} <= FIGURES.keys()
            before = [heading for heading, (_, is_it) in zip(headings, found, strict=True) if is_it]
            assert before == [] if table == "article" else before[0] in {"Before", "上期"}
    assert views.counted("article", 4) == ("thumb_down", False)
    days = views.earlier(30)
    first, last = (date.fromisoformat(days[name]) for name in ("first", "last"))
    assert (last - first).days == 29
    assert (datetime.now(UTC).date() - last).days == 30
