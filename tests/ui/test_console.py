"""Two agents at their consoles, two customers: one takes over, the other is told."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from bot.bootstrap import Home
from bot.settings import Settings
from bot.store.tables import suggestions
from bot.store.users import Level, Users
from bot.types import new_id
from tests.running import Server
from tests.ui.signing import sign_in

PASSWORD = "correct horse"
_JOIN = "**/gradio_api/queue/join*"


@pytest.fixture
def home(server: Server) -> Iterator[Home]:
    """Return the served home with two agents who may sign in."""
    found = Home(Settings.load(server.home))
    users = Users(found.engine)
    users.add("cleo", "Cleo", Level.AGENT, PASSWORD)
    users.add("dan", "Dan", Level.AGENT, PASSWORD)
    yield found
    users.remove("cleo")
    users.remove("dan")
    found.engine.dispose()


@pytest.fixture
def consoles(browser: Browser, server: Server, home: Home) -> Iterator[tuple[Page, Page]]:
    """Return the consoles of both, each in a browser of its own."""
    assert home
    with ExitStack() as stack:
        pages = []
        for user in ("cleo", "dan"):
            context = browser.new_context(viewport={"width": 1440, "height": 1000})
            stack.callback(context.close)
            context.set_default_timeout(30_000)
            page = context.new_page()
            sign_in(page, server, user, PASSWORD)
            page.get_by_role("tab", name="Console").click()
            expect(page.locator("#console-busy")).to_contain_text(f"{user.title()} (agent)")
            pages.append(page)
        yield pages[0], pages[1]


def ask(server: Server, conversation: str, text: str) -> None:
    body = {"text": text, "conversation_id": conversation}
    httpx.post(f"{server.url}/api/messages", json=body, timeout=60).raise_for_status()


def said(server: Server, conversation: str) -> list[str]:
    found = httpx.get(f"{server.url}/api/conversations/{conversation}/messages", timeout=60)
    return [line["text"] for line in found.json()["messages"]]


def choose(page: Page, conversation: str) -> None:
    cells = page.locator("#console-table").get_by_text(conversation)
    cells.locator("visible=true").first.click()


def shows(page: Page, lines: list[str]) -> None:
    """Expect all lines in their order, and nothing of another conversation."""
    shown = page.locator("#console-lines")
    for line in lines:
        expect(shown).to_contain_text(line)
    text = " ".join(shown.inner_text().split())
    places = [text.find(" ".join(line.split())) for line in lines]
    assert places == sorted(places)
    assert -1 not in places


def test_of_two_agents_one_takes_over_answers_with_a_suggestion_and_lets_go(
    consoles: tuple[Page, Page], server: Server, home: Home
) -> None:
    cleo, dan = consoles
    first, second = new_id(), new_id()
    for conversation in (first, second):
        ask(server, conversation, "How do I wash my rain jacket?")
        ask(server, conversation, "I want to talk to a human")
    for page in consoles:
        choose(page, first)
        expect(page.locator("#console-head")).to_contain_text("waiting")
        expect(page.locator("#console-take")).to_be_enabled()
    # Dan's click is on its way when Cleo's is done: an old screen, as in a race.
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    dan.route(_JOIN, hold)
    dan.locator("#console-take").click()
    cleo.locator("#console-take").click()
    expect(cleo.locator("#console-head")).to_contain_text("with cleo")
    for route in held:
        route.continue_()
    dan.unroute(_JOIN)
    expect(dan.get_by_test_id("toast-body").first).to_contain_text("a colleague has")
    expect(dan.locator("#console-head")).to_contain_text("with cleo")
    expect(dan.locator("#console-send")).to_be_disabled()

    ask(server, first, "Can it go into the dryer after the wash?")
    expect(cleo.locator("#console-suggestions input").first).to_be_attached()
    cleo.locator("#console-suggestions label").first.click()
    box = cleo.locator("#console-box textarea")
    expect(box).not_to_have_value("")
    reply = f"{box.input_value()} And air it well."
    box.fill(reply)
    expect(cleo.locator("#console-send")).to_be_enabled()
    cleo.locator("#console-send").click()
    expect(box).to_have_value("")
    with home.engine.begin() as connection:
        here = suggestions.c.conversation_id == first
        rows = connection.execute(select(suggestions).where(here, suggestions.c.chosen == 0)).all()
    assert len(rows) == 1
    assert 0 < rows[0].distance < 1
    lines = said(server, first)
    assert reply in lines
    for page in consoles:
        shows(page, lines)

    cleo.locator("#console-return").click()
    expect(cleo.locator("#console-head")).to_contain_text("with the bot again")
    choose(dan, second)
    expect(dan.locator("#console-head")).to_contain_text("waiting")
    dan.locator("#console-take").click()
    expect(dan.locator("#console-head")).to_contain_text("with dan")
    dan.locator("#console-close").click()
    expect(dan.locator("#console-head")).to_contain_text("closed")
    shows(dan, said(server, second))


def test_an_agent_sees_no_figures_and_reads_in_chinese(consoles: tuple[Page, Page]) -> None:
    cleo = consoles[0]
    expect(cleo.get_by_role("tab", name="Insights")).to_have_count(0)
    cleo.locator("#console-language").get_by_text("中文").click()
    expect(cleo.locator("#console-take")).to_have_text("接管")
    expect(cleo.locator("#console-busy")).to_contain_text("等待")
