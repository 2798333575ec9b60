"""Who may use the console's routes: every route, every role, no, a wrong and an expired login."""

import re
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import new_id
from bot.server.app import create
from bot.server.auth import sessions
from bot.server.auth.secrets_file import load_or_create
from bot.store.accounts import AccessLevel, User, Users
from tests.bot.server import workshop_routes
from tests.running import Server

PASSWORD = "correct horse"
HERE = "/api/desk/conversations/nowhere"
HELD = {"agent": "{me}", "fence": 1}
# method, path, body, and the least role; what is let in may be refused for another reason.
ROUTES: tuple[tuple[str, str, dict[str, Any] | None, AccessLevel], ...] = (
    ("GET", "/api/session", None, AccessLevel.AGENT),
    ("GET", "/api/conversations", None, AccessLevel.AGENT),
    ("POST", "/api/explain", {"text": "hello"}, AccessLevel.AGENT),
    ("GET", "/api/desk/queue", None, AccessLevel.AGENT),
    ("GET", "/api/desk/agents", None, AccessLevel.AGENT),
    ("PUT", "/api/desk/agents", {"id": "made", "name": "Made"}, AccessLevel.SUPERVISOR),
    ("POST", "/api/desk/agents/{me}/presence", {}, AccessLevel.AGENT),
    ("POST", f"{HERE}/take", {"agent": "{me}"}, AccessLevel.AGENT),
    ("POST", f"{HERE}/say", {**HELD, "text": "hello"}, AccessLevel.AGENT),
    *(("POST", f"{HERE}/{do}", HELD, AccessLevel.AGENT) for do in ("typing", "renew", "return")),
    ("POST", f"{HERE}/transfer", {**HELD, "queue": "general"}, AccessLevel.AGENT),
    ("POST", f"{HERE}/close", HELD, AccessLevel.AGENT),
    *(("GET", f"{HERE}/{what}", None, AccessLevel.AGENT) for what in ("summary", "suggestions")),
    ("GET", HERE, None, AccessLevel.AGENT),
    ("GET", f"{HERE}/orders", None, AccessLevel.AGENT),
    ("POST", f"{HERE}/orders", {"number": "A10234", "email": "a@example.com"}, AccessLevel.AGENT),
    ("GET", "/api/desk/attachments/nowhere", None, AccessLevel.AGENT),
    ("GET", "/api/desk/intents", None, AccessLevel.AGENT),
    ("GET", "/api/desk/messages/nowhere/corrections", None, AccessLevel.AGENT),
    ("POST", "/api/desk/messages/nowhere/corrections", {"answer": "Yes."}, AccessLevel.AGENT),
    ("GET", "/api/desk/corrections.jsonl", None, AccessLevel.SUPERVISOR),
    ("POST", "/api/playground", {"text": "hello"}, AccessLevel.AGENT),
    ("GET", f"{HERE}/canned", None, AccessLevel.AGENT),
    ("POST", f"{HERE}/notes", {"text": "call back"}, AccessLevel.AGENT),
    ("POST", f"{HERE}/labels", {"label": "vip"}, AccessLevel.AGENT),
    ("POST", f"{HERE}/labels/remove", {"label": "vip"}, AccessLevel.AGENT),
    ("GET", "/api/insights", None, AccessLevel.SUPERVISOR),
    ("GET", "/api/insights.csv", None, AccessLevel.SUPERVISOR),
    ("GET", "/api/insights/surges", None, AccessLevel.SUPERVISOR),
    ("GET", "/api/insights/conversations?figure=conversations", None, AccessLevel.SUPERVISOR),
    ("GET", "/api/insights/gaps", None, AccessLevel.SUPERVISOR),
    ("PUT", "/api/insights/topics/nowhere", {}, AccessLevel.SUPERVISOR),
    ("POST", "/api/insights/drafts", {}, AccessLevel.SUPERVISOR),
)

_VARIABLE = re.compile(r"\{[^}]*\}")
_DOCS = ("/docs", "/swagger/")  # the page of the API and its files
_CONVERSATION = "/api/conversations/{}"
# Routes that are not the console's: the visitor's session, a channel's own secret, or nothing at
# all opens them, and other tests say what: visitors, Rasa, OpenAI, Chatwoot, messages.
OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", "/api/sessions"),
        ("POST", "/api/messages"),
        ("POST", "/api/messages/{}/feedback"),
        ("POST", "/api/messages/{}/opened"),
        ("GET", "/api/messages/{}/trace"),
        ("GET", f"{_CONVERSATION}/messages"),
        ("GET", f"{_CONVERSATION}/transcript"),
        ("POST", f"{_CONVERSATION}/contact"),
        ("POST", f"{_CONVERSATION}/csat"),
        ("POST", f"{_CONVERSATION}/attachments"),
        ("DELETE", _CONVERSATION),
        ("GET", "/api/attachments/{}"),
        ("POST", "/api/search"),
        ("GET", "/api/articles/{}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/webhooks/rest/"),
        ("POST", "/webhooks/rest/webhook"),
        ("POST", "/model/parse"),
        ("GET", "/conversations/{}/tracker"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{}"),
        ("POST", "/webhooks/chatwoot"),
    }
)


@pytest.fixture(scope="module")
def home(server: Server) -> Iterator[Home]:
    found = Home(Settings.load(server.home))
    yield found
    found.engine.dispose()


@pytest.fixture(scope="module")
def people(home: Home) -> Iterator[dict[AccessLevel, User]]:
    """Add a user of every role."""
    users = Users(home.engine)
    yield {level: users.add(f"a-{level}", level.title(), level, PASSWORD) for level in AccessLevel}
    for level in AccessLevel:
        users.remove(f"a-{level}")


def value(home: Home, user: User, seconds: float = 60) -> str:
    key = home.seal.key_for("sessions")
    return sessions.issue(key, user, time.time() + seconds)


def call(
    api: httpx.Client, route: tuple[str, str, Any, AccessLevel], me: str, session: str | None
) -> httpx.Response:
    method, path, body, _ = route
    if body is not None:
        body = {key: me if at == "{me}" else at for key, at in body.items()}
    headers = {"Cookie": f'{sessions.COOKIE}="{session}"'} if session else {}
    return api.request(method, path.replace("{me}", me), json=body, headers=headers)


def within(router: Any) -> Iterator[APIRoute]:
    """Yield the routes of an application, and of the routers in it, hidden ones too."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from within(inner)


def test_every_route_has_a_rule(home: Home) -> None:
    """A route that is new stands in none of the tables: say there who may use it."""
    app = create(Home(home.settings.model_copy(update={"screens": False})), "http://127.0.0.1")
    served = {
        (method, _VARIABLE.sub("{}", route.path))
        for route in within(app)
        if not route.path.startswith(_DOCS)
        for method in route.methods or ()
    }
    ruled = {
        (method, re.sub(r"nowhere|\{me\}", "{}", path.partition("?")[0]))
        for method, path, *_ in (*ROUTES, *workshop_routes.ROUTES)
    }
    assert not ruled & OPEN
    assert served - ruled - OPEN == set()
    assert (ruled | OPEN) - served == set()


@pytest.mark.parametrize(("route", "level"), list(product(ROUTES, AccessLevel)), ids=str)
def test_a_route_lets_in_its_role_and_those_above(
    api: httpx.Client,
    home: Home,
    people: dict[AccessLevel, User],
    route: tuple[str, str, Any, AccessLevel],
    level: AccessLevel,
) -> None:
    user = people[level]
    status = call(api, route, user.id, value(home, user)).status_code
    if level.covers(route[3]):
        assert status not in {401, 403}
        assert status < 500
    else:
        assert status == 403


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_wrong_and_expired_logins_open_nothing(
    api: httpx.Client,
    home: Home,
    people: dict[AccessLevel, User],
    route: tuple[str, str, Any, AccessLevel],
) -> None:
    admin = people[AccessLevel.ADMIN]
    good = value(home, admin)
    claimed, _, mark = good.rpartition("|")
    wrong = {
        "none": None,
        "no session": "admin",
        "longer than signed": f"{admin.id}|{int(time.time()) + 9999}|{mark}",
        "another user": good.replace(admin.id, people[AccessLevel.AGENT].id),
        "another mark": f"{claimed}|{'0' * len(mark)}",
        "expired": value(home, admin, -1),
    }
    assert {
        name: call(api, route, admin.id, session).status_code for name, session in wrong.items()
    } == dict.fromkeys(wrong, 401)


def test_signing_in_sets_a_cookie_that_opens_and_signing_out_takes_it_away(
    server: Server, people: dict[AccessLevel, User]
) -> None:
    agent = people[AccessLevel.AGENT]
    with httpx.Client(base_url=server.url, timeout=300) as client:
        wrong = client.post("/api/session", json={"user": agent.id, "password": "wrong"})
        assert (wrong.status_code, wrong.cookies) == (401, httpx.Cookies())
        nobody = client.post("/api/session", json={"user": "nobody", "password": "wrong"})
        assert nobody.json() == wrong.json()  # names cannot be found out
        given = client.post("/api/session", json={"user": agent.id, "password": PASSWORD})
        assert given.json() == {"user": agent.id, "name": "Agent", "role": "agent"}
        cookie = given.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=lax", "max-age=43200"))
        assert client.get("/api/session").json()["user"] == agent.id
        client.delete("/api/session")
        assert client.get("/api/session").status_code == 401


def test_who_tries_passwords_has_to_wait(api: httpx.Client) -> None:
    body = {"user": "tried", "password": "wrong"}
    tried = [api.post("/api/session", json=body).status_code for _ in range(11)]
    assert tried == [401] * 10 + [429]


def test_another_password_and_a_removal_end_sessions(api: httpx.Client, home: Home) -> None:
    users = Users(home.engine)
    user = users.add("short", "Short", AccessLevel.AGENT, PASSWORD)
    session = {"Authorization": f"Bearer {value(home, user)}"}
    assert api.get("/api/session", headers=session).status_code == 200
    users.change_password("short", "another horse")
    assert api.get("/api/session", headers=session).status_code == 401
    changed = users.find("short")
    assert changed
    session = {"Authorization": f"Bearer {value(home, changed)}"}
    assert api.get("/api/session", headers=session).status_code == 200
    users.remove("short")
    assert api.get("/api/session", headers=session).status_code == 401


def test_an_agent_acts_as_nobody_else_and_no_other_site_acts_for_one(
    api: httpx.Client, home: Home, people: dict[AccessLevel, User]
) -> None:
    conversation = new_id()
    api.post("/api/messages", json={"text": "a human please", "conversation_id": conversation})
    here = f"/api/desk/conversations/{conversation}"
    agent, boss = people[AccessLevel.AGENT], people[AccessLevel.SUPERVISOR]
    session = {"Cookie": f'{sessions.COOKIE}="{value(home, agent)}"'}
    other = api.post(f"{here}/take", json={"agent": boss.id}, headers=session)
    assert other.status_code == 403
    foreign = {**session, "Origin": "https://elsewhere.example"}
    assert api.post(f"{here}/take", json={"agent": agent.id}, headers=foreign).status_code == 403
    taken = api.post(f"{here}/take", json={"agent": agent.id}, headers=session).json()
    held = {"agent": agent.id, "fence": taken["fence"]}
    above = {"Authorization": f"Bearer {value(home, boss)}"}
    assert api.post(f"{here}/say", json={**held, "text": "x"}, headers=above).status_code == 403
    passed = api.post(f"{here}/transfer", json={**held, "queue": "general"}, headers=above)
    assert passed.json()["state"] == "queued"


def test_what_agents_write_for_each_other_is_kept_without_personal_data(
    api: httpx.Client, server: Server
) -> None:
    conversation = new_id()
    api.post("/api/messages", json={"text": "where is my order", "conversation_id": conversation})
    here = f"/api/desk/conversations/{conversation}"
    token = {"Authorization": f"Bearer {load_or_create(server.home).token}"}
    note = api.post(f"{here}/notes", json={"text": "call a@example.com"}, headers=token).json()
    assert "example.com" not in note["text"]
    for _ in range(2):
        api.post(f"{here}/labels", json={"label": " vip "}, headers=token).raise_for_status()
    assert api.post(f"{here}/labels", json={"label": " "}, headers=token).status_code == 422
    found = api.get(here, headers=token).json()
    assert (found["labels"], len(found["notes"]), found["state"]) == (["vip"], 1, "bot")
    assert [mood["sentiment"] for mood in found["moods"]]
    api.post(f"{here}/labels/remove", json={"label": "vip"}, headers=token)
    assert api.get(here, headers=token).json()["labels"] == []
    canned = api.get(f"{here}/canned", headers=token).json()["replies"]
    assert canned[0]["text"].startswith("Hello, this is {agent}")  # nobody is signed in
