"""The views of the console, without a browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.types import Route
from bot.nlu import emotion_classifier
from bot.store.accounts import AccessLevel
from ui.i18n import CHINESE, ENGLISH
from ui.screens.console import views
from ui.screens.console.corrections import articles, corrections_html
from ui.screens.console.records import records_html
from ui.screens.console.texts import ConsoleTexts, get_texts

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEXTS = ConsoleTexts(ENGLISH)
ALL = ("", "", "", "", 0)


def conversation(name: str, minutes: float, **values: Any) -> dict[str, Any]:
    since = (NOW - timedelta(minutes=minutes)).isoformat()
    waiting = {"conversation_id": name, "state": "queued", "agent": None, "since": since}
    rest: dict[str, Any] = {
        "mood": "calm",
        "intents": [],
        "language": "en",
        "labels": [],
        "last_text": "hello",
    }
    return {**waiting, **rest, "unanswered_since": None, **values}


def names(queue: list[dict[str, Any]], *filters: Any) -> list[str]:
    response = {"reply_seconds": 300, "conversations": queue}
    return [row[-1] for row in views.queue_rows(response, "ann", filters, NOW, TEXTS)]


def test_both_languages_have_the_same_words() -> None:
    english, chinese = get_texts(ENGLISH), get_texts(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []
    assert english["columns"].count("|") == chinese["columns"].count("|")


def test_who_waits_longest_stands_first_and_filters_leave_the_rest_out() -> None:
    queue = [
        conversation("short", 1, language="zh"),
        conversation("long", 20, mood="angry", intents=["refund", "human"]),
        conversation("mine", 90, state="human", agent="ann"),
    ]
    assert names(queue, *ALL) == ["long", "short", "mine"]
    assert names(queue, "mine", "", "", "", 0) == ["mine"]
    assert names(queue, "waiting", "", "", "", 0) == ["long", "short"]
    assert names(queue, "", "angry", "", "", 0) == ["long"]
    assert names(queue, "", "", "refund", "", 0) == ["long"]
    assert names(queue, "", "", "human", "", 0) == ["long"]
    assert names(queue, "", "", "", "zh", 0) == ["short"]
    assert names(queue, "", "", "", "", 5) == ["long"]


@pytest.mark.parametrize(
    ("state", "minutes", "unanswered", "text"),
    [
        ("queued", 4, None, "4 min"),
        ("queued", 6, None, "⚠ 6 min"),
        ("human", 90, None, "answered"),
        ("human", 90, 7, "⚠ 7 min"),
    ],
)
def test_the_clock_counts_what_the_customer_waits_for(
    state: str, minutes: float, unanswered: float | None, text: str
) -> None:
    since = (NOW - timedelta(minutes=unanswered)).isoformat() if unanswered else None
    waiting = conversation("c", minutes, state=state, agent="ann", unanswered_since=since)
    assert views.clock_text(waiting, NOW, 300, TEXTS) == text


def test_what_customers_and_colleagues_wrote_is_no_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    file = {"id": evil, "name": evil, "media_type": "image/png", "size": 1}
    line = {"role": "customer", "text": evil, "attachments": [file, {**file, "media_type": evil}]}
    lines = views.transcript_messages([line], TEXTS)
    assert lines[0]["content"].count('<img src="/api/desk/attachments/%3Cimg') == 1
    lines[0]["content"] = lines[0]["content"].replace('<img src="/api/desk/', "")
    details: dict[str, Any] = {
        "notes": [{"author": evil, "text": evil, "at": NOW.isoformat()}],
        "slots": {evil: evil},
        "moods": [{"sentiment": "negative", "intent": evil}],
        **dict.fromkeys(("visitor_name", "contact", "channel"), evil),
    }
    parts = [lines[0]["content"], views.notes_html(details), views.moods_html(details, TEXTS)]
    parts.append(
        views.about_html(details, {"questions": [evil], "tried": [{"action": evil}]}, TEXTS)
    )
    texts = {"en": evil}
    display: dict[str, Any] = {"heading": evil, **dict.fromkeys(("status", "proof"), texts)}
    display["values"] = [{"title": texts, "value": texts}]
    parts.append(records_html([{"display": display}], TEXTS))
    corrections = {
        kind: {"value": evil, "author": evil} for kind in ("intent", "article", "answer")
    }
    parts.append(corrections_html(corrections, TEXTS))
    assert "<img" not in "".join(parts)
    assert "class='negative'" in parts[2]


def test_the_servers_words_are_chinese_on_the_chinese_page_and_unknown_ones_stay() -> None:
    titles = {"refund": {"en": "Refund", "zh": "退款"}}
    chinese, english = ConsoleTexts(CHINESE, titles), ConsoleTexts(ENGLISH, titles)
    assert (chinese.term("angry"), chinese.term("supervisor")) == ("愤怒", "主管")
    assert (chinese.title("refund"), english.title("refund")) == ("退款", "Refund")
    assert (chinese.title("new"), chinese.term("odd"), chinese.term(None)) == ("new", "odd", "")
    assert english.term("angry") == "angry"


@pytest.mark.parametrize(
    "names",
    [emotion_classifier.EMOTIONS, tuple(AccessLevel), tuple(Route)],
)
def test_every_word_of_the_server_is_known_in_chinese(names: tuple[str, ...]) -> None:
    assert [name for name in names if ConsoleTexts(CHINESE).term(name) == name] == []


def test_the_articles_to_choose_from_begin_with_what_was_found_and_come_once() -> None:
    trace = {"candidates": [{"article": "b", "title": "B"}, {"article": "a", "title": "A"}]}
    passages = [{"article": name, "title": f"{name} › part"} for name in "acc"]
    assert articles(trace, passages) == [("B (b)", "b"), ("A (a)", "a"), ("c › part (c)", "c")]
