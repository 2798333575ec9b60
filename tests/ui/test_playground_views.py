"""The views of the playground, without a browser."""

from typing import Any

import pytest

from ui.i18n import CHINESE, ENGLISH
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground import views
from ui.screens.playground.screen import try_question
from ui.screens.playground.texts import get_texts

EVIL = "<img src=x onerror=alert(1)>"


def result(**values: Any) -> dict[str, Any]:
    """Return what the server says of a question, every text of it hostile."""
    turn = {
        "language": "en",
        "sentiment": EVIL,
        "emotion": EVIL,
        "promise": "none",
        "route": EVIL,
        "reason": EVIL,
        "entities": [{"entity": EVIL, "value": EVIL}],
        "requests": [{"text": EVIL, "intent": EVIL}] * 2,
        "ranking": [{"intent": EVIL, "confidence": 0.5}],
        "reply": {"text": EVIL, "buttons": [{"title": EVIL}]},
        "handoff": {"state": EVIL, "queue": EVIL},
        "versions": {"model": EVIL, "knowledge": None},
        "timings_ms": {EVIL: 3.0, "total": 4.0},
    }
    passage = {"title": EVIL, "article": EVIL, "text": EVIL}
    scores = {"dense": 0.7, "sparse": 8.25, "score": 0.9, "used": True}
    call = {
        "model": EVIL,
        "tokens": {"prompt": 12, "completion": 34, "reported": False},
        "cost": 0.00025,
        "prompt_sha256": "0" * 64,
        "fell_back": EVIL,
    }
    return {
        "turn": turn,
        "trace": {"template": EVIL, "action": EVIL, "generated": [call]},
        "earlier": [{"text": EVIL, "reply": EVIL}],
        "candidates": [passage | scores],
        "evidence": {"score": 0.4, "threshold": 0.5},
        "support": [
            {"text": EVIL, "article": EVIL, "supported": False, "score": 0.1, "flaws": [EVIL]}
        ],
        **values,
    }


@pytest.mark.parametrize("locale", [ENGLISH, CHINESE])
def test_nothing_that_is_shown_is_markup(locale: str) -> None:
    texts, terms = get_texts(locale), ConsoleTexts(locale)
    assert "<img" not in views.reply_html(result(), texts, terms) + views.steps_html(
        result(), texts, terms
    )


def test_scores_tokens_cost_and_doubts_are_shown() -> None:
    html = views.steps_html(result(), get_texts(ENGLISH), ConsoleTexts(ENGLISH))
    for text in ("0.700", "8.250", "0.900", "12 + 34 tokens, counted locally", "cost 0.000250"):
        assert text in html
    assert "<span class='no'>40%</span> (threshold 50%)" in html
    assert "<td class='no'>not supported" in html


def test_where_nothing_was_searched_checked_or_written_that_is_said() -> None:
    texts = get_texts(ENGLISH)
    bare = result(candidates=[], evidence=None, support=[])
    bare["trace"]["generated"] = []
    html = views.steps_html(bare, texts, ConsoleTexts(ENGLISH))
    assert all(texts[name] in html for name in ("candidates_none", "support_none", "models_none"))
    unused = result(candidates=[{**result()["candidates"][0], "used": False}])
    assert texts["unused"] in views.steps_html(unused, texts, ConsoleTexts(ENGLISH))


def test_both_languages_have_the_same_words() -> None:
    english, chinese = get_texts(ENGLISH), get_texts(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []


def test_empty_lines_are_no_messages_and_no_language_is_none() -> None:
    sent: dict[str, Any] = {}

    class FakeClient:
        def post(self, path: str, **body: Any) -> dict[str, Any]:
            sent[path] = body
            return {}

        def get(self, path: str) -> dict[str, Any]:
            return {"intents": [{"intent": "a", "en": "A", "zh": "甲"}], "path": path}

    response = try_question(FakeClient(), "hi", ["one", " ", "two"], "", "cli")  # type: ignore[arg-type]
    assert sent == {"/api/playground": {"text": "hi", "channel": "cli", "earlier": ["one", "two"]}}
    assert response["titles"]["a"]["zh"] == "甲"
