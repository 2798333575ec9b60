"""Actions of an agent at the console."""

import httpx
from playwright.sync_api import Page, expect


def choose(page: Page, conversation: str) -> None:
    """Open a conversation by its row in the queue."""
    cells = page.locator("#console-table").get_by_text(conversation)
    cells.locator("visible=true").first.click()


def read(desk: httpx.Client, conversation: str) -> list[tuple[str, str]]:
    """Return who said what, as the log has it."""
    response = desk.get(f"/conversations/{conversation}/messages").raise_for_status().json()
    return [(line["role"], line["text"]) for line in response["messages"]]


def shows(page: Page, texts: list[str]) -> None:
    """Expect all lines in their order, and nothing of another conversation."""
    lines = page.locator("#console-lines")
    expect(lines.locator("[data-testid=user], [data-testid=bot]")).to_have_count(len(texts))
    for line in texts:
        expect(lines).to_contain_text(line)
    text = " ".join(lines.inner_text().split())
    places = [text.find(" ".join(line.split())) for line in texts]
    assert places == sorted(places)
    assert -1 not in places
