"""Actions of a customer in the widget."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from careline_benchmarks.widget_stage import StagePage as Staged
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import Locator, Page, expect

from bot.server.auth.secrets_file import load_or_create
from tests.running import Server

EMPTY = "<!doctype html><html lang='{lang}'><title>A page</title><main>{body}</main>{script}</html>"


def open_chat(page: Page, url: str, language: str = "en") -> None:
    page.goto(f"{url}/?lang={language}")
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("panel")).to_be_visible()


def say(page: Page, text: str) -> None:
    page.get_by_test_id("input").fill(text)
    page.get_by_test_id("input").press("Enter")


def lines(page: Page, role: str) -> Locator:
    return page.get_by_test_id(f"message-{role}")


def answered(page: Page, count: int = 1) -> None:
    """Wait for this many replies besides the greeting, whole ones."""
    expect(lines(page, "bot")).to_have_count(count + 1)
    expect(page.get_by_test_id("log")).to_have_attribute("aria-busy", "false")


def place(
    stage: WidgetStage,
    source: str,
    attributes: str = "",
    body: str = "<h1>A page</h1>",
    lang: str = "en",
    **headers: str,
) -> str:
    """Put a page with the widget on the stage and return its address."""
    script = f'<script type="module" src="{source}/widget.js" {attributes}></script>'
    html = EMPTY.format(lang=lang, body=body, script=script)
    stage.pages["/page"] = Staged(html, {k.replace("_", "-"): v for k, v in headers.items()})
    return f"{stage.url}/page"


def recalled(page: Page) -> dict[str, Any]:
    """Return what the browser remembers of the conversation."""
    script = """() => Object.keys(localStorage).filter((key) => /^careline:.*[^:]$/.test(key)
      && !key.includes(":out:")).map((key) => JSON.parse(localStorage[key]))[0] ?? {}"""
    memory: dict[str, Any] = page.evaluate(script)
    return memory


@contextmanager
def staff(server: Server) -> Iterator[httpx.Client]:
    """Yield a client of the people who answer; Ann is one of them."""
    headers = {"Authorization": f"Bearer {load_or_create(server.home).token}"}
    with httpx.Client(base_url=f"{server.url}/api", headers=headers, timeout=300) as client:
        client.put("/desk/agents", json={"id": "ann", "name": "Ann", "capacity": 50})
        yield client


def take(desk: httpx.Client, page: Page) -> tuple[str, dict[str, Any]]:
    """Let Ann take the page's conversation; return its path and what she holds."""
    path = f"/desk/conversations/{recalled(page)['conversation']}"
    fence = desk.post(f"{path}/take", json={"agent": "ann"}).raise_for_status().json()["fence"]
    return path, {"agent": "ann", "fence": fence}
