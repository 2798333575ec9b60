"""The widget on pages of others: another origin, a strict policy, options, languages, themes."""

import hashlib
import hmac
import re

import httpx
import pytest
from careline_benchmarks.widget_stage import WidgetStage
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.running import Server
from tests.ui.chatting import answered, lines, place, recalled, say, staff, take

SECRET = b"identity-secret"


def heard(page: Page) -> list[str]:
    """Collect what the browser complains of, and the hosts that are asked."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def begin(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("panel")).to_be_visible()


def test_it_works_from_another_origin(page: Page, stage: WidgetStage, embedded: Server) -> None:
    complaints, hosts = heard(page), set[str]()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    begin(page, place(stage, embedded.url))
    say(page, "How do I wash my rain jacket?")
    answered(page)
    page.get_by_test_id("citation").first.locator("summary").click()
    page.get_by_test_id("thumb-up").last.click()
    expect(page.get_by_test_id("thanks").last).to_contain_text("Thank you")
    picture = FilePayload(name="note.txt", mimeType="text/plain", buffer=b"hello")
    page.get_by_test_id("file").set_input_files(picture)
    expect(page.get_by_test_id("chip")).to_have_count(1)
    page.reload()
    page.get_by_test_id("launcher").click()
    answered(page)
    assert complaints == []
    assert hosts == {stage.url.split("/")[2], embedded.url.split("/")[2]}


def test_a_page_that_is_not_allowed_gets_no_answer(page: Page, server: Server) -> None:
    with WidgetStage(server.url).running() as stranger:
        begin(page, place(stranger, server.url))
        say(page, "hello")
        expect(page.get_by_test_id("status")).to_contain_text("Reconnecting")
        expect(lines(page, "bot")).to_have_count(1)


@pytest.mark.parametrize("whose", ["its own", "another"])
def test_a_strict_policy_is_kept(
    page: Page, stage: WidgetStage, embedded: Server, whose: str
) -> None:
    complaints = heard(page)
    if whose == "its own":  # the page's server passes the chat's requests on: 'self' is enough
        source, policy = stage.url, f"default-src 'self'; script-src {stage.url}"
    else:
        source = embedded.url
        policy = f"default-src 'self'; script-src {source}; connect-src {source}"
    begin(page, place(stage, source, Content_Security_Policy=policy))
    say(page, "How do I wash my rain jacket?")
    answered(page)
    page.get_by_test_id("menu").click()
    page.get_by_test_id("rate").click()
    expect(page.get_by_test_id("csat")).to_be_visible()
    width = page.get_by_test_id("score-1").evaluate("(one) => one.offsetWidth")
    assert width >= 40  # the forms are styled as well
    expect(page.get_by_test_id("panel")).to_have_css("position", "fixed")
    assert complaints == []


def test_attributes_set_it_up(page: Page, stage: WidgetStage, embedded: Server) -> None:
    attributes = (
        'data-title="Ask Fern" data-position="left" data-accent="#f2c037" data-launcher="Chat"'
        ' data-welcome="Ahoy!" data-privacy="https://example.com/privacy" data-theme="light"'
    )
    page.emulate_media(color_scheme="dark")
    page.goto(place(stage, embedded.url, attributes))
    launcher = page.get_by_test_id("launcher")
    expect(launcher).to_have_text("Chat")
    box = launcher.bounding_box()
    assert box is not None
    assert box["x"] < 100
    expect(launcher).to_have_css("background-color", "rgb(242, 192, 55)")
    colour = launcher.evaluate("(one) => getComputedStyle(one).color")
    assert re.fullmatch(r"oklch\(0 0 .*|rgb\(0, 0, 0\)", colour), colour  # dark on yellow
    launcher.click()
    expect(page.get_by_role("dialog", name="Ask Fern")).to_be_visible()
    expect(lines(page, "bot").first).to_contain_text("Ahoy!")
    expect(page.get_by_test_id("panel")).to_have_css("background-color", "rgb(255, 255, 255)")
    link = page.get_by_test_id("privacy").get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.com/privacy")


def test_pages_configure_open_send_listen_and_close(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    page.goto(place(stage, embedded.url))
    page.wait_for_function("window.Careline")
    page.evaluate(
        """() => { window.heard = [];
        for (const name of ["ready", "open", "close", "message", "handoff", "unread", "error"])
          Careline.on(name, (what) => heard.push([name, what.role ?? what.state ?? ""]));
        Careline.configure({ title: "Fern", texts: { en: { human: "A person, please" } } }); }"""
    )
    page.evaluate("Careline.send('I want to talk to a human')")
    answered(page)
    expect(page.get_by_test_id("human")).to_have_text("A person, please")
    expect(page.get_by_role("dialog", name="Fern")).to_be_visible()
    page.evaluate("Careline.close()")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    found = page.evaluate("heard")
    for event in (["open", ""], ["message", "bot"], ["handoff", "queued"], ["close", ""]):
        assert event in found
    stop = "() => { const stop = Careline.on('open', () => heard.push('late')); stop(); }"
    page.evaluate(stop)
    page.evaluate("Careline.open()")
    expect(page.get_by_test_id("panel")).to_be_visible()
    assert "late" not in page.evaluate("heard")


# Holds the end of each reply's stream until the page says `release()`.
HELD_BACK = """
const real = window.fetch;
const released = new Promise((resolve) => { window.release = resolve; });
window.fetch = async (address, options) => {
  const answer = await real(address, options);
  if (options?.method !== "POST" || !`${address}`.endsWith("/api/messages")) return answer;
  const held = new TransformStream({
    async transform(bytes, out) {
      const text = new TextDecoder().decode(bytes);
      const end = text.indexOf("event: turn");
      if (end >= 0) {
        out.enqueue(new TextEncoder().encode(text.slice(0, end)));
        await released;
      }
      out.enqueue(end >= 0 ? new TextEncoder().encode(text.slice(end)) : bytes);
    },
  });
  return new Response(answer.body.pipeThrough(held), answer);
};
"""


def test_a_reply_that_is_in_the_log_before_its_stream_ends_is_told_once(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    page.add_init_script(HELD_BACK)
    page.goto(place(stage, embedded.url))
    page.wait_for_function("window.Careline")
    told = "window.told = []; Careline.on('message', ({ role }) => told.push(role))"
    page.evaluate(f"() => {{ {told}; }}")
    page.evaluate("Careline.send('hello')")
    page.wait_for_function("told.length")
    page.evaluate("release()")
    answered(page)
    assert page.evaluate("told") == ["bot"]


def test_a_message_beside_the_launcher_comes_once(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    address = place(stage, embedded.url, 'data-proactive="Need help?" data-proactive-seconds="0"')
    page.goto(address)
    teaser = page.get_by_test_id("teaser")
    expect(teaser).to_contain_text("Need help?")
    teaser.get_by_role("button", name="Dismiss").click()
    expect(teaser).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("launcher")).to_be_visible()
    page.wait_for_timeout(300)
    expect(teaser).to_have_count(0)


def test_a_form_before_the_chat_tells_the_agent_who_it_is(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url, 'data-form="name, email!"'))
    form = page.get_by_test_id("form")
    expect(page.get_by_test_id("input")).to_be_hidden()
    form.get_by_label("Name").fill("Kim")
    form.get_by_role("button", name="Start chat").click()
    expect(form).to_be_visible()  # the address is required
    form.get_by_label("E-mail").fill("kim@example.org")
    form.get_by_role("button", name="Start chat").click()
    say(page, "a human please")
    answered(page)
    with staff(embedded) as desk:
        summary = desk.get(f"/desk/conversations/{recalled(page)['conversation']}/summary").json()
    assert (summary["name"], summary["contact"]) == ("Kim", "kim@example.org")
    page.reload()
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("input")).to_be_visible()


def test_a_customer_who_is_proven_is_not_asked_and_leaves_nothing_behind(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    page.goto(place(stage, embedded.url))
    page.wait_for_function("window.Careline")
    mac = hmac.new(SECRET, b"c-1001", hashlib.sha256).hexdigest()
    page.evaluate(f"Careline.identify({{ id: 'c-1001', hmac: '{mac}', name: 'M.' }})")
    page.evaluate("Careline.send('Where is my order A10234?')")
    answered(page)
    expect(lines(page, "bot").last).to_contain_text("A10234")
    expect(lines(page, "bot").last).to_contain_text("Expected delivery")
    first = recalled(page)["conversation"]
    refused = "Careline.identify({ id: 'c-1002', hmac: '00' }).then(() => '', (e) => e.message)"
    assert "identity_secret" in page.evaluate(refused)
    page.evaluate("Careline.identify(null)")
    expect(lines(page, "customer")).to_have_count(0)
    page.evaluate("Careline.send('Where is my order A10234?')")
    answered(page)
    assert recalled(page)["conversation"] != first
    expect(lines(page, "bot").last).not_to_contain_text("Expected delivery")


def test_words_follow_the_language_of_the_page(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    page.get_by_test_id("input").fill("half a sen")
    expect(page.get_by_test_id("human")).to_have_text("Talk to a human")
    page.evaluate("document.documentElement.lang = 'zh-Hans'")
    expect(page.get_by_test_id("human")).to_have_text("转人工")
    expect(page.get_by_test_id("panel")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_test_id("input")).to_have_value("half a sen")
    page.evaluate("document.documentElement.lang = 'en'")
    expect(page.get_by_test_id("human")).to_have_text("Talk to a human")


def test_light_and_dark_follow_page_or_system(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    panel, white = page.get_by_test_id("panel"), "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    begin(page, place(stage, embedded.url))
    expect(panel).to_have_css("background-color", "rgb(22, 28, 25)")  # the page says nothing
    page.evaluate("document.documentElement.style.colorScheme = 'light'")
    expect(panel).to_have_css("background-color", white)
    page.evaluate("document.documentElement.style.colorScheme = 'dark'")
    expect(panel).to_have_css("background-color", "rgb(22, 28, 25)")
    page.evaluate("Careline.configure({ theme: 'light' })")
    expect(panel).to_have_css("background-color", white)


def test_nobody_reads_another_visitors_conversation(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    say(page, "my secret is 4711")
    answered(page)
    conversation = recalled(page)["conversation"]
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context().new_page()
    begin(other, f"{stage.url}/page")
    say(other, "hello")
    answered(other)
    stolen = f"""() => Object.keys(localStorage).forEach((key) => {{
      if (localStorage[key].includes('conversation')) localStorage[key] = JSON.stringify(
        {{ ...JSON.parse(localStorage[key]), conversation: '{conversation}' }}) }})"""
    other.evaluate(stolen)
    other.reload()
    other.get_by_test_id("launcher").click()
    expect(lines(other, "customer")).to_have_count(0)
    say(other, "what was said?")
    answered(other)
    assert recalled(other)["conversation"] != conversation
    other.context.close()
    assert httpx.get(f"{embedded.url}/api/conversations/{conversation}/messages").status_code == 403


def test_operators_see_what_they_set_and_what_to_paste(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/widget?lang=zh")
    launcher = page.get_by_test_id("launcher")
    expect(launcher).to_be_visible()  # the page listens to its fields from then on
    page.locator("[name=launcher]").fill("问我们")
    expect(launcher).to_have_text("问我们")
    page.locator("[name=welcome]").fill('Say "hi" <b>')
    page.locator("[name=position]").select_option("left")
    launcher.click()
    expect(lines(page, "bot").first).to_contain_text('Say "hi" <b>')
    snippet = page.get_by_test_id("snippet")
    expect(snippet).to_contain_text(f'src="{server.url}/widget.js"')
    expect(snippet).to_contain_text('data-welcome="Say &quot;hi&quot; &lt;b>"')
    expect(snippet).to_contain_text('data-position="left"')
    expect(snippet).not_to_contain_text("data-accent")


def test_a_state_that_comes_late_does_not_end_the_following(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    late = list[Route]()
    here = re.compile(r"/messages\?after=")
    page.route(here, lambda route: route.continue_() if late else late.append(route))
    begin(page, place(stage, stage.url))
    page.evaluate("""() => {
      Careline.on("handoff", ({ state }) => { if (state === "bot") Careline.close() }) }""")
    say(page, "a human please")
    answered(page)  # with the news that it waits for a person
    before = 'event: status\ndata: {"state": "bot"}\n\n'  # read just before that
    late[0].fulfill(content_type="text/event-stream", body=before)
    expect(page.get_by_test_id("panel")).to_be_hidden()
    with staff(embedded) as desk:
        path, owner = take(desk, page)
        desk.post(f"{path}/say", json={**owner, "text": "still there?"}).raise_for_status()
        expect(page.get_by_test_id("unread")).to_have_text("2")


def test_an_agent_is_heard_while_the_chat_is_closed(
    page: Page, stage: WidgetStage, embedded: Server
) -> None:
    begin(page, place(stage, embedded.url))
    say(page, "a human please")
    answered(page)
    page.get_by_test_id("close").click()
    with staff(embedded) as desk:
        path, owner = take(desk, page)
        desk.post(f"{path}/say", json={**owner, "text": "still there?"}).raise_for_status()
        expect(page.get_by_test_id("unread")).to_have_text("2")  # that she came, and what she said
        desk.post(f"{path}/close", json=owner)
