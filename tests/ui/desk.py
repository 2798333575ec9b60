"""Actions of an agent at the console."""

from contextlib import suppress
from typing import Final

import httpx
from playwright.sync_api import Page, expect

_ATTEMPTS: Final = 4


def choose(page: Page, conversation: str) -> None:
    """Open a conversation by its row in the queue, and wait until the page shows it."""
    cells = page.locator("#console-table").get_by_text(conversation)
    row = page.locator("#console-table [role=row]").filter(has_text=conversation)
    for _ in range(_ATTEMPTS):  # the rows may move before the click arrives
        cells.locator("visible=true").first.click()
        with suppress(AssertionError):
            expect(row.first).to_contain_text("▸", timeout=30_000)
            return
    expect(row.first).to_contain_text("▸")


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
