"""The page of figures in a browser: a number that leads on to a conversation, in two languages."""

import codecs
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bot.analytics import traffic_simulation
from bot.container import Home
from bot.core.settings import Settings
from bot.store import query_log, synthetic_conversations, topic_store
from bot.store.topic_store import Topic
from tests.running import Server
from tests.ui.signing import sign_in
from ui.i18n import CHINESE


@pytest.fixture
def traffic(server: Server) -> Iterator[Home]:
    home = Home(Settings.load(server.home))
    home.log()
    synthetic_conversations.write(
        home.engine,
        traffic_simulation.simulate_traffic(
            traffic_simulation.read_source(
                home.path / "dialogs", home.knowledge(), home.served_by()
            ),
            40,
            8.0,
            seed=2,
        ),
    )
    vector = np.zeros(2, dtype=np.float32)
    topics = [
        Topic(f"topic:{n}", f"subject {n}", "en", vector, vector, "returns") for n in range(3)
    ]
    topic_store.add(home.engine, topics, "e5", synthetic=True)
    messages = [
        message.message_id for message in query_log.logged_questions(home.engine, synthetic=True)
    ]
    topic_store.place(
        home.engine, {message: f"topic:{n % 3}" for n, message in enumerate(messages)}
    )
    yield home
    synthetic_conversations.clear(home.engine)
    home.engine.dispose()


def test_figures_lead_to_conversations_in_both_languages(
    page: Page, server: Server, traffic: Home
) -> None:
    assert traffic.engine
    sign_in(page, server)
    page.get_by_role("tab", name="Insights").click()
    page.locator("#insights-synthetic input").check()
    expect(page.locator("#insights-surges")).to_contain_text("Simulated")
    expect(page.locator("#insights-deflection")).to_contain_text("%")
    expect(page.locator("#insights-outcomes rect.confirmed").nth(3)).to_be_attached()
    expect(page.locator("#insights-voice rect.mood").nth(3)).to_be_attached()
    page.locator("#insights-handoff").click()
    expect(page.locator("#insights-behind")).to_contain_text("Handed over")
    expect(page.locator("#insights-behind")).to_be_in_viewport()
    intents = page.locator("#insights-intents")
    count = intents.locator("[data-testid='cell-0-1']").locator("visible=true")
    count.click()  # all about the intent; the last column: those of them who are unhappy
    expect(page.locator("#insights-behind")).to_contain_text("· Messages")
    headline = page.locator("#insights-behind").inner_text()
    intents.locator("[data-testid='cell-0-4']").locator("visible=true").click()
    expect(page.locator("#insights-behind")).to_contain_text("· Negative")
    assert int(headline.split()[0]) > int(page.locator("#insights-behind").inner_text().split()[0])
    expect(page.locator("#insights-found")).to_contain_text("synthetic-")
    cells = page.locator("#insights-found").get_by_text("synthetic-")
    cells.locator("visible=true").first.click()
    expect(page.locator("#insights-transcript .message").first).to_be_visible()
    topic = page.locator("#insights-topics").get_by_text("subject 1").locator("visible=true")
    topic.first.click()
    expect(page.locator("#insights-behind")).to_contain_text("subject 1")
    page.get_by_label("Topic name").fill("wet tents")
    page.locator("#insights-rename").click()
    expect(page.locator("#insights-voice text", has_text="wet tents")).to_be_visible()
    page.locator("#insights-voice text", has_text="subject 2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#insights-behind")).to_contain_text("subject 2")
    page.locator("#insights-topics").get_by_text("subject 2").locator("visible=true").first.click()
    expect(page.get_by_label("Topic name")).to_have_value("subject 2")
    page.get_by_label("Topic name").fill("wet tents")
    page.locator("#insights-join").click()
    expect(page.locator("#insights-voice text", has_text="subject 2")).to_have_count(0)
    page.locator("#insights-outcomes rect.handoff[data-day]").last.click()
    expect(page.locator("#insights-behind")).to_contain_text("handed over 20")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    table = saved.value.path().read_bytes()
    assert table.startswith(codecs.BOM_UTF8)  # or spreadsheets would not read Chinese names
    assert b"wet tents" in table
    page.locator("#language").get_by_text(CHINESE, exact=True).click()
    expect(page.locator("#insights-deflection")).to_contain_text("自助解决率")
    expect(page.locator("#insights-outcomes")).to_contain_text("推定解决")
