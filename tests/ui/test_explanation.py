"""The explanation of a reply on the chat screen, as data and in a browser."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.running import Server
from tests.ui.signing import sign_in
from ui.client.http_client import Json
from ui.i18n import ENGLISH
from ui.screens.chat import views
from ui.screens.console.texts import ConsoleTexts


def token(text: str, start: int, weight: float) -> Json:
    return {"text": text, "start": start, "end": start + len(text), "weight": weight}


def test_the_pieces_are_the_whole_text_and_the_strongest_word_weighs_one() -> None:
    text = "  Where is it? 🎒"
    tokens = [token("Where", 2, 2.0), token("is", 8, -1.0), token("it", 11, 0.0)]
    pieces = views.weigh_words(text, tokens)
    assert "".join(piece for piece, _ in pieces) == text
    assert [pair for pair in pieces if pair[1] is not None] == [
        ("Where", 1.0),
        ("is", -0.5),
        ("it", 0.0),
    ]


@pytest.mark.parametrize(("text", "shown"), [("", []), ("🎒", [("🎒", None)])])
def test_a_text_without_words_has_no_colours(
    text: str, shown: list[tuple[str, float | None]]
) -> None:
    assert views.weigh_words(text, []) == shown
    assert views.words_html(views.weigh_words(text, []), ENGLISH) == ""


def test_words_that_weigh_nothing_are_no_division_by_zero() -> None:
    assert views.weigh_words("a", [token("a", 0, 0.0)]) == [("a", 0.0)]


def test_words_for_and_against_are_marked_and_nothing_is_interpreted() -> None:
    html = views.words_html([("<b>", 1.0), (" & ", None), ("x'", -0.25)], ENGLISH)
    assert "<mark class='for' title='+100%' style='--share:1.00'>&lt;b&gt;</mark> &amp; " in html
    assert "<mark class='against' title='-25%' style='--share:0.25'>x&#x27;</mark>" in html


def test_neighbours_are_shown_with_their_source_and_not_interpreted() -> None:
    near = {"text": "<i>late</i>", "intent": "a&b", "source": "x.csv:3", "similarity": 0.876}
    html = views.similar_html([near], ConsoleTexts(ENGLISH))
    assert "0.88 x.csv:3" in html
    assert "a&amp;b" in html
    assert "&lt;i&gt;late&lt;/i&gt;" in html
    assert views.similar_html([], ConsoleTexts(ENGLISH)) == ""


@pytest.mark.parametrize(
    ("theme", "question", "word"),
    [("light", "Where is my refund?", "refund"), ("dark", "我的包裹到哪里了？", "包裹")],
)
def test_words_are_coloured_readable_and_beside_nothing_else(
    page: Page, server: Server, theme: str, question: str, word: str
) -> None:
    sign_in(page, server)
    page.goto(f"{server.url}/app/?__theme={theme}")
    box = page.locator("#chat-box textarea")
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#chat-similar figure")).to_have_count(5)
    expect(page.locator("#chat-similar code").first).to_contain_text(re.compile(r"\.(csv|jsonl):"))
    words = page.locator("#chat-words .words")
    assert words.inner_text() == question
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    for name, hue in (("for", "rgba(16, 185, 129"), ("against", "rgba(239, 68, 68")):
        shown, ink = page.locator(f"#chat-words .legend mark.{name}").evaluate(style)
        assert shown.startswith(hue)
        assert ink == page.locator("#chat-words .legend").evaluate("e => getComputedStyle(e).color")
    telling = words.locator("mark.for").filter(has_text=word)
    expect(telling.first).to_be_visible()
    columns = ["#chat-words", "#chat-facts", "#chat-similar"]
    boxes = [page.locator(part).bounding_box() for part in columns]
    for above, below in pairwise(boxes):
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] <= below["y"]
