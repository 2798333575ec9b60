"""What an agent does at the console, in few words."""

import httpx
from playwright.sync_api import Page, expect


def choose(page: Page, conversation: str) -> None:
    """Open a conversation by its row in the queue."""
    cells = page.locator("#console-table").get_by_text(conversation)
    cells.locator("visible=true").first.click()


def read(desk: httpx.Client, conversation: str) -> list[tuple[str, str]]:
    """Return who said what, as the log has it."""
    found = desk.get(f"/conversations/{conversation}/messages").raise_for_status().json()
    return [(line["role"], line["text"]) for line in found["messages"]]


def shows(page: Page, said: list[str]) -> None:
    """Expect all lines in their order, and nothing of another conversation."""
    shown = page.locator("#console-lines")
    expect(shown.locator("[data-testid=user], [data-testid=bot]")).to_have_count(len(said))
    for line in said:
        expect(shown).to_contain_text(line)
    text = " ".join(shown.inner_text().split())
    places = [text.find(" ".join(line.split())) for line in said]
    assert places == sorted(places)
    assert -1 not in places
