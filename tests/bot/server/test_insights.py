"""Figures and suggested replies over HTTP: who may see them, and what they are."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.analytics import topic_updates, traffic_simulation
from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import new_id, now
from bot.integrations import webhooks
from bot.server.auth.secrets_file import load_or_create
from bot.store import synthetic_conversations
from bot.store.tables import suggestions
from tests.running import Server

ROUTES = (
    ("GET", "/api/insights"),
    ("GET", "/api/insights.csv"),
    ("GET", "/api/insights/surges"),
    ("GET", "/api/insights/conversations?figure=conversations"),
    ("GET", "/api/insights/gaps"),
    ("PUT", "/api/insights/topics/topic:1"),
    ("POST", "/api/insights/drafts"),
    ("GET", "/api/desk/conversations/nobody/suggestions"),
)


@pytest.fixture(scope="module")
def token(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {load_or_create(server.home).token}"}


@pytest.fixture(scope="module")
def traffic(server: Server) -> Iterator[Home]:
    home = Home(Settings.load(server.home))
    home.log()
    with pytest.MonkeyPatch.context() as patch:  # few conversations: many must be about the new
        patch.setattr(traffic_simulation, "_UNFORESEEN", (0.8, 0.95))
        made = traffic_simulation.simulate_traffic(
            traffic_simulation.read_source(
                home.path / "dialogs", home.knowledge(), home.served_by()
            ),
            45,
            12.0,
            seed=2,
        )
        synthetic_conversations.write(home.engine, made)
    yield home
    synthetic_conversations.clear(home.engine)
    home.engine.dispose()


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}])
def test_nobody_sees_them_without_the_token(
    api: httpx.Client, method: str, path: str, shown: dict[str, str]
) -> None:
    assert api.request(method, path, headers=shown, json={}).status_code == 401


def test_the_command_and_the_page_tell_the_same(
    api: httpx.Client, token: dict[str, str], traffic: Home
) -> None:
    from bot.analytics import reports

    page = api.get("/api/insights?days=40&synthetic=true", headers=token).json()
    assert page["figures"]["conversations"] > 200
    told = reports.insights(traffic.engine, reports.query(40, synthetic=True))
    assert told == page
    table = api.get("/api/insights.csv?days=40&synthetic=true", headers=token)
    assert table.headers["content-type"].startswith("text/csv")
    assert f"figures,conversations,{page['figures']['conversations']}" in table.text


def test_a_number_leads_to_its_conversations(
    api: httpx.Client, token: dict[str, str], traffic: Home
) -> None:
    assert traffic.engine
    page = api.get("/api/insights?days=40&synthetic=true", headers=token).json()
    query: dict[str, Any] = {"days": 40, "synthetic": True, "figure": "outcome", "value": "handoff"}
    found = api.get("/api/insights/conversations", params=query, headers=token).json()
    assert found["count"] == page["figures"]["outcomes"]["handoff"]
    one = found["conversations"][0]["conversation_id"]
    lines = api.get(f"/api/conversations/{one}/messages", headers=token)
    assert lines.json()["messages"]


def test_what_was_made_up_is_not_live_and_not_of_hours_to_come(
    api: httpx.Client, token: dict[str, str], traffic: Home
) -> None:
    said = {"text": "hello", "conversation_id": new_id()}
    api.post("/api/messages", json=said).raise_for_status()
    live = api.get("/api/conversations?limit=500", headers=token).json()["conversations"]
    names = [one["conversation_id"] for one in live]
    assert said["conversation_id"] in names
    assert [name for name in names if name.startswith(traffic_simulation.SENDER)] == []
    for hour in (0, 3, 23):
        until = datetime(2026, 3, 4, hour, 30, tzinfo=UTC)
        made = list(
            traffic_simulation.simulate_traffic(
                traffic_simulation.read_source(
                    traffic.path / "dialogs", traffic.knowledge(), traffic.served_by()
                ),
                1,
                200.0,
                until=until,
            )
        )
        moments = [turn.message.at for one in made for turn in one.turns]
        assert len(made) > 100
        assert until.replace(hour=0, minute=0) <= min(moments) <= max(moments) <= until


@pytest.mark.parametrize(
    "wrong", ["days=0", "first=2026-02-02&last=2026-01-01", "first=nonsense", "days=9999"]
)
def test_a_period_that_is_none_is_refused(
    api: httpx.Client, token: dict[str, str], wrong: str
) -> None:
    answer = api.get(f"/api/insights?{wrong}", headers=token)
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]["message"]


def test_a_planted_surge_is_found_with_examples_and_announced_once(traffic: Home) -> None:
    from bot.analytics import reports

    found = reports.alerts(traffic.engine, reports.query(14, synthetic=True))
    since = (now() - timedelta(days=7)).date().isoformat()
    assert any(surge["first"] >= since for surge in found)
    surge = found[0]
    assert surge["examples"]
    assert surge["observed"] > surge["expected"]
    settings = Settings(
        webhook_url="http://127.0.0.1:1/", webhook_secret="s", webhook_events=("surge",)
    )
    (first, *_), (again, *_) = (webhooks.surge_events(settings, found) for _ in range(2))
    assert first.key == again.key
    assert first.body["event"] == "surge"
    assert webhooks.surge_events(Settings(), found) == []


def test_a_subject_nobody_foresaw_is_a_topic_with_a_surge_and_gets_a_name(
    api: httpx.Client, token: dict[str, str], traffic: Home
) -> None:
    looker = topic_updates.TopicUpdater(
        traffic.engine, traffic.encoder, traffic.small_talk, patient=True
    )
    looks = [looker.look().found for _ in range(3)]
    assert looks[0] > 0
    assert looks[0] > looks[1] >= looks[2]
    page = api.get("/api/insights?days=14&synthetic=true", headers=token).json()
    news = {surge["topic"]: surge for surge in page["surges"] if surge["kind"] == "discovered"}
    first = (now() - timedelta(days=traffic_simulation.NEW_DAYS)).date().isoformat()
    ants = next(row for row in page["topics"] if "ants" in row["name"].split())
    assert ants["messages"] >= 5
    assert news[ants["topic"]]["first"] >= first
    path = f"/api/insights/topics/{ants['topic']}"
    assert api.put(path, json={"name": " ants in  parcels "}, headers=token).status_code == 200
    told = api.get("/api/insights/surges?days=14&synthetic=true", headers=token).json()["surges"]
    surge = next(one for one in told if one["topic"] == ants["topic"])
    assert surge["name"] == "ants in parcels"
    assert any("ants" in one["text"] for one in surge["examples"])
    other = next(row for row in page["topics"] if row["topic"] != ants["topic"])
    body = {"name": " ants in parcels", "join": True}
    here = f"/api/insights/topics/{other['topic']}"
    assert api.put(here, json=body, headers=token).json()["topic"] == ants["topic"]
    page = api.get("/api/insights?days=14&synthetic=true", headers=token).json()
    joined = {row["topic"]: row["messages"] for row in page["topics"]}
    assert other["topic"] not in joined
    assert joined[ants["topic"]] == ants["messages"] + other["messages"]
    assert api.put(path, json={"name": "  "}, headers=token).status_code == 422
    unknown = api.put("/api/insights/topics/topic:0", json={"name": "x"}, headers=token)
    assert unknown.status_code == 404


def test_questions_without_an_answer_become_a_draft(
    api: httpx.Client, token: dict[str, str], traffic: Home
) -> None:
    clusters = api.get("/api/insights/gaps?synthetic=true", headers=token).json()["clusters"]
    first = clusters[0]
    assert first["conversations"]
    body = {"title": first["name"], "language": "en", "questions": first["examples"]}
    made = api.post("/api/insights/drafts", json=body, headers=token)
    assert made.status_code == 201
    draft = traffic.path / "drafts" / made.json()["path"]
    assert first["examples"][0].split()[0] in draft.read_text(encoding="utf-8")
    sneaky = {**body, "title": "../../etc/passwd"}
    path = api.post("/api/insights/drafts", json=sneaky, headers=token).json()["path"]
    assert path == "etc-passwd.md"


def suggested(api: httpx.Client, token: dict[str, str], conversation: str) -> dict[str, Any]:
    path = f"/api/desk/conversations/{conversation}/suggestions"
    answer = api.get(path, headers=token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_agent_is_offered_three_replies_and_the_choice_is_kept(
    api: httpx.Client, token: dict[str, str], server: Server
) -> None:
    desk = httpx.Client(base_url=f"{server.url}/api/desk", headers=token, timeout=300)
    desk.put("/agents", json={"id": "cy", "name": "Cy"})
    conversation = new_id()
    ask = {"text": "How do I wash my rain jacket?", "conversation_id": conversation}
    api.post("/api/messages", json=ask)
    suggested(api, token, conversation)  # what was answered before is learnt now
    patience = time.monotonic() + 300
    while time.monotonic() < patience:
        found = suggested(api, token, conversation)
        if any(one["kind"] == "past" for one in found["suggestions"]):
            break
        time.sleep(0.5)
    offered = found["suggestions"]
    assert 2 <= len(offered) <= 3
    assert {one["kind"] for one in offered} >= {"past", "passage"}
    assert all(one["source"] and one["text"] for one in offered)
    held = desk.post(f"/conversations/{conversation}/take", json={"agent": "cy"}).json()
    said = {"agent": "cy", "fence": held["fence"], "text": offered[1]["text"] + "!!"}
    sent = desk.post(
        f"/conversations/{conversation}/say",
        json={**said, "suggestion": found["id"], "place": 1},
    )
    assert sent.status_code == 201
    home = Home(Settings.load(server.home))
    with home.engine.connect() as connection:
        query = select(suggestions).where(suggestions.c.id == found["id"])
        row = connection.execute(query).one()
    home.engine.dispose()
    assert (row.chosen, row.kind) == (1, offered[1]["kind"])
    assert row.message_id == sent.json()["message_id"]
    assert row.distance == pytest.approx(2 / len(said["text"]), abs=1e-4)
    desk.close()


def test_who_calls_a_person_is_answered_what_was_asked_before(
    api: httpx.Client, token: dict[str, str]
) -> None:
    conversation = new_id()
    for text in ("How do I wash my rain jacket?", "I want to talk to a human", "a human please"):
        api.post("/api/messages", json={"text": text, "conversation_id": conversation})
    offered = suggested(api, token, conversation)["suggestions"]
    assert any("30 °C" in one["text"] for one in offered)
    calling = {"human", "complaint"}  # their templates pass the customer on: a person is there
    assert not calling & {one["source"] for one in offered}
