"""Hostile text stays text: nothing runs, no link misleads, the layout stays."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import FilePayload, Page, expect

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
    page: Page, stage: WidgetStage, embedded: Server, fetched: list[str]
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


def reply(text: str) -> dict[str, Any]:
    urls = [
        "javascript:document.title='run'",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        text,
        "//",
    ]
    return {
        "text": text,
        "citations": [
            {
                "article": f"{n}{text}",
                "title": text,
                "quote": text,
                "start": 0,
                "end": 1,
                "url": url,
            }
            for n, url in enumerate(urls)
        ],
        "buttons": [{"title": text, "payload": text}],
        "related": [text],
    }


def test_hostile_replies_articles_and_titles_are_text(
    page: Page, stage: WidgetStage, fetched: list[str]
) -> None:
    texts = [*HOSTILE, LONG]

    def script(body: bytes, _last: str | None) -> Iterator[bytes]:
        number = int(json.loads(body)["text"])
        text = texts[number]
        yield event("received", {"message_id": f"m{number}", "conversation_id": "c"})
        yield event("token", {"text": text})
        handoff = {"state": "human", "queue": text, "position": None, "agent": text}
        ids = {"message_id": f"m{number}", "reply_id": f"r{number}"}
        yield event("turn", {**ids, "reply": reply(text), "handoff": handoff})

    stage.script = script
    begin(page, place(stage, stage.url))
    for number, text in enumerate(texts):
        say(page, str(number))
        answered(page, number + 1)
        said = lines(page, "bot").last
        assert said.locator(".text").evaluate("(one) => one.textContent") == text
        links = """(line) => [...line.querySelectorAll("details")].map((one) => {
          one.open = true; return one.querySelector("a").protocol; })"""
        protocols = said.evaluate(links)
        assert len(protocols) == 5
        assert set(protocols) <= {"http:", "https:"}
        is_whole(page)
    assert set(fetched) == {stage.url.split("/")[2]}


def test_hostile_agents_and_file_names_are_text(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    names = [f"{text[:80]}.txt".replace("/", "-") for text in (*HOSTILE[1:], LONG)]
    for some in (names[:5], names[5:]):
        files = [FilePayload(name=n, mimeType="text/plain", buffer=b"<b>1</b>") for n in some]
        page.locator("input[type=file]").set_input_files(files)
        expect(page.get_by_test_id("chip")).to_have_count(len(some))
        is_whole(page)
        say(page, "a human please")
        expect(page.get_by_test_id("chip")).to_have_count(0)
        is_whole(page)
    answered(page, 2)
    with staff(embedded) as desk:
        here, held = take(desk, page)
        for number, text in enumerate((*HOSTILE, LONG[:19_000])):
            agent = {"id": "ann", "name": text[:120], "capacity": 50}
            desk.put("/desk/agents", json=agent).raise_for_status()
            desk.post(f"{here}/say", json={**held, "text": text}).raise_for_status()
            expect(lines(page, "agent")).to_have_count(number + 1)
            said = lines(page, "agent").last.locator(".text")
            assert said.evaluate("(one) => one.textContent") == text
            is_whole(page)
        desk.post(f"{here}/close", json=held).raise_for_status()
        expect(page.get_by_test_id("csat")).to_be_visible()
        is_whole(page)
