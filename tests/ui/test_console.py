"""Two agents at their consoles and three customers with the widget: all read the same."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from bot.container import Home
from bot.store.tables import suggestions
from tests.running import Server
from tests.ui.chatting import answered, lines, open_chat, recalled, say, staff
from tests.ui.desk import choose, read, shows

_JOIN = "**/gradio_api/queue/join*"
ASKED = (
    ("en", "How do I wash my rain jacket?", "I want to talk to a human"),
    ("zh", "雨衣怎么洗？", "转人工"),
    ("en", "Which size of boots fits me?", "a human please"),
)


def empty_queue(server: Server) -> None:
    """Close the conversations of other tests."""
    with staff(server) as desk:
        for conversation in desk.get("/desk/queue").raise_for_status().json()["conversations"]:
            path = f"/desk/conversations/{conversation['conversation_id']}"
            taken = desk.post(f"{path}/take", json={"agent": "ann"}).raise_for_status().json()
            owner = {"agent": "ann", "fence": taken["fence"]}
            desk.post(f"{path}/close", json=owner).raise_for_status()


@pytest.fixture
def customers(browser: Browser, server: Server) -> Iterator[list[Page]]:
    """Return three customers in browsers of their own, all of whom asked for a person."""
    empty_queue(server)  # the table shows only the rows that fit its height
    with ExitStack() as stack:
        pages = []
        for language, question, wish in ASKED:
            context = browser.new_context(viewport={"width": 420, "height": 800})
            stack.callback(context.close)
            context.set_default_timeout(180_000)
            page = context.new_page()
            open_chat(page, server.url, language)
            say(page, question)
            answered(page)
            say(page, wish)
            answered(page, 2)
            pages.append(page)
        yield pages


def widget_reads(page: Page, desk: httpx.Client, conversation: str) -> list[tuple[str, str]]:
    """Expect the widget to show the log's lines, in order, each by who said it; return them."""
    messages = page.locator("[data-testid^='message-']")
    log = read(desk, conversation)
    for _ in range(100):  # the last reply may be on its way
        if log[-1][0] != "customer" and messages.count() == len(log) + 1:
            break
        page.wait_for_timeout(200)
        log = read(desk, conversation)
    expect(messages).to_have_count(len(log) + 1)  # the greeting is the widget's own
    for place, (role, text) in enumerate(log, start=1):
        expect(messages.nth(place)).to_have_attribute("data-testid", f"message-{role}")
        expect(messages.nth(place)).to_contain_text(" ".join(text.split()))
    return log


def race(winner: Page, loser: Page) -> None:
    """Let one click first while the other's click is on its way: an old screen."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        routes.append(route)

    loser.route(_JOIN, hold)
    loser.locator("#console-take").click()
    winner.locator("#console-take").click()
    expect(winner.locator("#console-head")).to_contain_text("with cleo")
    for route in routes:
        route.continue_()
    loser.unroute(_JOIN)
    expect(loser.get_by_test_id("toast-body").first).to_contain_text("a colleague has")
    expect(loser.locator("#console-head")).to_contain_text("with cleo")
    expect(loser.locator("#console-send")).to_be_disabled()


def answer(page: Page, text: str) -> None:
    box = page.locator("#console-box textarea")
    box.fill(text)
    expect(page.locator("#console-send")).to_be_enabled()
    page.locator("#console-send").click()
    expect(box).to_have_value("")


def answer_with_suggestion(page: Page, added: str) -> str:
    """Send the first suggestion with words added, and return what was sent."""
    page.locator("#console-suggestions label").first.click()
    box = page.locator("#console-box textarea")
    expect(box).not_to_have_value("")
    words = f"{box.input_value()} {added}"
    answer(page, words)
    return words


def begins_and_marks(page: Page, colleague: Page, first: str, second: str) -> None:
    """Begin a reply, which nobody else's customer gets, and set a label, which all staff see."""
    box = page.locator("#console-box textarea")
    box.fill("begun for the first one")
    choose(page, second)
    expect(box).to_have_value("")
    choose(page, first)
    expect(box).to_have_value("begun for the first one")
    label = page.locator("#console-labels input")
    label.fill("urgent")
    label.press("Enter")
    expect(colleague.locator("#console-table")).to_contain_text("urgent")
    expect(colleague.locator("#console-labels")).to_contain_text("urgent")
    page.locator("#console-labels .token-remove").first.click()
    expect(colleague.locator("#console-labels")).not_to_contain_text("urgent")


def test_three_customers_and_two_agents_read_the_same(
    consoles: tuple[Page, Page], customers: list[Page], server: Server, staffed: Home
) -> None:
    cleo, dan = consoles
    first, second, third = (str(recalled(page)["conversation"]) for page in customers)
    for page in consoles:
        for conversation in (first, second, third):
            expect(page.locator("#console-table").get_by_text(conversation)).not_to_have_count(0)
        choose(page, first)
        expect(page.locator("#console-head")).to_contain_text("waiting")
        expect(page.locator("#console-take")).to_be_enabled()
    race(cleo, dan)
    begins_and_marks(dan, cleo, first, second)

    say(customers[0], "Can it go into the dryer after the wash?")
    expect(cleo.locator("#console-suggestions input").first).to_be_attached()
    reply = answer_with_suggestion(cleo, "And air it well.")
    expect(lines(customers[0], "agent")).to_contain_text("And air it well.")
    with staffed.engine.begin() as connection:
        is_first = suggestions.c.conversation_id == first
        rows = connection.execute(
            select(suggestions).where(is_first, suggestions.c.chosen == 0)
        ).all()
    assert len(rows) == 1
    assert 0 < rows[0].distance < 1

    choose(dan, second)
    expect(dan.locator("#console-head")).to_contain_text("waiting")
    dan.locator("#console-take").click()
    expect(dan.locator("#console-head")).to_contain_text("with dan")
    answer(dan, "您好，请用 30 度手洗。")
    expect(lines(customers[1], "agent")).to_contain_text("30 度手洗")
    dan.locator("#console-close").click()
    expect(dan.locator("#console-head")).to_contain_text("closed")
    expect(customers[1].get_by_test_id("csat")).to_be_visible()

    cleo.locator("#console-return").click()
    expect(cleo.locator("#console-head")).to_contain_text("returned to the bot")
    say(customers[0], "And how do I wash my boots?")

    with staff(server) as desk:
        pairs = zip(customers, (first, second, third), strict=True)
        logs = [widget_reads(page, desk, conversation) for page, conversation in pairs]
        for console, log in zip(consoles, logs, strict=False):  # theirs are still open
            shows(console, [text for _, text in log])
            choose(console, third)
            shows(console, [text for _, text in logs[2]])
        assert ("agent", reply) in logs[0]
        assert logs[0][-2:] == [("customer", "And how do I wash my boots?"), logs[0][-1]]
        assert logs[0][-1][0] == "bot"
        states = [
            desk.get(f"/desk/conversations/{conversation}").json()["state"]
            for conversation in (first, second, third)
        ]
    assert states == ["returned", "closed", "queued"]


def test_an_agent_sees_no_figures_and_reads_in_chinese(consoles: tuple[Page, Page]) -> None:
    cleo = consoles[0]
    expect(cleo.get_by_role("tab", name="Insights")).to_have_count(0)
    cleo.locator("#language").get_by_text("中文", exact=True).click()
    expect(cleo.locator("#console-take")).to_have_text("接管")
    expect(cleo.locator("#console-busy")).to_contain_text("等待")
    cleo.reload()  # what was chosen stays so
    expect(cleo.get_by_role("tab")).to_have_text(["聊天", "实时会话", "客服台", "调试台"])
    expect(cleo.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(cleo.locator("#chat-hint")).to_contain_text("最近一次回复")
    cleo.get_by_role("tab", name="实时会话").click()
    expect(cleo.locator("#live-table")).to_contain_text("最近活动")
    cleo.get_by_role("tab", name="客服台").click()
    expect(cleo.locator("#console-head")).to_contain_text("请在队列中选择")
