"""axe-core finds nothing serious of ours on the login and on the staff's screens."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from bot.container import Home
from bot.core.types import new_id
from bot.store.accounts import AccessLevel, Users
from tests.running import Server
from tests.ui.axe import Finding, findings
from tests.ui.chatting import staff
from tests.ui.desk import choose
from tests.ui.signing import PASSWORD, sign_in
from ui.app import titles
from ui.i18n import CHINESE, ENGLISH
from ui.screens.workshop.texts import get_texts

# What Gradio's own parts do wrong, by rule and class: not ours to change.
GRADIOS: Final = {
    # An empty value of gr.JSON is a `div` without a role, and Gradio names it.
    ("aria-prohibited-attr", "empty"),
    # A long gr.Dataframe has no rows for a moment while it draws those in sight.
    ("aria-required-children", "table-wrap"),
}
LOCALES: Final = {"en": ENGLISH, "zh": CHINESE}
QUESTION: Final = {"en": "How do I wash my rain jacket?", "zh": "雨衣怎么洗？"}


@pytest.fixture
def supervisor(staffed: Home) -> Iterator[str]:
    """Return who may see every tab."""
    users = Users(staffed.engine)
    users.add("sue", "Sue", AccessLevel.SUPERVISOR, PASSWORD)
    yield "sue"
    users.remove("sue")


def chat(page: Page, _server: Server, language: str) -> None:
    box = page.locator("#chat-box textarea")
    box.fill(QUESTION[language])
    box.press("Enter")
    expect(page.locator("#chat-candidates .cited").first).to_be_visible()


def live(page: Page, _server: Server, _language: str) -> None:
    expect(page.locator("#live-table")).to_contain_text("api")


def console(page: Page, server: Server, language: str) -> None:
    conversation = new_id()
    with staff(server) as desk:
        for text in (QUESTION[language], "a human please"):
            body = {"text": text, "conversation_id": conversation}
            desk.post("/messages", json=body).raise_for_status()
    choose(page, conversation)
    expect(page.locator("#console-take")).to_be_enabled()
    page.locator("#console-take").click()
    expect(page.locator("#console-send")).to_be_enabled()
    page.locator("#console-lines [data-testid=user]").first.click()
    expect(page.locator("#console-right-intent")).to_be_visible()


def insights(page: Page, _server: Server, _language: str) -> None:
    expect(page.locator("#insights-deflection")).to_contain_text("–")


def playground(page: Page, _server: Server, language: str) -> None:
    page.locator("#playground-text textarea").fill(QUESTION[language])
    page.locator("#playground-go").click()
    expect(page.locator("#playground-steps .used").first).to_be_visible()


def workshop(page: Page, _server: Server, _language: str) -> None:
    expect(page.locator("#workshop-serving")).to_contain_text("k-20")


# Each tab with something on it.
TABS: Final = {
    "chat": chat,
    "live": live,
    "console": console,
    "insights": insights,
    "playground": playground,
    "workshop": workshop,
}
# Axe takes seconds over a screen of Gradio's: every run looks at what people work with.
LOOKS: Final = [
    ("en", "light", ("console", "insights")),
    *(
        pytest.param(language, scheme, tuple(TABS), marks=pytest.mark.slow)
        for language in ("en", "zh")
        for scheme in ("light", "dark")
    ),
]


def ours(violations: list[Finding]) -> list[Finding]:
    """Return what is serious or critical, and not Gradio's."""
    return [
        violation
        for violation in violations
        if violation.impact in {"serious", "critical"}
        and not any(
            violation.rule == rule and f'class="{name}' in violation.html for rule, name in GRADIOS
        )
    ]


@pytest.mark.parametrize(("language", "scheme", "tabs"), LOOKS)
def test_nothing_serious_is_found_on_the_screens(
    page: Page, server: Server, supervisor: str, language: str, scheme: Any, tabs: Sequence[str]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, server, supervisor, PASSWORD)
    page.goto(f"{server.url}/app/?__theme={scheme}")
    locale, violations = LOCALES[language], {}
    page.locator("#language").get_by_text(locale, exact=True).click()
    assert TABS.keys() == titles(locale).keys()
    for tab in tabs:
        page.get_by_role("tab", name=titles(locale)[tab]).click()
        TABS[tab](page, server, language)
        violations[tab] = ours(findings(page))
    for part in ("versions", "setup") if "workshop" in tabs else ():
        page.get_by_role("tab", name=get_texts(locale)[part], exact=True).click()
        violations[part] = ours(findings(page))
    assert {tab: serious for tab, serious in violations.items() if serious} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_found_on_the_login(page: Page, server: Server, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server.url}/login")
    assert findings(page) == []
    page.locator("#user").fill("nobody")
    page.locator("#password").fill("wrong")
    page.locator("form button").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert findings(page) == []
    page.locator("#language").click()
    assert findings(page) == []
