"""Orders beside a conversation: for who has it, and only what the customer has proven."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import new_id
from bot.server.auth import sessions
from bot.server.auth.secrets_file import load_or_create
from bot.store.accounts import AccessLevel, User, Users
from tests.running import Server

PASSWORD = "correct horse"
EMAIL = "marta.lindqvist@example.com"


@pytest.fixture(scope="module")
def client(guarded: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, timeout=300) as found:
        yield found


@pytest.fixture(scope="module")
def people(guarded: Server) -> Iterator[dict[str, dict[str, str]]]:
    """Return what two agents show to be let in."""
    home = Home(Settings.load(guarded.home))
    users = Users(home.engine)
    key = home.seal.key_for("sessions")

    def shown(user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {sessions.issue(key, user, time.time() + 600)}"}

    yield {
        name: shown(users.add(name, name.title(), AccessLevel.AGENT, PASSWORD))
        for name in ("eve", "flo")
    }
    for name in ("eve", "flo"):
        users.remove(name)
    home.engine.dispose()


def begin(client: httpx.Client, customer: str | None, text: str = "a human please") -> str:
    """Open a conversation as a visitor, proven to be a customer or not."""
    body: dict[str, Any] = {}
    if customer:
        mark = hmac.new(b"identity-secret", customer.encode(), hashlib.sha256).hexdigest()
        body = {"identity": {"id": customer, "hmac": mark}}
    session = client.post("/api/sessions", json=body).raise_for_status().json()["session"]
    conversation = new_id()
    sent = {"text": text, "conversation_id": conversation}
    headers = {"Authorization": f"Bearer {session}"}
    client.post("/api/messages", json=sent, headers=headers).raise_for_status()
    return conversation


def taken(
    client: httpx.Client, people: dict[str, dict[str, str]], conversation: str, name: str = "eve"
) -> str:
    here = f"/api/desk/conversations/{conversation}"
    client.post(f"{here}/take", json={"agent": name}, headers=people[name]).raise_for_status()
    return f"{here}/orders"


def test_a_proven_customers_orders_are_shown_to_who_has_the_conversation(
    client: httpx.Client, people: dict[str, dict[str, str]], guarded: Server
) -> None:
    conversation = begin(client, "c-1001")
    here = f"/api/desk/conversations/{conversation}/orders"
    assert client.get(here, headers=people["eve"]).status_code == 403  # not taken yet
    path = taken(client, people, conversation)
    assert client.get(path, headers=people["flo"]).status_code == 403
    found = client.get(path, headers=people["eve"]).raise_for_status().json()
    assert found["known"]
    assert "A10234" in {one["number"] for one in found["orders"]}
    assert {one["proof"] for one in found["orders"]} == {"customer"}
    assert "example.com" not in str(found)
    token = {"Authorization": f"Bearer {load_or_create(guarded.home).token}"}
    assert client.get(path, headers=token).json() == found


def test_without_a_proof_nothing_is_shown_until_number_and_address_fit(
    client: httpx.Client, people: dict[str, dict[str, str]]
) -> None:
    path = taken(client, people, begin(client, None))
    eve = people["eve"]
    listed = client.get(path, headers=eve).json()
    assert (listed["known"], listed["orders"]) == (True, [])
    assert [field["name"] for field in listed["fields"]] == ["number", "email"]
    missing = client.post(path, json={"number": "A10234"}, headers=eve)
    assert (missing.status_code, "email" in missing.text) == (422, True)
    wrong = client.post(path, json={"number": "A10234", "email": "x@example.com"}, headers=eve)
    nothing = client.post(path, json={"number": "Z99999", "email": EMAIL}, headers=eve)
    assert (wrong.status_code, wrong.json()) == (404, nothing.json())
    right = client.post(path, json={"number": " a10234", "email": EMAIL.upper()}, headers=eve)
    (order,) = right.raise_for_status().json()["orders"]
    assert (order["number"], order["proof"]) == ("A10234", "address")
    assert client.get(path, headers=eve).json()["orders"] == []  # looking proves nothing


def test_an_order_that_was_proven_in_the_conversation_is_shown(
    client: httpx.Client, people: dict[str, dict[str, str]]
) -> None:
    conversation = begin(client, None, f"Where is my order A10234? My e-mail is {EMAIL}")
    path = taken(client, people, conversation)
    found = client.get(path, headers=people["eve"]).json()["orders"]
    assert [(one["number"], one["proof"]) for one in found] == [("A10234", "conversation")]


def test_who_guesses_orders_has_to_wait(
    client: httpx.Client, people: dict[str, dict[str, str]]
) -> None:
    path = taken(client, people, begin(client, None), "flo")
    pair = {"number": "A10391", "email": "x@example.com"}
    tried = [client.post(path, json=pair, headers=people["flo"]) for _ in range(11)]
    assert [answer.status_code for answer in tried] == [404] * 10 + [429]
    assert tried[-1].headers["retry-after"]
