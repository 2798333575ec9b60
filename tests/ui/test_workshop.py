"""The workshop in a browser: what is published is what the chat says, until it is rolled back."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from bot.cli.build import init
from bot.container import Home
from bot.core.settings import Settings
from bot.store.accounts import AccessLevel, Users
from tests.running import Server, free_port
from tests.ui.signing import sign_in
from ui.i18n import CHINESE

ARTICLE = "en/care-rain-jackets.md"
QUESTION = "How do I wash my rain jacket?"


def knowledge(server: Server, before: str | None = None) -> str:
    """Return the knowledge that is served, once it is another one than `before`."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        response = httpx.get(f"{server.url}/readyz", timeout=300)
        version = str(response.json()["versions"]["knowledge"])
        if response.status_code == 200 and version != before:
            return version
        time.sleep(0.1)
    raise AssertionError(before)


def ask(page: Page, question: str, words: str) -> None:
    page.get_by_role("tab", name="Chat").click()
    page.get_by_role("button", name="New conversation").click()
    box = page.locator("#chat-box textarea")
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#chat-lines")).to_contain_text(words)


def choose(page: Page, name: str) -> None:
    page.locator("#workshop-text input").click()
    page.locator("#workshop-text input").fill(name)
    page.get_by_role("option", name=name).click()


def write(page: Page, text: str) -> None:
    """Put words in the place of all that stand in the editor, of which the page holds a part."""
    page.locator("#workshop-code .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.slow  # the same over HTTP is tested in a quarter of the time
def test_an_article_is_edited_published_asked_for_and_rolled_back(
    page: Page, server: Server
) -> None:
    served = knowledge(server)
    sign_in(page, server)
    page.get_by_role("tab", name="Workshop").click()
    choose(page, ARTICLE)
    code = page.locator("#workshop-code .cm-content")
    expect(code).to_contain_text("30 °C")
    text = (server.home / "kb" / ARTICLE).read_text(encoding="utf-8")

    write(page, text.replace("language: en", "valid_from: soon"))
    page.locator("#workshop-publish").click()
    expect(page.locator("#workshop-found")).to_contain_text("Line 3")
    expect(page.locator("#workshop-found")).to_contain_text("no date")
    expect(code).to_contain_text("valid_from: soon")  # nothing that was typed is lost

    write(page, text.replace("at 30 °C", "at 47 °C"))
    page.locator("#workshop-check").click()
    expect(page.locator("#workshop-found")).to_contain_text("No problems found")
    expect(page.locator("#workshop-preview .plus").first).to_contain_text("47 °C")
    expect(page.locator("#workshop-preview .passage").first).to_contain_text("47 °C")
    page.locator("#workshop-note textarea, #workshop-note input").fill("a new washing label")
    page.locator("#workshop-publish").click()
    expect(page.locator("#workshop-job .done")).to_contain_text("1 changed")
    served = knowledge(server, served)
    ask(page, QUESTION, "47")

    page.get_by_role("tab", name="Workshop").click()
    row = page.locator("#workshop-history").get_by_text("a new washing label")
    row.locator("visible=true").first.click()
    expect(page.locator("#workshop-past .minus").first).to_contain_text("30 °C")
    page.locator("#workshop-back").click()
    expect(code).to_contain_text("at 30 °C")
    knowledge(server, served)
    ask(page, QUESTION, "30")
    assert (server.home / "kb" / ARTICLE).read_text(encoding="utf-8") == text
    of_two_who_edit_the_second_is_told_and_keeps_the_words(page, server)


def of_two_who_edit_the_second_is_told_and_keeps_the_words(page: Page, server: Server) -> None:
    page.get_by_role("tab", name="Workshop").click()
    choose(page, "en.yml")
    code = page.locator("#workshop-code .cm-content")
    expect(code).to_have_attribute("data-language", "yaml")
    file = server.home / "templates" / "en.yml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "spare: A colleague wrote this.\n", encoding="utf-8")
    write(page, "human: My own words.\n")
    page.locator("#workshop-publish").click()
    expect(page.get_by_text("since you opened it").first).to_be_visible()
    expect(code).to_contain_text("My own words.")
    choose(page, "policy.yml")  # what is not published is not lost by a click beside it
    expect(page.get_by_text("unpublished changes").first).to_be_visible()
    expect(code).to_contain_text("My own words.")
    page.locator("#workshop-discard").click()
    expect(code).not_to_contain_text("My own words.")
    page.locator("#workshop-new textarea, #workshop-new input").fill("zh/kites")
    page.get_by_role("button", name="Create").click()
    expect(code).to_contain_text("language: zh")
    write(page, "---\nlanguage: zh\n---\n风筝。\n")
    choose(page, "policy.yml")
    expect(page.get_by_text("kb/zh/kites.md has unpublished changes").first).to_be_visible()
    expect(code).to_contain_text("风筝。")
    file.write_text(before, encoding="utf-8")


@pytest.fixture
def supervisor(server: Server) -> Iterator[str]:
    """Add a supervisor, who publishes texts and leaves building to admins."""
    home = Home(Settings.load(server.home))
    users = Users(home.engine)
    users.add("sue", "Sue", AccessLevel.SUPERVISOR, "correct horse")
    yield "sue"
    users.remove("sue")
    home.engine.dispose()


def test_the_workshop_speaks_chinese_and_leaves_building_to_admins(
    page: Page, server: Server, supervisor: str
) -> None:
    sign_in(page, server, supervisor, "correct horse")
    page.get_by_role("tab", name="Workshop").click()
    page.locator("#language").get_by_text(CHINESE, exact=True).click()
    page.get_by_role("tab", name="版本").click()
    expect(page.locator("#workshop-back-knowledge")).to_have_text("回退知识库")
    expect(page.locator("#workshop-back-knowledge")).to_be_disabled()
    expect(page.locator("#workshop-version")).to_contain_text("请选择")  # it is all in Chinese
    shown = page.locator("#workshop-versions").get_by_text("m-20").locator("visible=true").first
    shown.click()
    expect(page.locator("#workshop-version")).to_contain_text("构建方式")
    page.get_by_role("tab", name="初始设置").click()
    expect(page.locator("#setup-train")).to_be_disabled()
    expect(page.locator("#setup-welcome")).to_contain_text("由管理员操作")


def test_a_broken_policy_is_told_of_in_chinese(page: Page, server: Server) -> None:
    sign_in(page, server)
    page.get_by_role("tab", name="Workshop").click()
    page.locator("#language").get_by_text(CHINESE, exact=True).click()
    choose(page, "policy.yml")
    expect(page.locator("#workshop-code .cm-content")).to_contain_text("version: 1")
    wrong = "version: 1\nroutes:\n  refund: {action: look}\n  human: dance\n<b>: blue\n"
    write(page, wrong)
    page.locator("#workshop-check").click()
    problems = page.locator("#workshop-found li")
    expect(problems).to_have_text(
        [
            "第 3 行 routes.refund.route：缺少这一项，请补上",
            "第 4 行 routes.human.route：只能是 'template', 'retrieve', 'act', 'handoff'",
            "第 5 行 <b>：没有这一项，请检查拼写或删除",
        ]
    )
    page.locator("#workshop-publish").click()  # what keeps it from being published, in a notice
    notice = page.locator(".toast-body").first
    expect(notice).to_contain_text("第 3 行：routes.refund.route：缺少这一项")
    expect(notice).to_contain_text("第 5 行：<b>：没有这一项")  # nothing of it is taken for HTML
    head = notice.locator(".toast-title").evaluate("e => getComputedStyle(e, '::after').content")
    assert head == '"请注意"'
    page.locator("#language").get_by_text("English", exact=True).click()
    expect(problems.first).to_have_text("Line 3 routes.refund.route: Field required")


@pytest.mark.slow
def test_an_empty_home_is_set_up_in_the_browser(
    page: Page, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("first") / "home"
    init(folder)
    cache = tiny_encoder.parent / "cache"
    settings = f'base = "{tiny_encoder}"\nenglish_base = ""\ncache = "{cache}"\n'
    (folder / "careline.toml").write_text(settings, encoding="utf-8")
    running = Server(folder, free_port(), {})
    running.start()
    try:
        _set_up(page, running)
    finally:
        running.stop()


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def _set_up(page: Page, server: Server) -> None:
    assert "This home is empty: sign in at" in server.output.read_text(encoding="utf-8")
    sign_in(page, server)
    expect(page.locator("#setup-welcome")).to_contain_text("This home is empty")
    article = b"---\ntitle: Kites\nlanguage: en\n---\n# Kites\nOur kites fly from 9 km/h on.\n"
    page.locator("#setup-documents input[type=file]").set_input_files(
        [file("kites.md", article), file("broken.md", b"\x00")]
    )
    expect(page.locator("#setup-documents-kept")).to_contain_text("kb/kites.md was saved")
    expect(page.locator("#setup-documents-kept")).to_contain_text("broken.md cannot be read")
    page.locator("#setup-ingest").click()
    expect(page.locator("#workshop-job .job")).to_be_visible()
    page.reload()  # what is being done is the server's to know
    page.get_by_role("tab", name="Workshop").click()  # the way in, once the home is filled
    expect(page.locator("#workshop-job .done")).to_contain_text("1 articles")
    knowledge(server, "None")
    rows = [f"does a kite fly in wind {n},kites\nwhen are you open {n},hours" for n in range(12)]
    table = "\n".join(["text,intent", *rows])
    page.get_by_role("tab", name="Workshop").click()
    page.get_by_role("tab", name="Setup").click()
    page.locator("#setup-dialogs input[type=file]").set_input_files(
        file("said.csv", table.encode())
    )
    expect(page.locator("#setup-dialogs-kept")).to_contain_text("24 labelled messages, 2 intents")
    page.locator("#setup-check").click()
    expect(page.locator("#workshop-job summary")).to_contain_text("24 texts in 1 files")
    page.locator("#setup-train").click()
    done = page.locator("#workshop-job .done")
    expect(done).to_contain_text("2 intents from 24 examples", timeout=300_000)
    page.locator("#setup-question textarea, #setup-question input").fill("does a kite fly?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#setup-answer")).to_contain_text("9 km/h")
    expect(page.locator("#setup-answer")).to_contain_text("kites.md")
    expect(page.locator("#setup-welcome")).to_contain_text("This home is set up")
