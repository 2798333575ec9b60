"""Connections that break, a server that goes away: nothing is lost and nothing comes twice."""

import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import Page, expect

from tests.running import Server
from tests.ui.chatting import answered, lines, place, recalled, say, staff

QUESTIONS = (
    "How do I wash my rain jacket?",
    "How long is the warranty on backpacks?",
    "hello",
    "How long does standard shipping take?",
    "雨衣怎么洗？",
)


def event(number: int, name: str, data: Any) -> bytes:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def turn(text: str) -> dict[str, Any]:
    reply = {"text": text, "citations": [], "buttons": [], "related": []}
    return {"message_id": "m", "conversation_id": "c", "reply_id": "r", "reply": reply}


def begin(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("panel")).to_be_visible()


@pytest.mark.parametrize("count", [1000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_tokens_come_each_once_though_the_stream_is_cut(
    page: Page, stage: WidgetStage, count: int
) -> None:
    tokens = [f"{number:x}é😀 " for number in range(count)]
    read, requests = threading.Event(), list[str | None]()

    def script(_body: bytes, last: str | None) -> Iterator[bytes]:
        requests.append(last)
        if last is None:
            yield event(0, "received", {"message_id": "m", "conversation_id": "c"})
        start = int(last) if last else 0
        for number in range(start, count):
            yield event(number + 1, "token", {"text": tokens[number]})
        read.wait(100)
        yield event(count + 1, "turn", turn("".join(tokens)))

    stage.script = script
    stage.cuts[:] = [10 * count, 15 * count + 1]  # in the middle of events, and of characters
    begin(page, place(stage, stage.url))
    say(page, "tell me everything")
    words = lines(page, "bot").last.locator(".text")
    ends = """(end) => [...document.querySelector("careline-chat").shadowRoot
      .querySelectorAll(".line.bot .text")].pop().textContent.endsWith(end)"""
    page.wait_for_function(ends, arg=tokens[-1], timeout=300_000)
    assert words.evaluate("(one) => one.textContent") == "".join(tokens)  # before the turn came
    assert len(requests) == 3
    assert all(requests[1:])
    read.set()
    expect(page.get_by_test_id("thumb-up")).to_have_count(1)
    assert words.evaluate("(one) => one.textContent") == "".join(tokens)


def test_quotes_of_one_article_stand_together(page: Page, stage: WidgetStage) -> None:
    quoted = [("jackets", "Wash at 30."), ("boots", "Brush them."), ("jackets", "Close all zips.")]
    done = turn("Wash it.")
    done["reply"]["citations"] = [
        {"article": article, "title": article, "quote": quote, "start": 0, "end": 1, "url": ""}
        for article, quote in quoted
    ]

    def script(_body: bytes, _last: str | None) -> Iterator[bytes]:
        yield event(0, "received", {"message_id": "m", "conversation_id": "c"})
        yield event(1, "turn", done)

    stage.script = script
    begin(page, place(stage, stage.url))
    say(page, "how do I wash it?")
    answered(page)
    sources = page.get_by_test_id("citation")
    expect(sources).to_have_count(2)
    sources.first.locator("summary").click()
    assert sources.first.locator("blockquote").all_inner_texts() == [
        "Wash at 30.",
        "Close all zips.",
    ]


def test_a_stream_cut_in_the_middle_goes_on_where_it_was(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, stage.url))
    stage.cuts[:] = [400]
    broken = stage.broken
    say(page, "How do I wash my rain jacket?")
    answered(page)
    assert stage.broken == broken + 1
    with staff(embedded) as desk:
        path = f"/conversations/{recalled(page)['conversation']}/messages"
        said = [line["text"] for line in desk.get(path).json()["messages"]]
    assert lines(page, "bot").last.locator(".text").inner_text() == said[-1]
    assert len(said) == 2


def test_what_is_written_without_a_connection_is_sent_later(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    page.context.set_offline(offline=True)
    say(page, "How long does standard shipping take?")
    expect(page.get_by_test_id("status")).to_contain_text("Reconnecting")
    expect(lines(page, "customer")).to_have_count(1)
    page.context.set_offline(offline=False)
    answered(page)
    expect(page.get_by_test_id("status")).to_be_hidden()
    page.context.set_offline(offline=True)
    say(page, "How do I wash my rain jacket?")
    page.context.set_offline(offline=False)
    page.reload()  # before the reply: the message is in the browser
    page.get_by_test_id("launcher").click()
    answered(page, 2)
    expect(lines(page, "customer")).to_have_count(2)


def test_what_was_taken_back_while_it_was_answered_is_not_sent_again(
    page: Page, stage: WidgetStage
) -> None:
    requests = list[str]()

    def script(body: bytes, _last: str | None) -> Iterator[bytes]:
        requests.append(json.loads(body)["text"])
        yield event(0, "received", {"message_id": "m", "conversation_id": "c"})
        yield event(1, "token", {"text": "A word"})
        threading.Event().wait(20 if len(requests) == 1 else 0)
        yield event(2, "turn", turn("A word"))

    stage.script = script
    begin(page, place(stage, stage.url))
    say(page, "one")
    expect(lines(page, "bot").last).to_contain_text("A word")
    page.get_by_test_id("menu").click()
    page.get_by_test_id("anew").click()
    expect(lines(page, "customer")).to_have_count(0)
    page.wait_for_timeout(1500)  # longer than the pause before another try
    say(page, "two")
    answered(page)
    assert requests == ["one", "two"]


def transcript(page: Page) -> list[tuple[str, str]]:
    script = """() => [...document.querySelector("careline-chat").shadowRoot
      .querySelectorAll(".line")].slice(1).map((line) =>
      [line.dataset.testid.replace("message-", ""), line.querySelector(".text").textContent])"""
    return [(role, text) for role, text in page.evaluate(script)]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_30_cuts_and_5_restarts_leave_both_sides_the_same(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    dice = random.Random(7)
    begin(page, place(stage, stage.url))
    broken = stage.broken
    for number in range(30):
        stage.cuts[:] = [dice.randrange(1, 900)]
        say(page, f"{dice.choice(QUESTIONS)} ({number})")
        if number % 6 == 5:
            (embedded.stop if number % 12 == 5 else embedded.kill)()
            embedded.start()
        if number % 7 == 3:
            page.reload()
            page.get_by_test_id("launcher").click()
        expect(lines(page, "customer").last).to_contain_text(f"({number})")
        last = page.locator(".line").last
        expect(last).to_have_attribute("data-testid", "message-bot", timeout=300_000)
        log = page.get_by_test_id("log")
        expect(log).to_have_attribute("aria-busy", "false", timeout=300_000)
    assert stage.broken - broken >= 30
    with staff(embedded) as desk:
        path = f"/conversations/{recalled(page)['conversation']}/messages"
        said = [(line["role"], line["text"]) for line in desk.get(path).json()["messages"]]
    assert len(said) == 60
    page.wait_for_timeout(1000)
    # The page has at most 60 lines, the greeting among them.
    assert transcript(page) == said[-len(transcript(page)) :]
    assert len(transcript(page)) >= 59
    page.reload()
    page.get_by_test_id("launcher").click()
    expect(lines(page, "customer").last).to_contain_text("(29)")
    assert transcript(page) == said[-len(transcript(page)) :]


def test_history_comes_page_by_page_and_the_page_stays_small(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    say(page, "message 0")
    answered(page)
    memory = recalled(page)
    headers = {"Authorization": f"Bearer {memory['session']}"}
    with httpx.Client(base_url=embedded.url, headers=headers, timeout=300) as client:
        for number in range(1, 100):
            body = {"text": f"message {number}", "conversation_id": memory["conversation"]}
            client.post("/api/messages", json=body).raise_for_status()
    page.reload()
    page.get_by_test_id("launcher").click()
    expect(lines(page, "customer").last).to_contain_text("message 99")
    seen = set[str]()
    log = page.get_by_test_id("log")
    count = "(log) => log.querySelectorAll('.line').length"
    for _ in range(120):
        shown = lines(page, "customer").locator(".text").all_inner_texts()
        assert log.evaluate(count) <= 60
        seen.update(shown)
        if shown[0] == "message 0":
            break
        log.evaluate("(one) => { one.scrollTop = 0; }")
        page.wait_for_timeout(150)
    assert len(seen) == 100
    latest = page.get_by_test_id("latest")
    expect(latest).to_be_visible()
    latest.click()
    expect(lines(page, "customer").last).to_contain_text("message 99")
    expect(latest).to_be_hidden()
    assert log.evaluate(count) <= 60


def test_who_reads_further_up_is_not_moved(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    for number in range(4):
        say(page, f"How do I wash my rain jacket? {number}")
        answered(page, number + 1)
    log = page.get_by_test_id("log")
    log.evaluate("(one) => { one.scrollTop = 150; }")
    expect(page.get_by_test_id("latest")).to_be_visible()
    memory = recalled(page)
    headers = {"Authorization": f"Bearer {memory['session']}"}
    body = {"text": "from elsewhere", "conversation_id": memory["conversation"]}
    httpx.post(f"{embedded.url}/api/messages", json=body, headers=headers, timeout=300)
    answered(page, 5)
    assert log.evaluate("(one) => one.scrollTop") == 150
