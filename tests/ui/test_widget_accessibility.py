"""axe-core finds nothing, of any level, in any state of the widget and on its pages."""

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import Page, expect

from tests.running import Server
from tests.ui.axe import findings
from tests.ui.chatting import answered, lines, open_chat, place, say, staff, take

# Each value of both in every run; the other pairs with the slow proofs.
LOOKS: Final = [
    ("en", "light"),
    ("zh", "dark"),
    pytest.param("en", "dark", marks=pytest.mark.slow),
    pytest.param("zh", "light", marks=pytest.mark.slow),
]


def states(page: Page, server: Server, question: str) -> Iterator[str]:
    """Lead an open chat through a conversation and yield the name of each state it is in."""
    expect(lines(page, "bot")).to_have_count(1)
    yield "open"
    page.keyboard.press("Escape")
    yield "closed"
    page.get_by_test_id("launcher").click()
    say(page, question)
    answered(page)
    page.get_by_test_id("citation").first.locator("summary").click()
    page.get_by_test_id("thumb-down").last.click()
    expect(page.get_by_test_id("reason").first).to_be_visible()
    page.get_by_test_id("menu").click()
    yield "answered"
    page.keyboard.press("Escape")
    say(page, "x" * 5000)
    expect(lines(page, "notice")).to_have_count(1)
    yield "failed"
    page.context.set_offline(offline=True)
    say(page, "hello")
    expect(page.get_by_test_id("status")).to_be_visible()
    yield "cut off"
    page.context.set_offline(offline=False)
    answered(page, 2)
    page.get_by_test_id("human").click()
    answered(page, 3)
    with staff(server) as desk:
        path, owner = take(desk, page)
        desk.post(f"{path}/say", json={**owner, "text": "Hello"}).raise_for_status()
        expect(lines(page, "agent")).to_have_count(1)
        yield "handed off"
        desk.post(f"{path}/close", json=owner).raise_for_status()
    page.get_by_test_id("csat").locator(".main").click()
    expect(page.get_by_test_id("said")).not_to_be_empty()
    yield "over"


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_nothing_is_found_in_widget_and_shop(
    page: Page, server: Server, language: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    open_chat(page, server.url, language)
    question = "雨衣怎么洗？" if language == "zh" else "How do I wash my rain jacket?"
    found = {state: findings(page) for state in states(page, server, question)}
    assert len(found) == 7
    assert {state: some for state, some in found.items() if some} == {}


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_nothing_is_found_in_the_form_and_while_a_reply_streams(
    page: Page, stage: WidgetStage, language: str, scheme: Any
) -> None:
    seen = threading.Event()

    def script(_body: bytes, _last: str | None) -> Iterator[bytes]:
        yield b'id: 0\nevent: received\ndata: {"message_id": "m", "conversation_id": "c"}\n\n'
        yield b'id: 1\nevent: token\ndata: {"text": "A word, and"}\n\n'
        seen.wait(60)

    stage.script = script
    page.emulate_media(color_scheme=scheme)
    page.goto(place(stage, stage.url, 'data-form="name, email!"', lang=language))
    page.get_by_test_id("launcher").click()
    form = page.get_by_test_id("form")
    expect(form).to_be_visible()
    assert findings(page) == []
    form.locator("#email").fill("kim@example.org")
    form.locator(".main").click()
    say(page, "hello")
    expect(lines(page, "bot").last).to_contain_text("A word, and")
    assert findings(page) == []
    seen.set()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_nothing_is_found_on_the_operators_page(
    page: Page, server: Server, language: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server.url}/widget?lang={language}")
    expect(page.get_by_test_id("launcher")).to_be_visible()
    assert findings(page) == []


def test_axe_would_find_something(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    spoil = "() => document.querySelector('careline-chat').shadowRoot.querySelector('#send')"
    page.evaluate(f"({spoil})().removeAttribute('aria-label')")
    assert "button-name" in {found.rule for found in findings(page)}
