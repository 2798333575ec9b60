"""The page of figures: its charts and its words."""

from datetime import UTC, date, datetime

from bot.analytics.reports import FIGURES
from ui.i18n import CHINESE, ENGLISH
from ui.screens.insights import charts, views
from ui.screens.insights.texts import get_texts


def test_both_languages_have_the_same_words() -> None:
    english, chinese = get_texts(ENGLISH), get_texts(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []


def test_what_customers_wrote_is_no_markup() -> None:
    clusters = [{"examples": ["<img src=x onerror=alert(1)>"]}]
    assert "<img" not in views.examples(clusters, 0)
    topic = {"topic": "x", "kind": "discovered", "name": "<b>"}
    rows = [{**topic, "day": "2026-01-01", "negative": 1, "neutral": 0, "positive": 0}]
    chart = charts.voice_chart(rows, [{"day": "2026-01-01"}], get_texts(ENGLISH))
    assert "<b>" not in chart
    assert 'fill-opacity="1.00"' in chart


def test_a_day_is_as_tall_as_its_conversations() -> None:
    outcomes = dict.fromkeys(charts.OUTCOMES, 0)
    days = [
        {"day": "2026-01-01", "conversations": 4, "outcomes": {**outcomes, "handoff": 4}},
        {"day": "2026-01-02", "conversations": 0, "outcomes": outcomes},
    ]
    chart = charts.outcomes_chart(days, get_texts(ENGLISH))
    assert chart.count('<rect class="handoff" x=') == 1
    assert 'height="200.0"' in chart


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
    past_surge = {**surge, "name": "moths", "first": "2026-03-02", "last": "2026-03-02"}
    page = {
        "period": {"synthetic": False, "last": "2026-03-31"},
        "figures": {"conversations": 10},
    }
    for locale, within in ((ENGLISH, "within Delivery"), (CHINESE, "属于：Delivery")):
        texts = get_texts(locale)
        alarm = views._alarm(texts, page, [surge, past_surge])
        assert "**ants**" in alarm
        assert within in alarm
        assert alarm.count("ants!") == 1
        assert "kb-7" in alarm
        assert "**moths**" not in alarm
        assert "moths (2026-03-02)" in alarm
        assert texts["surge_none"] not in alarm
        assert texts["surge_none"] in views._alarm(texts, page, [past_surge])


def test_each_column_leads_to_what_it_counts_and_the_period_before_to_its_days() -> None:
    for locale in (ENGLISH, CHINESE):
        for table in ("intent", "topic", "article"):
            headings = get_texts(locale)[f"{table}_columns"].split("|")
            columns = [views.figure_of_column(table, number) for number in range(len(headings))]
            assert {figure for figure, _ in columns} <= FIGURES.keys()
            before = [
                heading
                for heading, (_, is_before) in zip(headings, columns, strict=True)
                if is_before
            ]
            assert before == [] if table == "article" else before[0] in {"Previous", "上期"}
    assert views.figure_of_column("article", 4) == ("thumb_down", False)
    days = views.period_before(30)
    first, last = (date.fromisoformat(days[name]) for name in ("first", "last"))
    assert (last - first).days == 29
    assert (datetime.now(UTC).date() - last).days == 30
