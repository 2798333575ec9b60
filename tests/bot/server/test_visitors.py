"""A visitor's conversation is that visitor's: sessions, identity, rating, transcript, deletion."""

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.core.types import new_id, now
from bot.server.auth.visitor_tokens import LIFETIME, Visitor, VisitorTokens, proves
from tests.running import Server

QUESTION = {"text": "how long is the warranty?"}


@pytest.fixture
def strict(guarded: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, timeout=300) as client:
        yield client


def session(api: httpx.Client, **body: Any) -> dict[str, str]:
    """Return the headers of a new visitor."""
    made = api.post("/api/sessions", json=body)
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['session']}"}


def sign(customer: str) -> dict[str, str]:
    mac = hmac.new(b"identity-secret", customer.encode(), hashlib.sha256).hexdigest()
    return {"id": customer, "hmac": mac}


def begin(api: httpx.Client, headers: dict[str, str], text: str = "hello") -> dict[str, Any]:
    answer = api.post("/api/messages", json={"text": text}, headers=headers)
    assert answer.status_code == 200, answer.text
    turn: dict[str, Any] = answer.json()
    return turn


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/conversations/{c}/messages", None),
        ("GET", "/api/conversations/{c}/transcript", None),
        ("POST", "/api/conversations/{c}/csat", {"score": 5}),
        ("POST", "/api/conversations/{c}/contact", {"name": "Kim"}),
        ("POST", "/api/conversations/{c}/attachments", {"any": "text"}),
        ("DELETE", "/api/conversations/{c}", None),
        ("POST", "/api/messages", {"text": "hi", "conversation_id": "{c}"}),
        ("POST", "/api/messages/{m}/feedback", {"rating": "up"}),
        ("POST", "/api/messages/{m}/opened", {"article": "x"}),
        ("GET", "/api/messages/{m}/trace", None),
        ("POST", "/v1/chat/completions", {
            "messages": [{"role": "user", "content": "hi"}],
            "metadata": {"conversation_id": "{c}"},
        }),
    ],
)  # fmt: skip
def test_what_a_visitor_began_is_closed_to_everybody_else(
    api: httpx.Client, method: str, path: str, body: dict[str, Any] | None
) -> None:
    turn = begin(api, session(api))
    ids = {"c": turn["conversation_id"], "m": turn["reply_id"]}

    def filled(value: str) -> str:
        return value.replace("{c}", ids["c"]).replace("{m}", ids["m"])

    sent = json.loads(filled(json.dumps(body)))
    for headers in ({}, session(api), {"Authorization": "Bearer cs1.e30.forged"}):
        answer = api.request(method, filled(path), json=sent, headers=headers)
        assert answer.status_code in {401, 403}, (headers, answer.text)
        assert answer.json()["error"]["message"]


def test_its_own_visitor_and_the_business_may_do_all_of_it(
    api: httpx.Client, server: Server
) -> None:
    token = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))["token"]
    mine = session(api)
    for headers in (mine, {"Authorization": f"Bearer {token}"}):
        turn = begin(api, mine, QUESTION["text"])
        here = f"/api/conversations/{turn['conversation_id']}"
        page = api.get(f"{here}/messages", headers=headers).json()
        assert [line["role"] for line in page["messages"]] == ["customer", "bot"]
        rated = api.post(f"{here}/csat", json={"score": 2, "comment": "ok"}, headers=headers)
        assert rated.status_code == 201
        assert api.post(f"{here}/csat", json={"score": 4}, headers=headers).status_code == 201
        assert api.get(f"{here}/messages", headers=headers).json()["csat"] == 4
        text = api.get(f"{here}/transcript?language=zh", headers=headers)
        assert text.headers["content-disposition"].startswith("attachment")
        assert f"您: {QUESTION['text']}" in text.text
        gone = api.delete(here, headers=headers)
        assert gone.json()["messages"] == 2
        assert api.get(f"{here}/messages", headers=headers).status_code == 404


def test_a_conversation_without_a_visitor_is_opened_by_its_id(api: httpx.Client) -> None:
    turn = begin(api, {})
    path = f"/api/conversations/{turn['conversation_id']}/messages"
    assert api.get(path).status_code == 200
    assert api.get(path, headers=session(api)).status_code == 200


def test_where_sessions_are_required_an_id_opens_nothing(strict: httpx.Client) -> None:
    assert strict.post("/api/messages", json=QUESTION).status_code == 401
    business = {"Authorization": "Bearer sk-careline"}
    turn = begin(strict, business)
    path = f"/api/conversations/{turn['conversation_id']}/messages"
    assert strict.get(path, headers=session(strict)).status_code == 403
    assert strict.get(path, headers=business).status_code == 200
    mine = session(strict)
    own = f"/api/conversations/{begin(strict, mine)['conversation_id']}/messages"
    assert strict.get(own, headers=mine).status_code == 200


def test_history_is_read_page_by_page(api: httpx.Client) -> None:
    mine, conversation = session(api), new_id()
    for number in range(3):
        body = {"text": f"hello {number}", "conversation_id": conversation}
        api.post("/api/messages", json=body, headers=mine)
    path = f"/api/conversations/{conversation}/messages"
    late = api.get(path, params={"limit": 4}, headers=mine).json()
    first = late["messages"][0]["position"]
    early = api.get(path, params={"limit": 4, "before": first}, headers=mine).json()
    assert (late["more"], early["more"]) == (True, False)
    both = [line["text"] for line in early["messages"] + late["messages"]]
    assert both == [line["text"] for line in api.get(path, headers=mine).json()["messages"]]


def test_a_proven_customer_is_not_asked_who_they_are(strict: httpx.Client) -> None:
    theirs = session(strict, identity=sign("c-1001"))
    turn = begin(strict, theirs, "where is my order A10234")
    assert turn["reason"] != "missing_slot"
    assert "A10234" in turn["reply"]["text"]
    assert turn["route"] == "act"
    other = begin(strict, session(strict, identity=sign("c-1002")), "where is my order A10234")
    assert "2026" not in other["reply"]["text"]
    assert "e-mail" in other["reply"]["text"].lower() or "email" in other["reply"]["text"].lower()
    stranger = begin(strict, session(strict), "where is my order A10234")
    assert stranger["reason"] == "missing_slot"


def test_an_identity_that_is_not_signed_is_refused(strict: httpx.Client, api: httpx.Client) -> None:
    forged = {"id": "c-1001", "hmac": "0" * 64}
    assert strict.post("/api/sessions", json={"identity": forged}).status_code == 403
    unset = api.post("/api/sessions", json={"identity": forged})
    assert (unset.status_code, "identity_secret" in unset.text) == (400, True)


def test_another_customer_in_the_same_browser_is_another_visitor(strict: httpx.Client) -> None:
    anonymous = strict.post("/api/sessions", json={}).json()
    headers = {"Authorization": f"Bearer {anonymous['session']}"}
    first = strict.post("/api/sessions", json={"identity": sign("c-1")}, headers=headers).json()
    assert (first["visitor"], first["customer"]) == (anonymous["visitor"], "c-1")
    headers = {"Authorization": f"Bearer {first['session']}"}
    renewed = strict.post("/api/sessions", json={}, headers=headers).json()
    assert (renewed["visitor"], renewed["customer"]) == (first["visitor"], "c-1")
    other = strict.post("/api/sessions", json={"identity": sign("c-2")}, headers=headers).json()
    assert other["visitor"] != first["visitor"]


def test_who_a_customer_is_lies_sealed_in_the_database(
    strict: httpx.Client, guarded: Server
) -> None:
    begin(strict, session(strict, identity=sign("customer-of-note")))
    with closing(sqlite3.connect(guarded.home / "careline.db")) as connection:
        rows = connection.execute("SELECT customer FROM conversations").fetchall()
        assert any(row[0] for row in rows)
        assert not any("customer-of-note" in (row[0] or "") for row in rows)


def test_name_and_address_are_for_the_desk(api: httpx.Client, server: Server) -> None:
    token = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))["token"]
    mine, conversation = session(api), new_id()
    here = f"/api/conversations/{conversation}"
    given = {"name": "Kim", "email": "kim@example.org"}
    assert api.post(f"{here}/contact", json=given, headers=mine).status_code == 201
    assert api.post(f"{here}/contact", json={"email": "none"}, headers=mine).status_code == 422
    body = {"text": "a human please", "conversation_id": conversation}
    api.post("/api/messages", json=body, headers=mine)
    staff = {"Authorization": f"Bearer {token}"}
    waiting = api.get("/api/desk/queue", headers=staff).json()["conversations"]
    found = next(one for one in waiting if one["conversation_id"] == conversation)
    assert (found["name"], found["contact"]) == ("Kim", "kim@example.org")
    summary = api.get(f"/api/desk/conversations/{conversation}/summary", headers=staff).json()
    assert (summary["name"], summary["verified"]) == ("Kim", False)


def test_what_is_deleted_is_nowhere_and_the_ledger_says_so(
    api: httpx.Client, server: Server
) -> None:
    mine = session(api)
    turn = begin(api, mine, "the word is Zylophant")
    api.delete(f"/api/conversations/{turn['conversation_id']}", headers=mine)
    with closing(sqlite3.connect(server.home / "careline.db")) as connection:
        tables = "\n".join(connection.iterdump())
    assert "Zylophant" not in tables
    assert f"'{turn['conversation_id']}'" not in tables
    with closing(sqlite3.connect(server.home / "careline.db")) as connection:
        query = "SELECT forgotten FROM ledger WHERE message_id = ?"
        assert connection.execute(query, (turn["message_id"],)).fetchone() == (1,)


def test_only_allowed_origins_may_read(strict: httpx.Client) -> None:
    asks = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x"}
    ours, others = {"Origin": "https://shop.example"}, {"Origin": "https://evil.example"}
    path = "/api/conversations/x"
    assert strict.options(path, headers={**ours, **asks}).status_code == 200
    assert strict.options(path, headers={**others, **asks}).status_code == 400
    allowed = "access-control-allow-origin"
    assert strict.get("/healthz", headers=ours).headers[allowed] == ours["Origin"]
    assert allowed not in strict.get("/healthz", headers=others).headers
    refused = strict.post("/api/messages", json={"text": ""}, headers=ours)
    assert refused.headers[allowed] == ours["Origin"]  # the widget can say why
    large = strict.post("/api/messages", content=b"x" * (3 * 2**20), headers=ours)
    assert (large.status_code, large.headers.get(allowed)) == (413, ours["Origin"])


def test_a_session_lasts_and_only_its_maker_can_make_it() -> None:
    tickets, at = VisitorTokens(b"one"), now()
    made = tickets.session(Visitor("v", "c"), at)
    assert tickets.visitor(made, at) == Visitor("v", "c")
    assert tickets.visitor(made, at + LIFETIME + timedelta(seconds=1)) is None
    assert VisitorTokens(b"two").visitor(made, at) is None
    mark, body, signature = made.split(".")
    other = tickets.session(Visitor("w"), at).split(".")[1]
    for forged in (f"{mark}.{other}.{signature}", f"{mark}.{body}.", "cs1", "", f"{mark}.ß.ß"):
        assert tickets.visitor(forged, at) is None
    until = int(at.timestamp()) + 1
    key = tickets.key_of("file", until)
    assert tickets.opens("file", until, key, at)
    assert not tickets.opens("other", until, key, at)
    assert not tickets.opens("file", until + 9, key, at)
    assert not tickets.opens("file", until, key, at + timedelta(seconds=2))
    assert not proves("secret", "c", "ß")
