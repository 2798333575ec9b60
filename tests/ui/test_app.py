"""The Gradio app behind its login."""

import httpx
from playwright.sync_api import Page, expect

from tests.running import Server
from tests.ui.signing import sign_in
from ui.i18n import ENGLISH
from ui.screens.live.screen import files_html, transcribe


def test_without_a_login_nothing_is_shown(server: Server) -> None:
    assert httpx.get(f"{server.url}/app/config", timeout=300).status_code == 401


def test_the_chat_shows_route_and_citation_and_the_list_shows_the_conversation(
    page: Page, server: Server
) -> None:
    sign_in(page, server)
    box = page.locator("#chat-box textarea")
    box.fill("How do I wash my rain jacket?")
    box.press("Enter")
    expect(page.locator("#chat-lines")).to_contain_text("30")
    expect(page.locator("#chat-facts")).to_contain_text("retrieve")
    expect(page.locator("#chat-sources")).to_contain_text("care-rain-jackets")
    found = page.locator("#chat-candidates")
    expect(found).to_contain_text("care-rain-jackets")
    expect(found.locator(".cited").first).to_be_attached()
    expect(found).to_contain_text("Version: knowledge")
    page.get_by_role("tab", name="Live conversations").click()
    expect(page.locator("#live-table")).to_contain_text("bot")


def test_agents_get_links_to_files_and_names_are_no_html() -> None:
    file = {"id": "x'y", "name": "<b>.png", "url": "/elsewhere", "media_type": "image/png"}
    line = {"role": "customer", "text": "look", "attachments": [{**file, "size": 1234}]}
    shown = files_html([line, {"role": "bot", "text": "ok"}], ENGLISH)
    assert 'href="/api/desk/attachments/x%27y"' in shown
    assert "&lt;b&gt;.png</a> (image/png, 1,234 B)" in shown
    assert files_html([{"role": "bot", "text": "ok"}], ENGLISH) == ""
    assert transcribe([line], ENGLISH)[0]["content"].endswith("[file] &lt;b&gt;.png")
