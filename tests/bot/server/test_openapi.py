"""Whatever is sent to the routes of the OpenAPI description: no failure, errors in one shape."""

import contextlib
import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.running import Server

_SETTINGS = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_OPERATIONS = (
    "POST /api/messages",
    "GET /api/conversations/{conversation_id}/messages",
    "POST /api/sessions",
    "POST /api/conversations/{conversation_id}/contact",
    "POST /api/conversations/{conversation_id}/attachments",
    "POST /api/conversations/{conversation_id}/csat",
    "GET /api/conversations/{conversation_id}/transcript",
    "DELETE /api/conversations/{conversation_id}",
    "GET /api/attachments/{identifier}",
    "POST /api/messages/{message_id}/feedback",
    "POST /api/messages/{message_id}/opened",
    "GET /api/messages/{message_id}/trace",
    "POST /api/search",
    "GET /api/articles/{identifier}",
    "POST /api/explain",
    "GET /api/conversations",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /webhooks/rest/",
    "POST /webhooks/rest/webhook",
    "POST /model/parse",
    "GET /conversations/{sender}/tracker",
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/models/{name}",
    "POST /webhooks/chatwoot",
)


@pytest.fixture(scope="module")
def operations(server: Server) -> dict[str, Any]:
    """Return the operations of the running server by method and path."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    results: list[Any] = list(schema.get_all_operations())
    found = [result.ok() for result in results]
    return {f"{one.method.upper()} {one.path}": one for one in found}


@pytest.fixture(scope="module")
def staff(server: Server) -> dict[str, str]:
    """Return the header that opens the console's routes: behind their door is tested too."""
    secrets = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))
    return {"Authorization": f"Bearer {secrets['token']}"}


def check(answer: Any, request: str) -> None:
    assert answer.status_code < 500, (request, answer.text)
    assert "Traceback" not in answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["code"], request
        assert error["message"], request


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", _OPERATIONS)
def test_no_request_makes_the_server_fail(
    operations: dict[str, Any], staff: dict[str, str], name: str, mode: GenerationMode
) -> None:
    @given(operations[name].as_strategy(generation_mode=mode))
    @_SETTINGS
    def run(case: Any) -> None:
        check(case.call(headers=staff, timeout=300), case.as_curl_command())

    with contextlib.suppress(Unsatisfiable):  # with some requests nothing can be wrong
        run()


_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20))
_PLACES = st.one_of(
    _VALUES,
    st.fixed_dictionaries(
        {"id": st.one_of(st.integers(), _VALUES)},
        optional={"status": st.sampled_from(["pending", "open", "", None])},
    ),
)


@given(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["message_created", "message_updated", "conversation_opened"])},
        optional={
            "id": _VALUES,
            "content": _VALUES,
            "message_type": st.sampled_from(["incoming", "outgoing", 0, 1, None]),
            "content_type": st.sampled_from(["input_select", "text", None]),
            "content_attributes": st.one_of(
                _VALUES, st.fixed_dictionaries({"submitted_values": st.lists(_PLACES, max_size=2)})
            ),
            "private": _VALUES,
            "sender": _PLACES,
            "account": _PLACES,
            "conversation": _PLACES,
            "messages": st.lists(_PLACES, max_size=2),
        },
    )
)
@settings(_SETTINGS, max_examples=60)
def test_no_webhook_makes_the_server_fail(connected: Server, hook: dict[str, Any]) -> None:
    answer = httpx.post(
        f"{connected.url}/webhooks/chatwoot",
        json=hook,
        params={"secret": "chatwoot-secret"},
        timeout=30,
    )
    check(answer, str(hook))


def test_every_route_of_ours_is_tried(operations: dict[str, Any]) -> None:
    rooms = ("/v1/", "/webhooks/", "/model/", "/conversations/")
    ours = {name for name in operations if name.split()[1].startswith(rooms)}
    assert ours <= set(_OPERATIONS) <= operations.keys()


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "\uffff", "\U000e0001", "x" * 127 + "\u0301"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/messages", {"text": "hello", "sender": ...}),
        ("/api/messages", {"text": "hello", "client_message_id": ...}),
        ("/api/messages", {"text": "hello", "metadata": {"channel": ...}}),
        ("/api/messages", {"text": ...}),
        ("/api/search", {"query": ...}),
        ("/api/explain", {"text": ...}),
        ("/api/messages/nothing/feedback", {"rating": "up", "comment": ...}),
        ("/webhooks/rest/webhook", {"message": "hello", "sender": ...}),
        ("/webhooks/rest/webhook", {"message": "x", "metadata": {"client_message_id": ...}}),
        ("/model/parse", {"text": ...}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "user": ...}),
    ],
)
def test_characters_that_no_database_takes_are_no_failure(
    server: Server, staff: dict[str, str], path: str, body: dict[str, Any], odd: str
) -> None:
    raw = json.dumps(body, default=lambda _: odd).encode()
    headers = {**staff, "Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}{path}", content=raw, headers=headers, timeout=300)
    check(answer, f"{path} {odd!r}")


@pytest.mark.parametrize(
    "path", ["/api/conversations/%00/messages", "/api/messages/%00/trace", "/nowhere?token=%00"]
)
def test_an_address_that_is_no_text_is_refused(server: Server, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}", timeout=300)
    assert answer.status_code == 400
    check(answer, path)


def test_a_comment_that_is_no_text_is_refused(server: Server) -> None:
    turn = httpx.post(f"{server.url}/api/messages", json={"text": "hello"}, timeout=300).json()
    path = f"{server.url}/api/messages/{turn['reply_id']}/feedback"
    answer = httpx.post(path, json={"rating": "up", "comment": "a\x00b"}, timeout=300)
    assert answer.status_code == 422
    check(answer, path)
