"""Orders beside a conversation: only for its agent, and only those that the customer proved."""

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
    with httpx.Client(base_url=guarded.url, timeout=300) as client:
        yield client


@pytest.fixture(scope="module")
def agents(guarded: Server) -> Iterator[dict[str, dict[str, str]]]:
    """Return the headers of two agents."""
    home = Home(Settings.load(guarded.home))
    users = Users(home.engine)
    key = home.seal.key_for("sessions")

    def headers(user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {sessions.issue(key, user, time.time() + 600)}"}

    yield {
        name: headers(users.add(name, name.title(), AccessLevel.AGENT, PASSWORD))
        for name in ("eve", "flo")
    }
    for name in ("eve", "flo"):
        users.remove(name)
    home.engine.dispose()


def begin(client: httpx.Client, customer: str | None, text: str = "a human please") -> str:
    """Begin a conversation as a visitor, with or without a verified identity."""
    body: dict[str, Any] = {}
    if customer:
        proof = hmac.new(b"identity-secret", customer.encode(), hashlib.sha256).hexdigest()
        body = {"identity": {"id": customer, "hmac": proof}}
    session = client.post("/api/sessions", json=body).raise_for_status().json()["session"]
    conversation = new_id()
    message = {"text": text, "conversation_id": conversation}
    headers = {"Authorization": f"Bearer {session}"}
    client.post("/api/messages", json=message, headers=headers).raise_for_status()
    return conversation


def take(
    client: httpx.Client, agents: dict[str, dict[str, str]], conversation: str, name: str = "eve"
) -> str:
    path = f"/api/desk/conversations/{conversation}"
    client.post(f"{path}/take", json={"agent": name}, headers=agents[name]).raise_for_status()
    return f"{path}/orders"


def test_the_orders_of_a_verified_customer_are_shown_to_the_agent(
    client: httpx.Client, agents: dict[str, dict[str, str]], guarded: Server
) -> None:
    conversation = begin(client, "c-1001")
    orders = f"/api/desk/conversations/{conversation}/orders"
    assert client.get(orders, headers=agents["eve"]).status_code == 403  # not taken yet
    path = take(client, agents, conversation)
    assert client.get(path, headers=agents["flo"]).status_code == 403
    records = client.get(path, headers=agents["eve"]).raise_for_status().json()
    assert records["known"]
    assert "A10234" in {order["number"] for order in records["orders"]}
    assert {order["proof"] for order in records["orders"]} == {"customer"}
    assert "example.com" not in str(records)
    token = {"Authorization": f"Bearer {load_or_create(guarded.home).token}"}
    assert client.get(path, headers=token).json() == records


def test_without_a_proof_an_order_needs_number_and_address(
    client: httpx.Client, agents: dict[str, dict[str, str]]
) -> None:
    path = take(client, agents, begin(client, None))
    eve = agents["eve"]
    records = client.get(path, headers=eve).json()
    assert (records["known"], records["orders"]) == (True, [])
    assert [field["name"] for field in records["fields"]] == ["number", "email"]
    missing = client.post(path, json={"number": "A10234"}, headers=eve)
    assert (missing.status_code, "email" in missing.text) == (422, True)
    wrong = client.post(path, json={"number": "A10234", "email": "x@example.com"}, headers=eve)
    nothing = client.post(path, json={"number": "Z99999", "email": EMAIL}, headers=eve)
    assert (wrong.status_code, wrong.json()) == (404, nothing.json())
    valid = client.post(path, json={"number": " a10234", "email": EMAIL.upper()}, headers=eve)
    (order,) = valid.raise_for_status().json()["orders"]
    assert (order["number"], order["proof"]) == ("A10234", "address")
    assert client.get(path, headers=eve).json()["orders"] == []  # a look-up is no proof


def test_an_order_proven_in_the_conversation_is_shown(
    client: httpx.Client, agents: dict[str, dict[str, str]]
) -> None:
    conversation = begin(client, None, f"Where is my order A10234? My e-mail is {EMAIL}")
    path = take(client, agents, conversation)
    orders = client.get(path, headers=agents["eve"]).json()["orders"]
    assert [(order["number"], order["proof"]) for order in orders] == [("A10234", "conversation")]


def test_guessing_orders_is_limited(
    client: httpx.Client, agents: dict[str, dict[str, str]]
) -> None:
    path = take(client, agents, begin(client, None), "flo")
    pair = {"number": "A10391", "email": "x@example.com"}
    responses = [client.post(path, json=pair, headers=agents["flo"]) for _ in range(11)]
    assert [response.status_code for response in responses] == [404] * 10 + [429]
    assert responses[-1].headers["retry-after"]
