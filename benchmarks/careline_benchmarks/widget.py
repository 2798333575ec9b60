"""`careline bench widget`: the chat widget in a real browser, with failures of every kind.

The server has a bare home; a stage in front of it provides the pages and cuts connections.
"""

import gzip
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from bot.core.types import CarelineError, new_id
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from careline_benchmarks.widget_stage import StagePage, WidgetStage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_BYTES: Final = 12_000
_RATIO: Final = 3.0
_ROOM: Final = 60  # messages in the page at most
_HISTORY: Final = 250  # questions, each with its reply
_TOKENS: Final = 20_000
_QUESTIONS: Final = 30
_RESTARTS: Final = 5
_ROUNDS: Final = 15
_PATIENCE: Final = 60.0  # seconds
_FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update")  # fmt: skip
_EMPTY: Final = """
class Empty extends HTMLElement {
  connectedCallback() {
    const [button, panel] = ["button", "section"].map((tag) => document.createElement(tag));
    panel.className = "panel";
    panel.hidden = true;
    button.addEventListener("click", () => { panel.hidden = false; });
    this.attachShadow({ mode: "open" }).append(button, panel);
  }
}
customElements.define("x-empty", Empty);
document.body.append(document.createElement("x-empty"));
"""
# Checks as often as possible whether there is something to click, and records when.
_WATCH: Final = """
const channel = new MessageChannel();
channel.port1.onmessage = () => {
  const element = document.querySelector("careline-chat, x-empty");
  if (element?.shadowRoot?.querySelector("button")) window.usable = performance.now();
  else channel.port2.postMessage(0);
};
channel.port2.postMessage(0);
"""
# From the start of a frame; otherwise the random time until the next one is included.
_CLICK: Final = """async () => {
  const root = document.querySelector("careline-chat, x-empty").shadowRoot;
  await new Promise(requestAnimationFrame);
  const begun = performance.now();
  root.querySelector("button").click();
  while (!root.querySelector(".panel")?.checkVisibility()) await new Promise(requestAnimationFrame);
  await new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)));
  return performance.now() - begun;
}"""
_LINES: Final = """() => [...document.querySelector("careline-chat").shadowRoot
  .querySelectorAll(".line")].map((line) => [line.dataset.testid.replace("message-", ""),
  line.querySelector(".text").textContent])"""
# A planted failure puts this before the script: half a second is lost at start and at every click.
_SLOW: Final = """{
  const lose = () => { const t = performance.now(); while (performance.now() - t < 500); };
  addEventListener("click", lose, true);
  lose();
}
"""


@dataclass
class BareServer:
    """A server of a bare home, which can be stopped and started."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready; raise CarelineError if it does not get ready."""
        home = ("--home", str(self.home), "--port", str(self.port))
        self.process = subprocess.Popen(  # noqa: S603 — our own command
            [sys.executable, "-m", "bot.cli", "serve", *home],
            env=os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        message = f"the server of {self.home} did not start: try `careline serve --home` on it"
        raise CarelineError(message)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(_PATIENCE)


@contextmanager
def _served(setting: BenchmarkContext) -> Iterator[tuple[BareServer, WidgetStage]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = BareServer(setting.scratch / f"bare-{port}", port)
    try:
        server.start()
        with WidgetStage(server.url).running() as stage:
            for name, script in (("chat", "/widget.js"), ("empty", "/empty.js")):
                html = f'<!doctype html><html lang="en"><title>{name}</title><body>'
                html += '<script type="module" src="/watch.js"></script>'
                html += f'<script type="module" src="{script}"></script></body></html>'
                stage.pages[f"/{name}"] = StagePage(html)
            for path, text in (("/watch.js", _WATCH), ("/empty.js", _EMPTY)):
                stage.pages[path] = StagePage(text, {"Content-Type": "text/javascript"})
            yield server, stage
    finally:
        server.stop()


@contextmanager
def _browser() -> Iterator["Browser"]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        path = None
    if path is None:
        message = "bench widget needs Chromium and playwright: pip install 'careline[test]'"
        raise CarelineError(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _chat(stage: WidgetStage) -> Iterator["Page"]:
    with _browser() as browser:
        tab = browser.new_page()
        tab.set_default_timeout(1000 * _PATIENCE)
        _open(tab, stage)
        yield tab


def _open(tab: "Page", stage: WidgetStage) -> None:
    tab.goto(f"{stage.url}/chat")
    tab.get_by_test_id("launcher").click()
    tab.get_by_test_id("input").wait_for()


def _say(tab: "Page", text: str) -> None:
    tab.get_by_test_id("input").fill(text)
    tab.get_by_test_id("input").press("Enter")


def _size(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Measure what a page loads to show and open the chat, compressed."""
    paths: dict[str, int] = {}
    with _served(setting) as (server, _stage):
        for path in ("widget.js", "widget/words-en.js", "widget/words-zh.js", "widget/forms.js"):
            headers = {"Accept-Encoding": "gzip"}
            with httpx.stream("GET", f"{server.url}/{path}", headers=headers) as answer:
                paths[path] = len(b"".join(answer.iter_raw()))
    core = paths["widget.js"] + max(paths["widget/words-en.js"], paths["widget/words-zh.js"])
    if setting.planted:
        core += len(gzip.compress(random.Random(1).randbytes(_BYTES)))  # noqa: S311 — no secret
    result.figures["bytes"] = paths
    result.bars.append(at_most("widget: bytes of gzip, launcher to open chat", core, _BYTES))


def _speed(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Time the launcher and the first opening, relative to an element that does nothing else."""
    usable: dict[str, list[float]] = {"chat": [], "empty": []}
    opened: dict[str, list[float]] = {"chat": [], "empty": []}
    with _served(setting) as (server, stage), _browser() as browser:
        slow = _SLOW if setting.planted else ""
        for path in ("/widget.js", "/widget/words-en.js"):  # from the same host as the empty one
            text = httpx.get(server.url + path).text
            stage.pages[path] = StagePage(slow + text, {"Content-Type": "text/javascript"})
            slow = ""
        for _ in range(_ROUNDS):
            for name, script in (("empty", "empty.js"), ("chat", "widget.js")):
                tab = browser.new_page()
                tab.goto(f"{stage.url}/{name}")
                tab.wait_for_function("window.usable")
                begun = "performance.getEntriesByName(location.origin + '/%s')[0].startTime"
                usable[name].append(tab.evaluate(f"usable - {begun % script}"))
                opened[name].append(tab.evaluate(_CLICK))
                tab.close()
    for what, times in (("script to usable", usable), ("click to open", opened)):
        median = {name: statistics.median(values) for name, values in times.items()}
        result.figures[f"{what}, ms"] = {name: round(ms, 1) for name, ms in median.items()}
        ratio = median["chat"] / median["empty"]
        result.bars.append(at_most(f"widget: {what}, to an empty element's", ratio, _RATIO))


def _history(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Scroll back through 500 messages; count those in the page all the time."""
    with _served(setting) as (server, stage), _chat(stage) as tab:
        _say(tab, "message 0")
        tab.get_by_test_id("thumb-up").first.wait_for()
        session = tab.evaluate("() => Object.values(localStorage).map((t) => t && JSON.parse(t))"
                            ".find((one) => one?.session)")  # fmt: skip
        headers = {"Authorization": f"Bearer {session['session']}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=_PATIENCE) as client:
            for number in range(1, _HISTORY):
                body = {"text": f"message {number}", "conversation_id": session["conversation"]}
                client.post("/api/messages", json=body).raise_for_status()
        _open(tab, stage)
        tab.get_by_text(f"message {_HISTORY - 1}", exact=True).wait_for()
        most, visible = 0, set[str]()
        for _ in range(_HISTORY):
            lines = tab.evaluate(_LINES)
            most = max(most, len(lines) + (_ROOM if setting.planted else 0))
            visible.update(text for role, text in lines if role == "customer")
            if "message 0" in visible:
                break
            tab.get_by_test_id("log").evaluate("(one) => { one.scrollTop = 0; }")
            tab.wait_for_timeout(100)
    result.bars += [
        at_most("widget: messages in the page, of 500", most, _ROOM),
        at_least("widget: questions seen when scrolling back", len(visible) / _HISTORY, 1.0),
    ]


def _tokens(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Stream 20,000 tokens over a connection that is cut twice, and compare every character."""
    tokens = [f"{number:x}é😀 " for number in range(_TOKENS)]
    whole = "".join(tokens)

    def script(_body: bytes, last: str | None) -> Iterator[bytes]:
        if last is None:
            yield _event(0, "received", {"message_id": "m", "conversation_id": "c"})
        for number in range(int(last) if last else 0, _TOKENS):
            lost = setting.planted and number == _TOKENS // 2
            yield _event(number + 1, "token", {"text": "" if lost else tokens[number]})
        time.sleep(_PATIENCE)  # the turn would bring all of it again

    with _served(setting) as (_server, stage), _chat(stage) as tab:
        stage.script = script
        stage.cuts[:] = [200_000, 300_001]
        _say(tab, "everything, please")
        last = f"""() => ({_LINES})().pop()[1].endsWith({json.dumps(tokens[-1])})"""
        tab.wait_for_function(last)
        displayed = tab.evaluate(_LINES)[-1][1]
    wrong = abs(len(displayed) - len(whole))
    wrong += sum(left != right for left, right in zip(displayed, whole, strict=False))
    result.bars.append(at_most("widget: wrong characters of 20,000 streamed tokens", wrong, 0))


def _event(number: int, name: str, data: Any) -> bytes:
    text = json.dumps(data, ensure_ascii=False)
    return f"id: {number}\nevent: {name}\ndata: {text}\n\n".encode()


def _outages(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Send messages through 30 cut streams and 5 restarts; then compare both transcripts."""
    dice = random.Random(7)  # noqa: S311 — no secret
    with _served(setting) as (server, stage), _chat(stage) as tab:
        for number in range(_QUESTIONS):
            stage.cuts[:] = [dice.randrange(1, 500)]
            _say(tab, f"question {number} {new_id()[:4]}")
            if number % (_QUESTIONS // _RESTARTS) == 1:
                server.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
                server.start()
            tab.wait_for_function(f"() => ({_LINES})().length === {min(2 * number + 3, _ROOM)}")
            tab.locator(".log[aria-busy=false]").wait_for()
        session = tab.evaluate("() => Object.values(localStorage).map((t) => t && JSON.parse(t))"
                            ".find((one) => one?.session)")  # fmt: skip
        headers = {"Authorization": f"Bearer {session['session']}"}
        path = f"{server.url}/api/conversations/{session['conversation']}/messages"
        lines = httpx.get(path, headers=headers).json()["messages"]
        tab.wait_for_timeout(1000)
        displayed = tab.evaluate(_LINES)
    logged = [[line["role"], line["text"]] for line in lines]
    if setting.planted:
        logged.insert(-1, logged[-1])
    matched = logged[-len(displayed) :] == displayed or logged == displayed[1:]
    result.figures["outages"] = {
        "cut": stage.broken,
        "restarts": _RESTARTS,
        "messages": len(logged),
    }
    result.bars += [
        at_least("widget: streams cut", stage.broken, _QUESTIONS),
        at_most("widget: messages more or less than written", abs(len(logged) - 2 * _QUESTIONS), 0),
        at_least("widget: both transcripts are the same", float(matched), 1.0),
    ]


BENCHMARK: Final = Benchmark(
    {
        "size": _size,
        "speed": _speed,
        "history": _history,
        "tokens": _tokens,
        "outages": _outages,
    }
)
