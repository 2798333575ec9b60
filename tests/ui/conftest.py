"""A real browser, and a server that other pages may use."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.container import Home
from bot.core.settings import Settings
from bot.store.accounts import AccessLevel, Users
from tests.running import Server, free_port
from tests.ui.signing import PASSWORD, sign_in

# The flags keep Chromium from calling home, which a closed network would answer slowly.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Of a module and no longer: while Playwright runs, its thread has an event loop that other tests
# cannot run theirs beside.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("Chromium is missing: `make test` installs it")
    expect.set_options(timeout=180_000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(180_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def elsewhere(
    trained: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, WidgetStage]]:
    """Start a server and, on another origin that it allows, a stage for pages."""
    folder = tmp_path_factory.mktemp("elsewhere") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    port = free_port()
    with WidgetStage(f"http://127.0.0.1:{port}").running() as stage:
        settings = {
            "CARELINE_ALLOWED_ORIGINS": f'["{stage.url}"]',
            "CARELINE_IDENTITY_SECRET": "identity-secret",
        }
        running = Server(folder, port, settings)
        running.start()
        yield running, stage
        running.stop()


@pytest.fixture
def stage(elsewhere: tuple[Server, WidgetStage]) -> Iterator[WidgetStage]:
    """Return the stage, bare: pages, script and cuts are the test's own."""
    stage_page = elsewhere[1]
    stage_page.pages.clear()
    stage_page.requests.clear()
    stage_page.cuts.clear()
    stage_page.script = None
    yield stage_page
    stage_page.script = None
    stage_page.cuts.clear()


@pytest.fixture
def embedded(elsewhere: tuple[Server, WidgetStage]) -> Server:
    return elsewhere[0]


@pytest.fixture
def staffed(server: Server) -> Iterator[Home]:
    """Return the served home with two agents who may sign in."""
    home = Home(Settings.load(server.home))
    users = Users(home.engine)
    users.add("cleo", "Cleo", AccessLevel.AGENT, PASSWORD)
    users.add("dan", "Dan", AccessLevel.AGENT, PASSWORD)
    yield home
    users.remove("cleo")
    users.remove("dan")
    home.engine.dispose()


@pytest.fixture
def consoles(browser: Browser, server: Server, staffed: Home) -> Iterator[tuple[Page, Page]]:
    """Return the consoles of both, each in a browser of its own."""
    assert staffed
    with ExitStack() as stack:
        pages = []
        for user in ("cleo", "dan"):
            context = browser.new_context(viewport={"width": 1440, "height": 1000})
            stack.callback(context.close)
            context.set_default_timeout(180_000)
            page = context.new_page()
            sign_in(page, server, user, PASSWORD)
            page.get_by_role("tab", name="Console").click()
            expect(page.locator("#console-busy")).to_contain_text(f"{user.title()} (agent)")
            pages.append(page)
        yield pages[0], pages[1]
