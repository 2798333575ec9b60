"""The workshop over HTTP: who may do what, publishing that is served, going back, bringing in."""

import gzip
import re
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.cli.build import init
from bot.container import Home
from bot.core.settings import Settings
from bot.server.app import create
from bot.server.auth import sessions
from bot.server.service import Service
from bot.store.accounts import AccessLevel, User
from tests.bot.server.workshop_routes import ADMIN, HERE, ROUTES, SUPERVISOR
from tests.conftest import ROOT

KITES = """---
title: Flying kites
language: en
---
# Flying kites
## Wind
Our kites fly from a wind of {wind} km/h on.
"""


class Shop:
    """A home that is served in this process."""

    def __init__(self, home: Home, client: TestClient, service: Service) -> None:
        self.home, self.client, self.service = home, client, service

    def session(self, level: AccessLevel, seconds: float = 60) -> str:
        user = self.service.users.find(f"a-{level}") or self.add(level)
        return sessions.issue(self.service.session_key, user, time.time() + seconds)

    def add(self, level: AccessLevel) -> User:
        return self.service.users.add(f"a-{level}", level.title(), level, "correct horse")

    def call(self, method: str, path: str, as_: AccessLevel = ADMIN, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.session(as_)}"}
        return self.client.request(method, f"{HERE}{path}", headers=headers, **more)

    def get(self, route: str, **params: Any) -> Any:
        answer = self.call("GET", route, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, route: str, status: int = 201, as_: AccessLevel = ADMIN, **body: Any) -> Any:
        answer = self.call("POST", route, as_, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, to: str, name: str, content: bytes) -> Any:
        return self.call("POST", "/files", params={"to": to, "name": name}, content=content)

    def until(self, holds: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            told = self.get("/status")
            if holds(told):
                return told
            time.sleep(0.1)
        raise AssertionError(told)

    def at_rest(self, knowledge_before: str | None = None) -> Any:
        """Wait until all work is done and what came of it is served."""
        return self.until(
            lambda s: (
                (s["job"] is None or s["job"]["state"] != "running")
                and not s["due"]
                and s["served"]["knowledge"] == s["active"]["knowledge"] != knowledge_before
                and s["served"]["model"] == s["active"]["model"]
            )
        )

    def reply(self, text: str) -> str:
        answer = self.client.post("/api/messages", json={"text": text})
        return str(answer.json()["reply"]["text"])


def served(home: Home) -> Iterator[Shop]:
    service = Service.start(home)
    with TestClient(create(home, "http://testserver", service)) as client:
        yield Shop(home, client, service)
    deadline = time.monotonic() + 300
    while service.jobs.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def shop(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Serve a copy of the trained home that these tests change."""
    folder = tmp_path_factory.mktemp("workshop") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    home = Home(Settings.load(folder, screens=False))
    home._encoders = trained._encoders
    yield from served(home)


def test_the_table_above_names_every_route(shop: Shop) -> None:
    paths = shop.client.get("/openapi.json").json()["paths"]
    found = {
        (method.upper(), path)
        for path, methods in paths.items()
        if path.startswith(HERE)
        for method in methods
    }
    tried = {(method, re.sub("{[a-z]+}", "nowhere", path)) for method, path in found}
    assert tried == {(method, path.partition("?")[0]) for method, path, *_ in ROUTES}
    guide = (ROOT / "docs" / "workshop.md").read_text(encoding="utf-8")
    assert [path for method, path in found if f"`{method} {path}" not in guide] == []


@pytest.mark.parametrize(("route", "level"), list(product(ROUTES, AccessLevel)), ids=str)
def test_a_route_lets_in_its_role_and_those_above(
    shop: Shop, route: tuple[str, str, Any, AccessLevel], level: AccessLevel
) -> None:
    method, path, body, least = route
    answer = shop.call(method, path.removeprefix(HERE), level, json=body)
    if level.covers(least):
        assert answer.status_code not in {401, 403}
        assert answer.status_code < 500
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_wrong_and_expired_logins_open_nothing(
    shop: Shop, route: tuple[str, str, Any, AccessLevel]
) -> None:
    method, path, body, _ = route
    good = shop.session(ADMIN)
    claimed, _, mark = good.rpartition("|")
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {claimed}|{'0' * len(mark)}"},
        {"Authorization": f"Bearer {shop.session(ADMIN, -1)}"},
    )
    answers = [shop.client.request(method, path, headers=headers, json=body) for headers in wrong]
    assert [answer.status_code for answer in answers] == [401] * len(wrong)


def test_an_article_is_published_served_rolled_back_and_gone(shop: Shop) -> None:
    path, question = "kb/en/flying-kites.md", "From what wind on do your kites fly?"
    opened = shop.get("/text", path=path)
    assert (opened["text"], opened["sha256"], opened["may_publish"]) == ("", "", True)
    text = KITES.format(wind=12)
    checked = shop.post("/check", 200, SUPERVISOR, path=path, text=text)
    assert checked["fit"]
    assert [one["heading"] for one in checked["passages"]] == ["Flying kites › Wind"]
    assert "+# Flying kites" in checked["difference"]
    before = shop.get("/status")["active"]["knowledge"]
    first = shop.post("/publish", 201, SUPERVISOR, path=path, text=text, note="asked for")
    told = shop.at_rest(before)
    assert (told["job"]["task"], told["job"]["state"]) == ("ingest", "done")
    assert (told["job"]["who"], told["job"]["result"]["added"]) == ("Supervisor", 1)
    assert "12 km/h" in shop.reply(question)

    opened = shop.get("/text", path=path)
    assert opened["sha256"] == first["publication"]["after"]
    other = KITES.format(wind=19)
    shop.post("/publish", path=path, text=other, base=opened["sha256"])
    stale = shop.post("/publish", 409, path=path, text="mine", base=opened["sha256"])
    assert stale["error"]["code"] == "stale"
    assert "since you opened it" in stale["error"]["message"]
    there = shop.post("/publish", 409, path=path, text="mine")
    assert "choose another name" in there["error"]["message"]
    listed = shop.get("/publications", path=path)["publications"]
    assert [one["who"] for one in listed] == ["Admin", "Supervisor"]
    shown = shop.get(f"/publications/{listed[0]['id']}")
    assert "-Our kites fly from a wind of 12 km/h on." in shown["difference"]
    now = shop.get("/text", path=path)["sha256"]
    shop.post(f"/publications/{listed[0]['id']}/rollback", base=now)
    now = shop.get("/text", path=path)["sha256"]
    assert now == first["publication"]["after"]
    shop.post("/remove", path=path, base=now, note="out of season")
    shop.at_rest(told["active"]["knowledge"])  # three changes, which at most two ingestions read
    assert "km/h" not in shop.reply(question)
    assert path not in {one["path"] for one in shop.get("/texts")["texts"]}


def test_templates_and_policy_are_served_a_moment_after(shop: Shop) -> None:
    before = shop.get("/status")["served"]
    for path, old, new in (
        ("templates/en.yml", "Of course. I am passing you", "Gladly. I am passing you"),
        ("policy.yml", "clarify_options: 3", "clarify_options: 2"),
    ):
        opened = shop.get("/text", path=path)
        text = opened["text"].replace(old, new)
        assert text != opened["text"]
        made = shop.post("/publish", path=path, text=text, base=opened["sha256"])["publication"]
        assert (made["added"], made["removed"]) == (1, 1)
    told = shop.until(
        lambda s: all(s["served"][name] != before[name] for name in ("templates", "policy"))
    )
    assert shop.service.assistant.components.policy.content.clarify_options == 2
    rules = shop.get("/publications", path="policy.yml")["publications"][0]
    now = shop.get("/text", path="policy.yml")["sha256"]
    shop.post(f"/publications/{rules['id']}/rollback", 403, SUPERVISOR, base=now)
    shop.post(f"/publications/{rules['id']}/rollback", 409, base="0" * 64)
    for one in shop.get("/publications")["publications"][:2]:
        base = shop.get("/text", path=one["path"])["sha256"]
        shop.post(f"/publications/{one['id']}/rollback", base=base, note="as it was")
    assert shop.until(lambda s: s["served"] == before) != told


def test_what_is_wrong_is_not_published(shop: Shop) -> None:
    for path, text, line in (
        ("policy.yml", "version: 1\nroutes:\n  human: dance\n", 3),
        ("templates/en.yml", "human: 'Hello {name'\n", 1),
        ("kb/en/a.md", "---\nvalid_from: soon\n---\nHello\n", 2),
    ):
        base = shop.get("/text", path=path)["sha256"]
        answer = shop.post("/publish", 422, path=path, text=text, base=base)
        assert answer["error"]["code"] == "unfit"
        assert answer["error"]["message"].startswith(f"line {line}: ")
        assert answer["problems"][0]["line"] == line
        assert shop.get("/text", path=path)["sha256"] == base


@pytest.mark.parametrize("path", ["../x.md", "kb/../../x.md", "kb/.x.md", "careline.toml", "kb"])
def test_a_path_leads_nowhere_else(shop: Shop, path: str) -> None:
    assert shop.call("GET", "/text", params={"path": path}).status_code == 404
    assert shop.post("/publish", 404, path=path, text="x")["error"]["code"] == "not_found"
    assert shop.post("/check", 404, path=path, text="x")
    assert shop.post("/remove", 404, path=path)


def test_bodies_that_are_too_large_are_refused(shop: Shop) -> None:
    answer = shop.call("POST", "/publish", json={"path": "kb/a.md", "text": "x" * 300_001})
    assert answer.status_code == 422
    answer = shop.call("POST", "/publish", json={"path": "kb/a.md", "text": "x" * 3_000_000})
    assert answer.status_code == 413
    headers = {"Authorization": f"Bearer {shop.session(ADMIN)}"}
    pieces = (b"x" * 2**20 for _ in range(65))  # without a length, which would be told before
    answer = shop.client.post(
        f"{HERE}/files?to=articles&name=a.md", headers=headers, content=pieces
    )
    assert answer.status_code == 413


def test_a_draft_of_a_gap_is_opened_finished_and_published(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.session(SUPERVISOR)}"}
    body = {"title": "Kites for rain", "questions": ["do you sell kites for rain"]}
    made = shop.client.post("/api/insights/drafts", headers=headers, json=body).json()
    draft = f"drafts/{made['path']}"
    assert {"path": draft, "kind": "draft", "may_publish": True} in shop.get("/texts")["texts"]
    opened = shop.get("/text", path=draft)
    target = f"kb/en/{made['path']}"
    refused = shop.post("/publish", 422, path=target, text=opened["text"], draft=draft)
    assert "write the article" in refused["error"]["message"]
    saved = opened["text"].replace("---\n# ", "---\n\n# ")
    shop.post("/publish", path=draft, text=saved, base=opened["sha256"])  # unfinished, but kept
    text = "---\ntitle: Kites for rain\nlanguage: en\n---\nOur kites are made for dry days.\n"
    shop.post("/publish", path=target, text=text, draft=draft)
    assert draft not in {one["path"] for one in shop.get("/texts")["texts"]}
    assert "dry days" in (shop.home.path / target).read_text(encoding="utf-8")
    shop.post("/remove", path=target, base=shop.get("/text", path=target)["sha256"])
    shop.at_rest()


def test_versions_are_listed_activated_and_rolled_back(shop: Shop) -> None:
    rows = shop.get("/versions", kind="knowledge")["versions"]
    active = next(one for one in rows if one["active"])
    first = rows[0]["id"]
    assert active["parent"]
    shown = shop.get(f"/versions/{active['id']}")
    assert shown["details"]["places"] == ["kb"]
    assert shown["changes"].keys() == {"added", "changed", "removed"}
    told = shop.call("POST", f"/versions/{first}/activate").json()
    assert told["active"]
    shop.until(lambda s: s["served"]["knowledge"] == first)
    refused = shop.call("POST", "/versions/knowledge/rollback")
    assert (refused.status_code, "no earlier version" in refused.text) == (400, True)
    shop.call("POST", f"/versions/{active['id']}/activate")
    back = shop.call("POST", "/versions/knowledge/rollback").json()
    assert back["id"] == active["parent"]
    shop.until(lambda s: s["served"]["knowledge"] == active["parent"])
    assert shop.call("POST", "/versions/policy/rollback").status_code == 400
    for wrong in ("k-nothing", "m-..", "p-1", "nothing"):
        assert shop.call("POST", f"/versions/{wrong}/activate").status_code in {400, 404}
        assert shop.call("GET", f"/versions/{wrong}").status_code in {400, 404}


def test_a_model_shows_its_card_and_its_curve(shop: Shop) -> None:
    (model,) = shop.get("/versions", kind="models")["versions"]
    shown = shop.get(f"/versions/{model['id']}")
    assert shown["curve"] == {}  # a head is solved, not trained step by step
    assert shown["card"].startswith("# Model card")
    assert shown["details"]["method"] == "head"
    rows = [f'{{"step": {n}, "loss": {n / 1000}}}\n' for n in range(1000)]
    rows.append('{"step": 999, "validation_accuracy": 0.5}\n')
    history = shop.home.models.folder(model["id"]) / "history.jsonl"
    history.write_text("".join(rows), encoding="utf-8")
    curve = shop.get(f"/versions/{model['id']}")["curve"]
    assert curve["validation_accuracy"] == [[999, 0.5]]
    assert 200 < len(curve["loss"]) <= 300
    assert curve["loss"][0][1] == pytest.approx(0.0015)
    history.unlink()


def test_what_is_sent_is_read_before_it_is_kept(shop: Shop) -> None:
    kept = shop.send("articles", "kites.md", KITES.format(wind=9).encode())
    assert kept.status_code == 201
    assert kept.json() == {"path": "kb/kites.md", "documents": 1, "failed": []}
    again = shop.send("articles", "kites.md", KITES.format(wind=9).encode())
    assert again.status_code == 201
    other = shop.send("articles", "kites.md", b"something else")
    assert (other.status_code, "rename the file" in other.text) == (422, True)
    dialogs = shop.send("dialogs", "more.csv.gz", gzip.compress(b"text,intent\nhi,greeting\n"))
    assert dialogs.json()["examples"] == 1
    for to, name, content, words in (
        ("dialogs", "bad.csv", b"a,b\n1,2\n", "text and intent"),
        ("dialogs", "bad.jsonl", b"{\n", "bad.jsonl"),
        ("dialogs", "bad.gz", b"x", "holds no dialogs"),
        ("dialogs", "bad.csv.gz", b"x", "unpacked"),
        ("articles", "bad.pdf", b"%PDF-", "bad.pdf cannot be read"),
        ("articles", "bad.exe", b"x", "not read"),
        ("articles", "../../x.md", b"x", "no name"),
        ("articles", ".x.md", b"x", "no name"),
        ("articles", "empty.md", b"", "empty"),
    ):
        answer = shop.send(to, name, content)
        assert (answer.status_code, words in answer.text) == (422, True), answer.text
        assert "/tmp" not in answer.text
        assert answer.json()["error"]["reason"]
    for path in ("kb/kites.md", "dialogs/more.csv.gz"):
        assert path in {f["path"] for fs in shop.get("/files").values() for f in fs}
        shop.post("/files/remove", 200, path=path)
        assert not (shop.home.path / path).exists()
    assert shop.post("/files/remove", 404, path="policy.yml")
    assert shop.post("/files/remove", 404, path="kb/../policy.yml")


@pytest.fixture
def empty(tmp_path: Path, tiny_encoder: Path) -> Iterator[Shop]:
    """Serve a home that was just made."""
    folder = tmp_path / "home"
    init(folder)
    cache = tiny_encoder.parent / "cache"
    settings = f'base = "{tiny_encoder}"\nenglish_base = ""\ncache = "{cache}"\n'
    (folder / "careline.toml").write_text(settings, encoding="utf-8")
    yield from served(Home(Settings.load(folder, screens=False)))


def test_an_empty_home_answers_once_its_documents_are_read_in(empty: Shop) -> None:
    told = empty.get("/status")
    assert (told["first_run"], told["job"]) == (True, None)
    assert empty.get("/files") == {"articles": [], "dialogs": []}
    assert empty.reply("what does a kite cost")  # a person is offered
    job = empty.post("/jobs", 202, task="ingest")
    told = empty.until(lambda s: s["job"]["state"] != "running")
    assert told["job"]["id"] == job["id"]
    assert "nothing could be ingested" in told["job"]["error"]
    empty.send("articles", "kites.md", KITES.format(wind=9).encode())
    empty.post("/jobs", 202, task="ingest")
    occupied = empty.post("/jobs", 409, task="train")
    assert occupied["error"]["code"] == "occupied"
    told = empty.until(lambda s: s["served"]["knowledge"] is not None)
    assert not told["first_run"]
    assert "9 km/h" in empty.reply("From what wind on do your kites fly?")


@pytest.mark.slow
def test_dialogs_that_were_sent_are_checked_and_trained_on(empty: Shop) -> None:
    rows = [f"does a kite fly in wind {n},kites\nwhen are you open {n},hours" for n in range(12)]
    empty.send("dialogs", "said.csv", "\n".join(["text,intent", *rows]).encode())
    empty.post("/jobs", 202, task="check")
    told = empty.until(lambda s: s["job"]["state"] != "running")
    assert told["job"]["result"]["examples"] == 24
    assert "24 texts in 1 files" in told["job"]["result"]["report"]
    empty.post("/jobs", 202, task="train", method="head")
    told = empty.until(lambda s: s["served"]["model"] is not None)
    assert told["job"]["result"]["intents"] == 2
