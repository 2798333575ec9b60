"""The widget on the shop page, as a customer uses it."""

import re

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.running import Server
from tests.ui.chatting import answered, lines, open_chat, recalled, say, staff, take


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
    open_chat(page, server.url, language)
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
    open_chat(page, server.url)
    say(page, "where is my order A10234, marta.lindqvist@example.com")
    expect(page.get_by_test_id("message-bot").last).to_contain_text("A10234")
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context().new_page()
    open_chat(other, server.url)
    expect(other.get_by_test_id("message-customer")).to_have_count(0)
    other.context.close()


def test_the_human_button_hands_off_and_escape_gives_the_focus_back(
    page: Page, server: Server
) -> None:
    open_chat(page, server.url)
    page.get_by_test_id("human").click()
    expect(page.get_by_test_id("handoff").last).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    expect(page.get_by_test_id("launcher")).to_be_focused()


def test_opening_a_source_is_noted_and_what_goes_with_it_can_be_asked(
    page: Page, server: Server
) -> None:
    open_chat(page, server.url)
    say(page, "How do I wash my rain jacket?")
    with page.expect_response(re.compile(r"/opened$")) as noted:
        page.get_by_test_id("citation").first.locator("summary").click()
    assert noted.value.status == 201
    related = page.get_by_test_id("related").first
    title = related.inner_text()
    related.click()
    expect(page.get_by_test_id("message-customer").last).to_contain_text(title)
    # What is suggested follows from the log: an answer to it may be more than one message.
    expect(page.get_by_test_id("message-bot").nth(1)).to_be_visible()


def test_a_thumb_reaches_the_log(page: Page, server: Server) -> None:
    open_chat(page, server.url)
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
    open_chat(page, server.url)
    say(page, "How long does standard shipping take?")
    expect(page.get_by_test_id("citation").first).to_be_attached()
    assert hosts == {f"127.0.0.1:{server.port}"}
    assert errors == []


def test_a_message_that_is_refused_is_said_so_in_the_chat(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "x" * 5000)
    expect(page.get_by_test_id("message-notice").last).to_contain_text("shorten")


@pytest.mark.parametrize(
    ("language", "asks", "joined", "typing"),
    [
        ("en", "I want to talk to a human", "chatting with Ann", "Ann is typing"),
        ("zh", "我要找真人", "Ann 正在为您服务", "Ann 正在输入"),
    ],
)
def test_a_person_takes_over_is_named_answers_and_gives_back(
    page: Page, server: Server, language: str, asks: str, joined: str, typing: str
) -> None:
    open_chat(page, server.url, language)
    say(page, asks)
    handoff = page.get_by_test_id("handoff")
    expect(handoff).to_be_visible()
    with staff(server) as desk:
        path, owner = take(desk, page)
        expect(handoff).to_contain_text(joined)
        expect(lines(page, "bot")).to_have_count(3)  # the greeting, the hand-off, "Ann has joined"
        expect(page.get_by_test_id("speaker")).to_contain_text("Ann")
        desk.post(f"{path}/typing", json=owner)
        expect(handoff).to_contain_text(typing)
        desk.post(f"{path}/say", json={**owner, "text": "Hello from Ann"}).raise_for_status()
        expect(lines(page, "agent").last).to_contain_text("Hello from Ann")
        expect(lines(page, "agent").last).to_contain_text("Ann ·")
        before = lines(page, "bot").count()
        say(page, "hello?")
        expect(page.get_by_test_id("typing")).to_be_hidden()
        expect(lines(page, "customer").last).to_contain_text("hello?")
        assert lines(page, "bot").count() == before  # the bot keeps silent
        expect(handoff).to_contain_text("Ann")
        desk.post(f"{path}/return", json=owner).raise_for_status()
        expect(handoff).to_be_hidden()
        expect(lines(page, "bot")).to_have_count(before + 1)
        expect(page.get_by_test_id("speaker")).not_to_contain_text("Ann")


def test_unread_words_are_counted_on_the_launcher(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "a human please")
    answered(page)
    launcher = page.get_by_test_id("launcher")
    with staff(server) as desk:
        path, owner = take(desk, page)
        expect(lines(page, "bot")).to_have_count(3)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("unread")).to_be_hidden()
        for number in (1, 2):
            told = {**owner, "text": f"number {number}"}
            desk.post(f"{path}/say", json=told).raise_for_status()
        expect(page.get_by_test_id("unread")).to_have_text("2")
        expect(launcher).to_have_attribute("aria-label", "Open chat, 2 new")
        page.reload()
        expect(page.get_by_test_id("unread")).to_have_text("2")
        launcher.click()
        expect(page.get_by_test_id("unread")).to_be_hidden()
        desk.post(f"{path}/close", json=owner).raise_for_status()
        expect(page.get_by_test_id("handoff")).to_contain_text("has ended")


def test_at_the_end_the_conversation_is_rated_once(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "a human please")
    answered(page)
    with staff(server) as desk:
        path, owner = take(desk, page)
        desk.post(f"{path}/close", json=owner).raise_for_status()
        csat = page.get_by_test_id("csat")
        csat.get_by_role("button", name="Send").click()
        expect(page.get_by_test_id("said")).to_contain_text("Choose a score")
        page.get_by_test_id("score-4").click()
        csat.get_by_role("textbox").fill("quick")
        csat.get_by_role("button", name="Send").click()
        expect(csat).to_have_count(0)
        path = f"/conversations/{recalled(page)['conversation']}/messages"
        assert desk.get(path).json()["csat"] == 4
    page.reload()
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("handoff")).to_contain_text("has ended")
    expect(csat).to_have_count(0)


def test_a_thumb_down_asks_why(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "How long is the warranty on backpacks?")
    answered(page)
    page.get_by_test_id("thumb-down").last.click()
    expect(page.get_by_test_id("thanks").last).not_to_be_empty()
    with page.expect_response(re.compile(r"/feedback$")) as told:
        page.get_by_test_id("reason").nth(1).click()
    assert told.value.request.post_data_json == {"rating": "down", "reason": "incomplete"}
    expect(page.get_by_test_id("thumb-down").last).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("reason").first).to_be_hidden()


def test_buttons_of_a_reply_are_pressed_once(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "a human please")
    answered(page)
    say(page, "a human please, now")
    answered(page, 2)
    choice = page.get_by_test_id("choice").last
    title = choice.inner_text()
    choice.click()
    expect(lines(page, "customer").last).to_contain_text(title)
    expect(page.get_by_test_id("choice").filter(visible=True)).to_have_count(0)


def test_a_file_is_sent_shown_and_seen_by_the_agent(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    picture = page.screenshot(clip={"x": 0, "y": 0, "width": 40, "height": 30})
    chosen = page.get_by_test_id("file")
    chosen.set_input_files(FilePayload(name="p.exe", mimeType="image/png", buffer=b"MZ\x90\x00"))
    expect(page.get_by_test_id("status")).to_contain_text("not supported")
    large = FilePayload(name="l.txt", mimeType="text/plain", buffer=b"x" * (6 * 2**20))
    chosen.set_input_files(large)
    expect(page.get_by_test_id("status")).to_contain_text("too large")
    chosen.set_input_files(
        [
            FilePayload(name="parcel.png", mimeType="image/png", buffer=picture),
            FilePayload(name="note.txt", mimeType="text/plain", buffer=b"torn open"),
        ]
    )
    expect(page.get_by_test_id("chip")).to_have_count(2)
    expect(page.get_by_test_id("status")).to_be_hidden()
    page.get_by_test_id("input").fill("it came like this")
    page.get_by_test_id("send").click()
    line = lines(page, "customer").last
    for _ in range(2):
        expect(line.locator("img")).to_have_attribute("alt", "parcel.png")
        assert (
            line.locator("img").evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 40
        )
        expect(line.get_by_test_id("file").last).to_contain_text("note.txt")
        page.reload()
        page.get_by_test_id("launcher").click()
    with staff(server) as desk:
        path = f"/conversations/{recalled(page)['conversation']}/messages"
        files = desk.get(path).json()["messages"][0]["attachments"]
        assert [file["name"] for file in files] == ["parcel.png", "note.txt"]
        assert httpx.get(f"{server.url}{files[1]['url']}").content == b"torn open"


def test_the_conversation_can_be_taken_along_and_deleted(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "How long does standard shipping take?")
    answered(page)
    conversation = recalled(page)["conversation"]
    page.get_by_test_id("menu").click()
    with page.expect_download() as download:
        page.get_by_test_id("transcript").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert "You: How long does standard shipping take?" in text
    page.get_by_test_id("menu").click()
    page.get_by_test_id("forget").click()
    page.get_by_test_id("deletion").get_by_role("button", name="Delete my data").click()
    expect(lines(page, "customer")).to_have_count(0)
    expect(page.get_by_test_id("status")).to_contain_text("deleted")
    with staff(server) as desk:
        assert desk.get(f"/conversations/{conversation}/messages").status_code == 404
    say(page, "hello again")
    answered(page)
    assert recalled(page)["conversation"] != conversation


def test_another_tab_shows_the_same_conversation_live(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    say(page, "hello")
    answered(page)
    other = page.context.new_page()
    open_chat(other, server.url)
    answered(other)
    say(other, "How long is the warranty on backpacks?")
    answered(other, 2)
    page.bring_to_front()
    answered(page, 2)
    assert lines(page, "customer").all_inner_texts() == lines(other, "customer").all_inner_texts()


def test_on_a_phone_the_chat_fills_the_screen(page: Page, server: Server) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 700})
    open_chat(page, server.url)
    expect(page.get_by_test_id("panel")).to_have_css("width", "390px")
    box = page.get_by_test_id("panel").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["height"]) == (0, 0, 700)
    page.set_viewport_size({"width": 390, "height": 400})  # as a keyboard on the screen does
    sending = page.get_by_test_id("send").bounding_box()
    assert sending is not None
    assert sending["y"] + sending["height"] <= 400
    page.get_by_test_id("close").click()
    expect(page.get_by_test_id("launcher")).to_be_visible()


def test_the_keyboard_stays_in_the_chat_until_it_is_left(page: Page, server: Server) -> None:
    open_chat(page, server.url)
    expect(page.get_by_test_id("input")).to_be_focused()
    script = (
        "() => document.querySelector('careline-chat').shadowRoot.activeElement?.dataset.testid"
    )
    seen = []
    for key in ["Tab"] * 12 + ["Shift+Tab"] * 12:
        page.keyboard.press(key)
        assert page.evaluate("() => document.activeElement.localName") == "careline-chat"
        seen.append(page.evaluate(script))
    assert {"input", "send", "human", "menu", "close", "log", "file"} <= set(seen)
    page.get_by_test_id("menu").click()
    page.keyboard.press("Escape")  # first the menu, then the chat
    expect(page.get_by_test_id("panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("launcher")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("input")).to_be_focused()


def test_motion_is_left_out_where_that_is_asked_for(page: Page, server: Server) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_chat(page, server.url)
    expect(page.get_by_test_id("panel")).to_have_css("animation-name", "none")
    page.emulate_media(reduced_motion="no-preference")
    expect(page.get_by_test_id("panel")).to_have_css("animation-name", "rise")


def test_an_enter_that_picks_a_chinese_word_does_not_send(page: Page, server: Server) -> None:
    open_chat(page, server.url, "zh")
    page.get_by_test_id("input").fill("ni hao")
    page.get_by_test_id("input").evaluate(
        "(box) => box.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(lines(page, "customer")).to_have_count(0)
