"""Fifty open conversations: each tick asks as little as with one, and the rows are right."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import new_id
from bot.server.auth import sessions
from bot.store import handoff_desk as desks
from bot.store.accounts import AccessLevel, User, Users
from tests.running import Server
from ui.client.desk_api import DeskApi
from ui.client.http_client import Client
from ui.i18n import CHINESE, ENGLISH
from ui.screens.console.screen import ConsoleScreen

MANY = 50
ALL = ("", "", "", "", 0)


@pytest.fixture
def agent(server: Server) -> Iterator[tuple[User, str]]:
    """Return an agent with much room, and what lets the agent in."""
    home = Home(Settings.load(server.home))
    users = Users(home.engine)
    user = users.add("max", "Max", AccessLevel.AGENT, "correct horse")
    yield user, sessions.issue(home.seal.key_for("sessions"), user, time.time() + 600)
    users.remove("max")
    home.engine.dispose()


@pytest.fixture
def conversations(server: Server) -> Iterator[list[str]]:
    """Return conversations that wait, the oldest first; others may wait as well."""
    names = [new_id() for _ in range(MANY)]
    with httpx.Client(base_url=f"{server.url}/api", timeout=300) as visitor:
        for n, name in enumerate(names):
            text = f"a human please, case {n}"
            visitor.post("/messages", json={"text": text, "conversation_id": name})
        yield names
        for name in names:
            visitor.delete(f"/conversations/{name}")


def record_requests(console: ConsoleScreen) -> list[str]:
    """Return the list that requests of a console are put into."""
    paths: list[str] = []

    def note(request: httpx.Request) -> None:
        paths.append(request.url.path)

    console.desk.client._http.event_hooks["request"].append(note)
    return paths


def test_a_tick_asks_the_same_with_fifty_conversations(
    server: Server, agent: tuple[User, str], conversations: list[str]
) -> None:
    user, session = agent
    with Client(server.url, session) as client:
        a_tick_asks_little(ConsoleScreen(DeskApi(client)), server, user, conversations)


def refresh_queue(console: ConsoleScreen, *inputs: Any) -> dict[str, Any]:
    updates = console.refresh_queue(*inputs)
    assert updates is not None
    return updates


def a_tick_asks_little(
    console: ConsoleScreen, server: Server, user: User, conversations: list[str]
) -> None:
    me = console.open()
    requests = record_requests(console)
    first = refresh_queue(console, me, ENGLISH, None, None, *ALL)
    assert len(requests) == 2
    rows = [row for row in first["queue"]["value"]["data"] if row[-1] in conversations]
    assert [row[-1] for row in rows] == conversations  # who waits longest stands first
    assert [row[2] for row in rows] == [f"a human please, case {n}" for n in range(MANY)]
    assert {(row[1], row[3]) for row in rows} == {("waiting", "Talk to a person")}
    chinese = refresh_queue(console, me, CHINESE, None, None, *ALL)["queue"]["value"]["data"]
    assert {row[1] for row in chinese if row[-1] in conversations} == {"等待中"}
    shown = first["rows"]
    marked = refresh_queue(console, me, ENGLISH, shown, conversations[7], *ALL)
    marked_rows = marked["queue"]["value"]["data"]
    assert [row[-1] for row in marked_rows if row[0].startswith("▸")] == [conversations[7]]
    requests.clear()
    again = refresh_queue(console, me, ENGLISH, shown, None, *ALL)
    assert list(again) == ["busy"]  # nothing changed: the table stays
    assert len(requests) == 2

    _take_all(server, user, conversations)
    requests.clear()
    console.renew_presence(me, present=True)
    assert len(requests) == 1  # presence, and the leases of all fifty
    own = refresh_queue(console, me, ENGLISH, None, None, "mine", "", "", "", 0)
    assert {row[-1] for row in own["queue"]["value"]["data"]} == set(conversations)
    requests.clear()
    updates = console.refresh_conversation(me, conversations[0], None, ENGLISH)
    assert updates is not None
    assert len(requests) <= 8  # a conversation is opened
    requests.clear()
    console.refresh_conversation(me, conversations[0], updates["shown"], ENGLISH)
    assert len(requests) == 3  # and looked at again: its lines, what is known, the queue


def _take_all(server: Server, user: User, names: list[str]) -> None:
    home = Home(Settings.load(server.home))
    desk = desks.HandoffDesk(home.engine, lambda notice, language: f"{notice.template} {language}")
    desk.save_agent(desks.Agent(user.id, user.name, capacity=MANY))
    for name in names:
        desk.take(name, user.id)
    home.engine.dispose()
