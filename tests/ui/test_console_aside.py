"""Beside the conversation: files, orders, corrections; and what stands there when one is out."""

import base64
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from bot.container import Home
from bot.core.types import new_id
from bot.store.corrections import Corrections
from tests.running import Server
from tests.ui.desk import choose
from tests.ui.signing import PASSWORD, sign_in

# A picture of one dot.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PROVEN = "Where is my order A10234? My e-mail is marta.lindqvist@example.com"
QUESTION = "How do I wash my rain jacket?"


@pytest.fixture
def conversation(server: Server) -> Iterator[str]:
    """Return a conversation with files and a proven order that waits for a person."""
    identifier = new_id()
    with httpx.Client(base_url=f"{server.url}/api", timeout=300) as visitor:
        path = f"/conversations/{identifier}"
        files = [
            visitor.post(f"{path}/attachments", params={"name": name}, content=content)
            for name, content in (("<b>torn.png", PNG), ("notes.txt", b"It arrived torn."))
        ]
        sent = [file.raise_for_status().json()["id"] for file in files]
        for text in (PROVEN, QUESTION, "a human please"):
            body = {"text": text, "conversation_id": identifier, "attachments": sent}
            visitor.post("/messages", json=body).raise_for_status()
            sent = []
        yield identifier
        visitor.delete(path)


@pytest.fixture
def console(page: Page, server: Server, staffed: Home, conversation: str) -> Page:
    """Return the console of an agent who looks at the conversation."""
    assert staffed
    page.set_viewport_size({"width": 1440, "height": 1000})
    sign_in(page, server, "cleo", PASSWORD)
    page.get_by_role("tab", name="Console").click()
    choose(page, conversation)
    expect(page.locator("#console-take")).to_be_enabled()
    return page


def test_files_orders_and_corrections_stand_beside_the_conversation(
    console: Page, server: Server, staffed: Home, conversation: str
) -> None:
    lines, orders = console.locator("#console-lines"), console.locator("#console-orders")
    picture = lines.locator("img")
    expect(picture).to_have_attribute("alt", "<b>torn.png")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    address = picture.get_attribute("src")
    assert address
    assert httpx.get(f"{server.url}{address}").status_code == 401  # who is not signed in
    link = lines.get_by_role("link", name="notes.txt")
    response = console.context.request.get(f"{server.url}{link.get_attribute('href')}")
    assert response.text() == "It arrived torn."
    assert response.headers["content-disposition"].startswith("attachment")

    expect(orders).to_contain_text("Take over the conversation")
    console.locator("#console-take").click()
    expect(orders).to_contain_text("A10234")
    expect(orders).to_contain_text("proven in this conversation")
    console.get_by_role("textbox", name="Order number").fill("A10391")
    console.get_by_role("textbox", name="Its e-mail address").fill("zhou.ruoxi@example.com")
    console.locator("#console-look").click()
    expect(console.locator("#console-proven")).to_contain_text("Bramble hiking boots")

    lines.locator("[data-testid=user]").filter(has_text="30 °C").first.click()
    expect(console.locator("#console-why")).to_contain_text("care-rain-jackets")
    for field, option in (("intent", "(warranty)"), ("article", "merino-care.md")):
        console.locator(f"#console-right-{field} input").click()
        console.get_by_role("option", name=option).first.click()
        expect(console.locator("#console-kept")).to_contain_text(f"Correct {field}")
    console.locator("#console-right-answer textarea").fill("At 30 degrees; write to a@b.org")
    console.locator("#console-keep").click()
    expect(console.locator("#console-kept")).to_contain_text("At 30 degrees; write to [email]")
    rows = [row for row in Corrections(staffed.engine).transcripts() if row["id"] == conversation]
    turns = {turn["text"]: turn for turn in rows[0]["turns"]}
    assert turns[QUESTION]["intent"] == "warranty"
    assert turns["At 30 degrees; write to [email]"]["article"].endswith("merino-care.md")


def test_who_is_signed_out_is_told_once_and_led_to_the_login(console: Page) -> None:
    requests: list[str] = []
    console.on("request", lambda request: requests.append(request.url))
    console.context.clear_cookies()
    notice = console.locator("#signed-out")
    expect(notice).to_contain_text("You are signed out.")
    before = len(requests)
    console.wait_for_timeout(7000)  # more than two ticks
    assert len(requests) == before
    expect(notice).to_have_count(1)
    expect(console.get_by_test_id("toast-body")).to_have_count(0)
    notice.get_by_role("link", name="Sign in again").click()
    console.wait_for_url("**/login")


def test_the_playground_shows_every_step(console: Page) -> None:
    console.get_by_role("tab", name="Playground").click()
    console.locator("#playground-earlier textarea").fill("hello\n\nthanks")
    console.locator("#playground-text textarea").fill(QUESTION)
    console.locator("#playground-go").click()
    steps = console.locator("#playground-steps")
    expect(console.locator("#playground-reply .customer")).to_have_count(2)
    expect(steps.locator("[data-step]")).to_have_count(7)
    expect(steps.locator("[data-step=candidates] tr")).to_have_count(11)
    expect(steps.locator("[data-step=candidates] tr.used").first).to_contain_text("rain-jackets")
    expect(steps.locator("[data-step=support]")).to_contain_text("supported")
    expect(steps.locator("[data-step=times]")).to_contain_text("search")
    console.locator("#language").get_by_text("中文", exact=True).click()
    expect(steps.locator("[data-step=support]")).to_contain_text("有依据")
    expect(console.locator("#playground-go")).to_have_text("运行")
    console.get_by_role("tab", name="客服台").click()  # where the server says no in Chinese as well
    expect(console.locator("#console-orders")).to_contain_text("接管会话后才能查看记录")
    expect(console.locator("#console-look")).to_be_hidden()
