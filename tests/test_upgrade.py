"""A home that version 0.1.0 made is opened, verified and continued.

What 0.1.0 stored and what it gave to customers and other systems stays good: its model, index,
database, sealed values, sessions, signatures and passwords.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.core.signatures import conversation_id, signature
from tests.fixtures import OldHome, unpack
from tests.fixtures.make_home_0_1_0 import ANYBODY, IDENTITY_SECRET, PNG
from tests.running import Server, free_port
from tests.shell import careline, json_of

ADDRESS = "9 Juniper Lane, Bend, OR 97701, United States"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> OldHome:
    """Return a copy whose log the tests only read."""
    return unpack(tmp_path_factory.mktemp("old"))


@pytest.fixture
def copy(tmp_path: Path) -> OldHome:
    """Return a copy that a test may change."""
    return unpack(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, OldHome]]:
    """Serve a copy where a conversation's id alone opens nothing."""
    home = unpack(
        tmp_path_factory.mktemp("served"),
        identity_secret=IDENTITY_SECRET,
        visitor_tokens="required",
    )
    server = Server(home.path, free_port(), {"CARELINE_SCREENS": "false"})
    server.start()
    with httpx.Client(base_url=server.url, timeout=300) as api:
        yield api, home
    server.stop()


def run(home: OldHome, *words: str) -> Any:
    """Return the JSON that a command prints about a home."""
    return json_of(*words, "--home", str(home.path))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def say(
    served: tuple[httpx.Client, OldHome], conversation: str, text: str, token: str
) -> dict[str, Any]:
    api, home = served
    body = {"text": text, "conversation_id": conversation}
    answer = api.post("/api/messages", json=body, headers=bearer(home.promises[token]))
    turn: dict[str, Any] = answer.raise_for_status().json()
    return turn


def messages(
    served: tuple[httpx.Client, OldHome], conversation: str, token: str
) -> list[dict[str, Any]]:
    api, home = served
    path = f"/api/conversations/{conversation}/messages"
    page = api.get(path, headers=bearer(home.promises[token])).raise_for_status().json()
    lines: list[dict[str, Any]] = page["messages"]
    return lines


def test_doctor_finds_nothing_wrong_once_the_log_is_migrated(copy: OldHome) -> None:
    assert run(copy, "migrate")["revision"]
    found = run(copy, "doctor")
    assert found["ok"], found
    checks = {check["name"]: check["message"] for check in found["checks"]}
    assert "64 dimensions" in checks["base encoder"]
    assert "30 intents" in checks["model"]
    assert "132 articles" in checks["knowledge"]


def test_every_reply_of_the_log_comes_out_the_same(old: OldHome) -> None:
    done = run(old, "verify", "--last", "1000")
    assert done == old.promises["verified"]
    assert (done["n"], done["equal"]) == (51, 51)


def test_a_reply_is_verified_by_its_own_id(old: OldHome) -> None:
    turn = old.promises["turns"]["cancel-en"][-1]
    done = run(old, "verify", turn["reply_id"])
    assert (done["message_id"], done["equal"]) == (turn["message_id"], True)
    assert (done["unaltered"], done["not_repeated"]) == (True, "action")


def test_no_row_of_the_log_counts_as_altered(old: OldHome) -> None:
    chain = run(old, "verify", "--chain")
    assert chain == old.promises["chain"]
    assert (chain["whole"], chain["entries"], chain["forgotten"]) == (True, 52, 1)


def test_the_versions_keep_their_names(old: OldHome) -> None:
    assert run(old, "versions", "list") == old.promises["versions"]


def test_the_users_and_their_roles_are_kept(old: OldHome) -> None:
    users = {user["user"]: user for user in run(old, "users", "list")}
    assert users["ann"] == {"user": "ann", "name": "Ann", "role": "admin"}
    assert users["bo"] == {"user": "bo", "name": "Bo", "role": "agent"}


def test_ask_continues_a_conversation_in_its_context(copy: OldHome) -> None:
    turn = run(copy, "ask", "A40195", "--conversation", "button", "--json")
    assert (turn["conversation_id"], turn["route"], turn["intent"]) == (
        *("button", "act"),
        "order_status",
    )
    turn = run(copy, "ask", "marta.lindqvist@example.com", "--conversation", "button")
    assert turn["reason"] == "slot_filled"
    assert "A40195" in turn["reply"]["text"]
    named = {version["id"] for version in copy.promises["versions"] if version["active"]}
    served_by = turn["versions"]
    assert {served_by[kind] for kind in ("model", "knowledge", "templates", "policy")} <= named
    chain = run(copy, "verify", "--chain")
    assert (chain["whole"], chain["entries"]) == (True, copy.promises["chain"]["entries"] + 2)
    assert run(copy, "verify", turn["message_id"])["equal"]


def test_what_was_acted_on_is_not_done_twice(copy: OldHome) -> None:
    run(copy, "ask", "Please cancel order A23318", "--conversation", "again")
    run(copy, "ask", "tomas.brezina@example.org", "--conversation", "again")
    turn = run(copy, "ask", "yes", "--conversation", "again")
    assert turn["reply"]["text"] != copy.promises["turns"]["cancel-en"][-1]["reply"]
    assert "A23318" in turn["reply"]["text"]
    assert "cancelled" in turn["reply"]["text"]


def test_corrections_are_written_as_transcripts(old: OldHome, tmp_path: Path) -> None:
    out = tmp_path / "corrections.jsonl"
    counts = run(old, "corrections", str(out))
    assert (counts["conversations"], counts["intents"]) == (1, 1)
    (row,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    asked, replied = row["turns"]
    assert (row["id"], asked["intent"]) == ("corrected", "gift_card")
    assert (asked["text"], replied["text"]) == (ANYBODY["corrected"][0], "By card.")


def test_insights_count_what_happened(old: OldHome) -> None:
    found = run(old, "insights", "--first", "2026-01-01", "--last", "2027-12-31")
    figures = found["figures"]
    assert figures["conversations"] == len(ANYBODY) - 1 + 4 + 2  # one was forgotten
    assert (figures["csat"]["mean"], figures["csat"]["n"]) == (4.0, 1)


def test_a_conversation_becomes_a_test(old: OldHome) -> None:
    done = careline("test", "--from", "cancel-zh", "--home", str(old.path))
    assert done.returncode == 0, done.stderr
    assert "action_cancel_order" in done.stdout
    assert "A25902" in done.stdout


def test_the_knowledge_is_searched_and_rolled_back(copy: OldHome) -> None:
    hits = run(copy, "search", "how long is the warranty on tents")
    assert "warranty" in hits[0]["article"] or "tents" in hits[0]["article"]
    article = run(copy, "articles", hits[0]["article"])
    assert article["text"][hits[0]["start"] : hits[0]["end"]] == hits[0]["text"]
    first = next(v for v in copy.promises["versions"] if v["kind"] == "knowledge")
    assert run(copy, "versions", "rollback", "knowledge")["id"] == first["id"]


def test_the_knowledge_is_built_again_from_what_did_not_change(copy: OldHome) -> None:
    done = run(copy, "ingest")
    counts = (done["documents"], done["added"], done["changed"], done["removed"])
    assert counts == (132, 0, 0, 0)


def test_an_int8_engine_of_0_1_0_is_used_as_it_is(copy: OldHome) -> None:
    (engine,) = (copy.path.parent / "cache" / "engines").iterdir()
    before = {file.name: file.stat().st_mtime_ns for file in engine.iterdir()}
    run(copy, "versions", "rollback", "knowledge")  # to one that it built
    done = careline(
        *("search", "do gift cards expire?", "--home", str(copy.path), "--json"),
        environment={"CARELINE_ENGINE": "auto"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["article"].startswith("faq.csv")
    assert {file.name: file.stat().st_mtime_ns for file in engine.iterdir()} == before


def test_the_model_learns_more_examples(copy: OldHome, tmp_path: Path) -> None:
    rows = "".join(f"may I bring my dog into shop number {n},dogs\n" for n in range(12))
    added = tmp_path / "added.csv"
    added.write_text(f"text,intent\n{rows}", encoding="utf-8")
    done = run(copy, "train", "--from", "current", "--add", str(added))
    listed = run(copy, "versions", "list", "--kind", "models")
    assert [version["parent"] for version in listed] == [None, listed[0]["id"]]
    assert done["intents"] == 31


def test_a_session_opens_its_conversation_and_no_other_does(
    served: tuple[httpx.Client, OldHome],
) -> None:
    api, home = served
    lines = messages(served, "visit-confirm", "visitor")
    said = [line["text"] for line in lines if line["role"] == "bot"]
    kept = [turn["reply"] for turn in home.promises["turns"]["visit-confirm"]]
    assert said[: len(kept)] == kept  # more may follow: the customer was silent for long
    path = "/api/conversations/visit-confirm/messages"
    assert api.get(path).status_code in {401, 403}
    assert api.get(path, headers=bearer(home.promises["customer"])).status_code == 403


def test_a_form_goes_on_with_what_was_sealed(served: tuple[httpx.Client, OldHome]) -> None:
    asked = say(served, "visit-form", ADDRESS, "visitor")
    assert (asked["route"], asked["reason"]) == ("act", "confirm")
    assert "A20415" in asked["reply"]["text"]
    done = say(served, "visit-form", "yes", "visitor")
    assert (done["route"], done["reason"]) == ("act", "confirmed")
    assert "A20415" in done["reply"]["text"]


def test_a_yes_to_0_1_0_is_a_yes_now(served: tuple[httpx.Client, OldHome]) -> None:
    done = say(served, "visit-confirm", "yes", "visitor")
    assert (done["intent"], done["reason"]) == ("cancel_order", "confirmed")
    assert "A21860" in done["reply"]["text"]


def test_a_proven_customer_is_still_proven(served: tuple[httpx.Client, OldHome]) -> None:
    api, home = served
    turn = say(served, "visit-customer", "and where is my order A40195", "customer")
    assert turn["reason"] != "missing_slot"
    assert "A40195" in turn["reply"]["text"]
    made = api.post("/api/sessions", json={"identity": home.promises["identity"]})
    assert (made.status_code, made.json()["customer"]) == (201, "c-1001")


def test_a_file_is_opened_with_the_key_it_was_sealed_with(
    served: tuple[httpx.Client, OldHome],
) -> None:
    api, _ = served
    line = messages(served, "visit-file", "visitor")[0]
    (file,) = line["attachments"]
    assert api.get(file["url"]).content == PNG


def test_a_sender_of_rasas_channel_goes_on(served: tuple[httpx.Client, OldHome]) -> None:
    api, _ = served
    body = {"sender": "rasa-sender", "message": "callum.freyne@example.com"}
    (answer,) = api.post("/webhooks/rest/webhook", json=body).raise_for_status().json()
    assert answer["metadata"]["reason"] == "slot_filled"
    assert "A43355" in answer["text"]


def test_the_users_sign_in_with_their_passwords(served: tuple[httpx.Client, OldHome]) -> None:
    api, home = served
    login = {"user": "ann", "password": home.promises["password"]}
    with httpx.Client(base_url=api.base_url, timeout=300) as browser:
        assert browser.post("/api/session", json=login).raise_for_status().json()["user"] == "ann"
        assert browser.get("/api/session").json()["role"] == "admin"
        wrong = browser.post("/api/session", json={**login, "password": "another"})
        assert wrong.status_code == 401


def test_the_desk_has_what_agents_did(served: tuple[httpx.Client, OldHome]) -> None:
    api, home = served
    staff = bearer(home.promises["token"])
    waiting = api.get("/api/desk/queue", headers=staff).raise_for_status().json()
    ids = {one["conversation_id"] for one in waiting["conversations"]}
    assert {"person-en", "person-zh", "broken"} <= ids
    held = api.get("/api/desk/conversations/held", headers=staff).raise_for_status().json()
    assert [note["text"] for note in held["notes"]] == ["call back"]
    assert held["labels"] == ["vip"]
    said = [line["text"] for line in messages(served, "held", "token") if line["role"] == "agent"]
    assert said == ["Hello, this is Bo."]


def test_signatures_and_ids_for_other_systems_are_made_the_same_way(old: OldHome) -> None:
    body = b'{"event": "handoff"}'
    assert signature("webhook secret", "1700000000", body) == old.promises["webhook"]
    assert conversation_id("chatwoot secret", "chatwoot", "1/42") == old.promises["external"]
