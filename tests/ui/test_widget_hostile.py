"""Whatever is written, it is text: nothing runs, nothing leads astray, the layout stays."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import FilePayload, Page, expect

from bot.bench.stage import Stage
from tests.running import Server
from tests.ui.chatting import answered, lines, place, say, staff, take

HOSTILE: Final = (
    "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>",
    "</p></div><style>* { display: none !important }</style><svg/onload=document.title='run'>",
    "[click](javascript:document.title='run') ![x](https://evil.example/x.png) **__`` [[[((",
    "\u202eevil \u2066\u2067\u202b\u202a" * 40,
    "a\u0301\u0302\u0303" * 500 + "🏳️\u200d🌈" * 50 + "\ufeff\u200b",
    "{{constructor.constructor('document.title=1')()}} ${document.title} %3Cscript%3E",
)
LONG: Final = "W" * 100_000


def begin(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("panel")).to_be_visible()


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def is_whole(page: Page) -> None:
    """Check that nothing ran, nothing was fetched, and nothing stands over the edge."""
    assert page.title() == "A page"
    panel = page.get_by_test_id("panel")
    expect(panel).to_be_visible()
    over = """(panel) => { const edge = panel.getBoundingClientRect();
      return [...panel.querySelectorAll("*")].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 1 && !one.classList.contains("away")
          && (box.left < edge.left - 1 || box.right > edge.right + 1); })
        .map((one) => one.outerHTML.slice(0, 200)); }"""
    assert panel.evaluate(over) == []
    assert panel.evaluate("(one) => one.querySelector('.log').scrollWidth <= one.clientWidth")
    added = "(one) => one.querySelectorAll('script, style, iframe, [onerror], [onload]').length"
    assert panel.evaluate(added) == 0


@pytest.fixture
def fetched(page: Page) -> list[str]:
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url.split("/")[2]))
    return found


def test_hostile_messages_come_back_as_text(
    page: Page, stage: Stage, embedded: Server, fetched: list[str]
) -> None:
    begin(page, place(stage, embedded.url))
    for number, text in enumerate(HOSTILE):
        say(page, text)
        answered(page, number + 1)
        shown = lines(page, "customer").last.locator(".text").evaluate("(one) => one.textContent")
        assert shown == text.strip()
        is_whole(page)
    page.reload()
    page.get_by_test_id("launcher").click()
    answered(page, len(HOSTILE))
    is_whole(page)
    assert set(fetched) == {stage.url.split("/")[2], embedded.url.split("/")[2]}


@pytest.mark.parametrize("text", [*HOSTILE, LONG], ids=range(len(HOSTILE) + 1))
def test_hostile_replies_articles_and_titles_are_text(
    page: Page, stage: Stage, text: str, fetched: list[str]
) -> None:
    urls = [
        "javascript:document.title='run'",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        text,
        "//",
    ]
    reply = {
        "text": text,
        "citations": [
            {"article": text, "title": text, "quote": text, "start": 0, "end": 1, "url": url}
            for url in urls
        ],
        "buttons": [{"title": text, "payload": text}],
        "related": [text],
    }
    handoff = {"state": "human", "queue": text, "position": None, "agent": text}

    def script(_body: bytes, _last: str | None) -> Iterator[bytes]:
        yield event("received", {"message_id": "m", "conversation_id": "c"})
        yield event("token", {"text": text})
        turn = {"message_id": "m", "reply_id": "r", "reply": reply, "handoff": handoff}
        yield event("turn", turn)

    stage.script = script
    begin(page, place(stage, stage.url))
    say(page, "hello")
    answered(page)
    words = lines(page, "bot").last.locator(".text")
    assert words.evaluate("(one) => one.textContent") == text
    for citation in page.get_by_test_id("citation").all():
        citation.locator("summary").evaluate("(one) => { one.parentElement.open = true; }")
        href = citation.get_by_role("link").evaluate("(one) => one.protocol")
        assert href in {"http:", "https:"}
    is_whole(page)
    assert set(fetched) == {stage.url.split("/")[2]}


@pytest.mark.parametrize("text", [*HOSTILE, LONG[:19_000]], ids=range(len(HOSTILE) + 1))
def test_hostile_agents_and_file_names_are_text(
    page: Page, stage: Stage, embedded: Server, text: str
) -> None:
    begin(page, place(stage, embedded.url))
    name = f"{text[:80]}.txt".replace("/", "-")
    file = FilePayload(name=name, mimeType="text/plain", buffer=b"<script>1</script>")
    page.get_by_test_id("file").set_input_files(file)
    expect(page.get_by_test_id("chip")).to_have_count(1)
    is_whole(page)
    say(page, "a human please")
    answered(page)
    with staff(embedded) as desk:
        agent = {"id": "ann", "name": text[:120], "capacity": 50}
        desk.put("/desk/agents", json=agent).raise_for_status()
        here, held = take(desk, page)
        desk.put("/desk/agents", json=agent).raise_for_status()
        desk.post(f"{here}/say", json={**held, "text": text}).raise_for_status()
        said = lines(page, "agent").last.locator(".text")
        expect(lines(page, "agent")).to_have_count(1)
        assert said.evaluate("(one) => one.textContent") == text
        is_whole(page)
        desk.post(f"{here}/close", json=held).raise_for_status()
        expect(page.get_by_test_id("csat")).to_be_visible()
        is_whole(page)
