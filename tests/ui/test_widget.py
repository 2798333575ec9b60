"""The widget on the shop page, as a customer uses it."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from bot.server.secrets_file import load_or_make
from tests.running import Server


def open_chat(page: Page, server: Server, language: str = "en") -> None:
    page.goto(f"{server.url}/?lang={language}")
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("panel")).to_be_visible()


def say(page: Page, text: str) -> None:
    page.get_by_test_id("input").fill(text)
    page.get_by_test_id("input").press("Enter")


@pytest.mark.parametrize(
    ("language", "question", "subject"),
    [
        ("en", "How do I wash my rain jacket?", "ain jacket"),
        ("zh", "雨衣怎么洗？", "雨衣"),
    ],
)
def test_a_reply_is_streamed_cited_and_still_there_after_a_reload(
    page: Page, server: Server, language: str, question: str, subject: str
) -> None:
    open_chat(page, server, language)
    say(page, question)
    reply = page.get_by_test_id("message-bot").last
    expect(reply).to_contain_text(subject)
    expect(page.get_by_test_id("typing")).to_be_hidden()
    citation = page.get_by_test_id("citation").first
    citation.locator("summary").click()
    quote = citation.inner_text()
    assert quote.strip()
    page.reload()
    if page.get_by_test_id("panel").is_hidden():
        page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("message-customer").last).to_contain_text(question)
    expect(page.get_by_test_id("message-bot").last).to_contain_text(subject)
    expect(page.get_by_test_id("citation").first).to_be_attached()


def test_two_conversations_do_not_see_each_other(page: Page, server: Server) -> None:
    open_chat(page, server)
    say(page, "where is my order A10234, marta.lindqvist@example.com")
    expect(page.get_by_test_id("message-bot").last).to_contain_text("A10234")
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context().new_page()
    open_chat(other, server)
    expect(other.get_by_test_id("message-customer")).to_have_count(0)
    other.context.close()


def test_the_human_button_hands_off_and_escape_gives_the_focus_back(
    page: Page, server: Server
) -> None:
    open_chat(page, server)
    page.get_by_test_id("human").click()
    expect(page.get_by_test_id("handoff").last).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    expect(page.get_by_test_id("launcher")).to_be_focused()


def test_opening_a_source_is_noted_and_what_goes_with_it_can_be_asked(
    page: Page, server: Server
) -> None:
    open_chat(page, server)
    say(page, "How do I wash my rain jacket?")
    with page.expect_response(re.compile(r"/opened$")) as noted:
        page.get_by_test_id("citation").first.locator("summary").click()
    assert noted.value.status == 201
    related = page.get_by_test_id("related").first
    title = related.inner_text()
    related.click()
    expect(page.get_by_test_id("message-customer").last).to_contain_text(title)
    expect(page.get_by_test_id("message-bot")).to_have_count(2)


def test_a_thumb_reaches_the_log(page: Page, server: Server) -> None:
    open_chat(page, server)
    say(page, "How long is the warranty on backpacks?")
    with page.expect_response(re.compile(r"/feedback$")) as answered:
        page.get_by_test_id("thumb-up").last.click()
    assert answered.value.status == 201


def test_nothing_is_asked_of_another_host_and_the_console_is_quiet(
    page: Page, server: Server
) -> None:
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_chat(page, server)
    say(page, "How long does standard shipping take?")
    expect(page.get_by_test_id("citation").first).to_be_attached()
    assert hosts == {f"127.0.0.1:{server.port}"}
    assert errors == []


def test_a_message_that_is_refused_is_said_so_in_the_chat(page: Page, server: Server) -> None:
    open_chat(page, server)
    say(page, "x" * 5000)
    expect(page.get_by_test_id("message-notice").last).to_contain_text("shorten")


@pytest.mark.parametrize(
    ("language", "asks", "joined", "typing"),
    [
        ("en", "I want to talk to a human", "Ann is with you", "Ann is typing"),
        ("zh", "我要找真人", "Ann 正在为您服务", "Ann 正在输入"),
    ],
)
def test_a_person_takes_over_is_named_answers_and_gives_back(  # noqa: PLR0917 — words of a language
    page: Page, server: Server, language: str, asks: str, joined: str, typing: str
) -> None:
    open_chat(page, server, language)
    say(page, asks)
    handoff = page.get_by_test_id("handoff")
    expect(handoff).to_be_visible()
    token = load_or_make(server.home).token
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{server.url}/api/desk", headers=headers) as desk:
        desk.put("/agents", json={"id": "ann", "name": "Ann", "capacity": 50})
        conversation = desk.get("/queue").json()["conversations"][-1]["conversation_id"]
        here = f"/conversations/{conversation}"
        held = {
            "agent": "ann",
            "fence": desk.post(f"{here}/take", json={"agent": "ann"}).json()["fence"],
        }
        expect(handoff).to_contain_text(joined)
        desk.post(f"{here}/typing", json=held)
        expect(handoff).to_contain_text(typing)
        desk.post(f"{here}/say", json={**held, "text": "Hello from Ann"}).raise_for_status()
        expect(page.get_by_test_id("message-agent").last).to_contain_text("Hello from Ann")
        before = page.get_by_test_id("message-bot").count()
        say(page, "hello?")
        expect(page.get_by_test_id("typing")).to_be_hidden()
        expect(page.get_by_test_id("message-customer").last).to_contain_text("hello?")
        assert page.get_by_test_id("message-bot").count() == before  # the bot keeps silent
        expect(handoff).to_contain_text("Ann")
        desk.post(f"{here}/return", json=held).raise_for_status()
        expect(handoff).to_be_hidden()
        expect(page.get_by_test_id("message-bot")).to_have_count(before + 1)
