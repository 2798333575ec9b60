"""axe-core finds nothing, of any level, in any state of the widget and on its pages."""

import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from bot.bench.stage import Stage
from tests.running import Server
from tests.ui.chatting import answered, lines, open_chat, place, say, staff, take

_AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# Levels A and AA and the best practices; contrast at AAA is more than a brand's colour can give.
_OPTIONS: Final = """{ runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
  'wcag22aa', 'best-practice'] }, resultTypes: ['violations'] }"""

State = Callable[[Page, Server], None]


def findings(page: Page) -> list[tuple[str, str, str]]:
    """Return what axe finds: rule, impact, element."""
    page.wait_for_timeout(300)  # what fades in is read when it is there
    page.evaluate(_AXE)
    found: list[dict[str, Any]] = page.evaluate(f"axe.run(document, {_OPTIONS})")["violations"]
    return [
        (one["id"], one["impact"], node["html"][:200]) for one in found for node in one["nodes"]
    ]


def is_closed(page: Page, server: Server) -> None:
    del server
    page.keyboard.press("Escape")


def is_open(page: Page, server: Server) -> None:
    del server
    expect(lines(page, "bot")).to_have_count(1)


def has_answered(page: Page, server: Server) -> None:
    del server
    say(page, "How do I wash my rain jacket?" if english(page) else "雨衣怎么洗？")
    answered(page)
    page.get_by_test_id("citation").first.locator("summary").click()
    page.get_by_test_id("thumb-down").last.click()
    expect(page.get_by_test_id("reason").first).to_be_visible()
    page.get_by_test_id("menu").click()


def is_handed_off(page: Page, server: Server) -> None:
    page.get_by_test_id("human").click()
    answered(page)
    with staff(server) as desk:
        here, held = take(desk, page)
        desk.post(f"{here}/say", json={**held, "text": "Hello"}).raise_for_status()
        expect(lines(page, "agent")).to_have_count(1)


def is_rated(page: Page, server: Server) -> None:
    del server
    say(page, "hello")
    answered(page)
    page.get_by_test_id("menu").click()
    page.get_by_test_id("rate").click()
    page.get_by_test_id("csat").locator(".main").click()
    expect(page.get_by_test_id("said")).not_to_be_empty()


def has_failed(page: Page, server: Server) -> None:
    del server
    say(page, "x" * 5000)
    expect(lines(page, "notice")).to_have_count(1)


def is_cut_off(page: Page, server: Server) -> None:
    del server
    page.context.set_offline(offline=True)
    say(page, "hello")
    expect(page.get_by_test_id("status")).to_be_visible()


def english(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.lang === 'en'"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "state",
    [is_closed, is_open, has_answered, is_handed_off, is_rated, has_failed, is_cut_off],
    ids=lambda state: state.__name__,
)
def test_nothing_is_found_in_widget_and_shop(
    page: Page, server: Server, state: State, language: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    open_chat(page, server.url, language)
    state(page, server)
    assert findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_found_in_the_form_and_while_a_reply_streams(
    page: Page, stage: Stage, language: str, scheme: Any
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
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
    assert "button-name" in {rule for rule, _, _ in findings(page)}
