"""Somebody else's server: slow, broken, hostile, or gone."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.actions.calls import (
    BAD_ANSWER,
    BLOCKED,
    REJECTED,
    TIMEOUT,
    UNKNOWN_ACTION,
    UNREACHABLE,
    ActionReply,
    ActionResult,
)
from bot.actions.http_remote import DisabledRemoteActions, HttpRemoteActions
from tests.bot.actions.calling import call, templates
from tests.running import free_port

Handle = Callable[[Any, dict[str, Any]], None]


@contextmanager
def server(handle: Handle) -> Iterator[tuple[str, list[tuple[str, Any, dict[str, Any]]]]]:
    """Run a server that answers as a test wants; yield its address and what it was asked."""
    asked: list[tuple[str, Any, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, self.headers, body))
            handle(self, body)

        def log_message(self, *args: Any) -> None:
            del args

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", asked
    finally:
        http.shutdown()
        http.server_close()


def answering(status: int, body: Any, **headers: str) -> Handle:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def handle(to: Any, asked: dict[str, Any]) -> None:
        del asked
        to.send_response(status)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.send_header("content-length", str(len(raw)))
        to.end_headers()
        to.wfile.write(raw)

    return handle


ONE = call("action_x", order_number="A10234", secret="blue sky")


def test_a_call_and_its_answer() -> None:
    answer = {
        "events": [{"event": "slot", "name": "a", "value": "b"}],
        "responses": [{"text": "Done."}, {"response": "thanks", "who": "Ann"}],
    }
    with server(answering(200, answer)) as (url, asked):
        steps = HttpRemoteActions(url, token="secret").stream(ONE)
        heard = [next(steps), next(steps)]
        result = HttpRemoteActions(f"{url}/webhook?x=1").run(ONE)
    assert result == ActionResult(tuple(heard), {"a": "b"})
    assert heard == [ActionReply("Done.", None), ActionReply(None, "thanks", {"who": "Ann"})]
    (path, headers, body), (other, plain, _) = asked
    assert (path, other) == ("/webhook", "/webhook?x=1")
    assert headers["authorization"] == "Bearer secret"
    assert plain["authorization"] is None
    assert (body["next_action"], body["sender_id"]) == ("action_x", "c1")
    assert body["tracker"]["slots"]["order_number"] == "A10234"


def test_the_domain_is_sent_where_it_is_missing() -> None:
    def handle(to: Any, body: dict[str, Any]) -> None:
        known = "domain" in body
        answering(200 if known else 449, {"responses": [{"text": "ok"}]})(to, body)

    with server(handle) as (url, asked):
        assert templates(HttpRemoteActions(url).run(ONE)) == "ok"
    assert ["domain" in body for _, _, body in asked] == [False, True]


def test_a_server_that_wants_the_domain_for_ever_is_given_up() -> None:
    with server(answering(449, {"error": "domain"})) as (url, asked):
        assert HttpRemoteActions(url).run(ONE).failed == BAD_ANSWER
    assert len(asked) == 2


def test_what_follows_is_asked_for_on_the_same_server() -> None:
    def handle(to: Any, body: dict[str, Any]) -> None:
        name = body["next_action"]
        follows = [{"event": "followup", "name": "action_y"}] if name == "action_x" else []
        answering(200, {"events": follows, "responses": [{"text": name}]})(to, body)

    with server(handle) as (url, _):
        assert templates(HttpRemoteActions(url).run(ONE)) == "action_x action_y"


DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("status", "body", "failed"),
    [
        (404, {"error": "?", "action_name": "action_x"}, UNKNOWN_ACTION),
        (400, {"error": "no stock", "action_name": "action_x"}, REJECTED),
        (400, b"what?", REJECTED),
        (400, {"error": {"a": 1}}, REJECTED),
        (400, {"error": "blocked"}, BLOCKED),
        (401, {}, REJECTED),
        (403, {}, REJECTED),
        (500, {"error": "bug", "request_body": {}}, BAD_ANSWER),
        (503, b"", BAD_ANSWER),
        (302, {}, BAD_ANSWER),
        (204, b"", BAD_ANSWER),
        (200, b"", BAD_ANSWER),
        (200, b"<html>", BAD_ANSWER),
        (200, b"\xff\xfe{", BAD_ANSWER),
        (200, "text", BAD_ANSWER),
        (200, {"events": 1}, BAD_ANSWER),
        (200, DEEP, BAD_ANSWER),
        (200, b" " * (2**20 + 1), BAD_ANSWER),
    ],
)
def test_every_failure_has_a_name_and_is_asked_once(status: int, body: Any, failed: str) -> None:
    with server(answering(status, body)) as (url, asked):
        assert HttpRemoteActions(url).run(ONE) == ActionResult((), failed=failed)
    assert len(asked) == 1


def test_a_packed_answer_is_refused() -> None:
    with server(answering(200, b"\x1f\x8b", content_encoding="gzip")) as (url, asked):
        assert HttpRemoteActions(url).run(ONE).failed == BAD_ANSWER
    assert asked[0][1]["accept-encoding"] == "identity"


def drips(to: Any, body: dict[str, Any]) -> None:
    del body
    to.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(1200):
        to.wfile.write(f"x-{n}: y\r\n".encode())
        to.wfile.flush()
        time.sleep(0.05)


def hangs(to: Any, body: dict[str, Any]) -> None:
    del to, body
    time.sleep(60)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("handle", [drips, hangs])
def test_a_slow_server_is_left_when_the_time_is_over(
    handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ThreadingHTTPServer, "handle_error", lambda *_: None)
    with server(handle) as (url, asked):
        started = time.monotonic()
        assert HttpRemoteActions(url, seconds=0.3).run(ONE).failed == TIMEOUT
        assert time.monotonic() - started < 30  # the server needs a minute
        assert len(asked) == 1


def test_a_server_that_hangs_up_may_have_acted_and_is_not_asked_again() -> None:
    def handle(to: Any, body: dict[str, Any]) -> None:
        del body
        to.connection.shutdown(socket.SHUT_RDWR)

    with server(handle) as (url, asked):
        assert HttpRemoteActions(url).run(ONE).failed == BAD_ANSWER
    assert len(asked) == 1


def test_a_server_that_is_gone_is_unreachable() -> None:
    assert HttpRemoteActions(f"http://127.0.0.1:{free_port()}").run(ONE).failed == UNREACHABLE


def test_a_server_that_comes_up_between_two_tries_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import httpx

    real, tries = httpx.AsyncClient.stream, []

    def stream(self: httpx.AsyncClient, *args: Any, **kwargs: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            message = "refused"
            raise httpx.ConnectError(message)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(httpx.AsyncClient, "stream", stream)
    with server(answering(200, {})) as (url, asked):
        assert HttpRemoteActions(url).run(ONE) == ActionResult(())
    assert (len(tries), len(asked)) == (2, 1)


def test_the_log_says_why_without_what_the_customer_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    why = "order A10234 for ann@example.com wants blue sky on +1 503 555 0100: please no"
    with server(answering(400, {"error": f"no stock: {why}"})) as (url, _):
        HttpRemoteActions(url, token="t0ken").run(ONE)
    assert "no stock" in caplog.text
    for word in ("A10234", "ann@", "blue", "555", "please", "t0ken"):
        assert word not in caplog.text


def test_where_nothing_may_be_done_the_server_is_not_asked() -> None:
    assert "not called" in templates(DisabledRemoteActions().run(ONE))
