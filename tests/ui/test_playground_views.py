"""What the playground shows, without a browser."""

from typing import Any

import pytest

from ui.i18n import CHINESE, ENGLISH
from ui.screens.console.texts import ConsoleTexts
from ui.screens.playground import views
from ui.screens.playground.screen import attempt
from ui.screens.playground.texts import words

EVIL = "<img src=x onerror=alert(1)>"


def found(**values: Any) -> dict[str, Any]:
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
    written = {
        "model": EVIL,
        "tokens": {"prompt": 12, "completion": 34, "reported": False},
        "cost": 0.00025,
        "prompt_sha256": "0" * 64,
        "fell_back": EVIL,
    }
    return {
        "turn": turn,
        "trace": {"template": EVIL, "action": EVIL, "generated": [written]},
        "earlier": [{"text": EVIL, "reply": EVIL}],
        "candidates": [passage | scores],
        "evidence": {"score": 0.4, "threshold": 0.5},
        "support": [
            {"text": EVIL, "article": EVIL, "supported": False, "score": 0.1, "flaws": [EVIL]}
        ],
        **values,
    }


@pytest.mark.parametrize("tongue", [ENGLISH, CHINESE])
def test_nothing_that_is_shown_is_markup(tongue: str) -> None:
    said, terms = words(tongue), ConsoleTexts(tongue)
    assert "<img" not in views.reply(found(), said, terms) + views.steps(found(), said, terms)


def test_scores_tokens_cost_and_doubts_are_shown() -> None:
    shown = views.steps(found(), words(ENGLISH), ConsoleTexts(ENGLISH))
    for text in ("0.700", "8.250", "0.900", "12 + 34 tokens, counted here", "cost 0.000250"):
        assert text in shown
    assert "<span class='no'>40%</span> (from 50% on it counts)" in shown
    assert "<td class='no'>not supported" in shown


def test_where_nothing_was_searched_checked_or_written_that_is_said() -> None:
    said = words(ENGLISH)
    bare = found(candidates=[], evidence=None, support=[])
    bare["trace"]["generated"] = []
    shown = views.steps(bare, said, ConsoleTexts(ENGLISH))
    assert all(said[name] in shown for name in ("candidates_none", "support_none", "models_none"))
    unused = found(candidates=[{**found()["candidates"][0], "used": False}])
    assert said["unused"] in views.steps(unused, said, ConsoleTexts(ENGLISH))


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words(ENGLISH), words(CHINESE)
    assert english.keys() == chinese.keys()
    assert [k for k, text in english.items() if text.count("{") != chinese[k].count("{")] == []


def test_empty_lines_are_no_messages_and_no_language_is_none() -> None:
    sent: dict[str, Any] = {}

    class Asked:
        def post(self, path: str, **body: Any) -> dict[str, Any]:
            sent[path] = body
            return {}

        def get(self, path: str) -> dict[str, Any]:
            return {"intents": [{"intent": "a", "en": "A", "zh": "甲"}], "path": path}

    done = attempt(Asked(), "hi", ["one", " ", "two"], "", "cli")  # type: ignore[arg-type]
    assert sent == {"/api/playground": {"text": "hi", "channel": "cli", "earlier": ["one", "two"]}}
    assert done["titles"]["a"]["zh"] == "甲"
