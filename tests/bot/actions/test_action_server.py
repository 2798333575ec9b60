"""`careline actions`: a real Rasa action server over the same actions."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from bot.actions import action_server, rasa_protocol
from bot.actions.calls import BLOCKED, UNKNOWN_ACTION
from bot.actions.effects import FILE
from bot.actions.http_remote import HttpRemoteActions
from bot.actions.runner import ActionRunner
from bot.core.types import CarelineError
from tests.bot.actions.calling import EMAILS, NUMBERS, ON_ORDERS, call, shop, templates, told
from tests.running import free_port

TOKEN = "only-for-this-test"
RETURN = "action_start_return"


@contextmanager
def running(home: Path, **environment: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bot.cli", "actions"),
            *("--home", str(home), "--port", str(port)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(6000):
            try:
                httpx.get(f"{url}/health", timeout=30)
                break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.05)
        yield url, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("actions") / "home"
    folder.mkdir()
    shop(folder)
    return folder


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with running(home, CARELINE_ACTIONS_TOKEN=TOKEN) as (address, _):
        yield address


@pytest.fixture
def remote(url: str) -> HttpRemoteActions:
    return HttpRemoteActions(url, token=TOKEN)


def test_health_and_the_list_of_actions(url: str) -> None:
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    found = httpx.get(f"{url}/actions", params={"token": TOKEN}).json()
    assert {action["name"] for action in found} == {*ON_ORDERS, "action_book_callback"}


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer x"}, {"Authorization": "字"}])
def test_nobody_acts_without_the_token(url: str, given: dict[str, str]) -> None:
    headers = {key: value.encode() for key, value in given.items()}
    body = rasa_protocol.body(call(RETURN), with_domain=True)
    for token in ("", "?token=", "?token=x"):
        answer = httpx.post(f"{url}/webhook{token}", json=body, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401


def test_the_same_answer_comes_over_http_and_in_process(
    remote: HttpRemoteActions, tmp_path: Path
) -> None:
    inside = ActionRunner(shop(tmp_path))
    for number, (name, slots) in enumerate(ON_ORDERS.items()):
        for order in ("shipped", "abroad"):
            known = {**slots, "order_number": NUMBERS[order], "email": EMAILS[order]}
            one = call(name, f"s{number}{order}", f"s{number}{order}", **known)
            assert remote.run(one) == inside.run(one)


def test_a_real_endpoint_says_what_the_sdk_says(url: str) -> None:
    known = {"order_number": NUMBERS["open"], "email": EMAILS["open"]}
    body = rasa_protocol.body(call("action_order_status", **known), with_domain=True)
    answer = httpx.post(f"{url}/webhook?token={TOKEN}", json=body)
    assert answer.status_code == 200
    (response,) = answer.json()["responses"]
    assert response["response"] == "order_status_processing"
    assert response["order_number"] == NUMBERS["open"]
    slots = {event["name"]: event["value"] for event in answer.json()["events"]}
    assert slots == {"identified": NUMBERS["open"], "email": None}


def test_a_message_sent_twenty_times_at_once_starts_one_return(remote: HttpRemoteActions) -> None:
    known = {"order_number": NUMBERS["delivered"], "email": EMAILS["delivered"]}
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: remote.run(call(RETURN, "r1", "r1", **known)), range(20)))
    assert {told(result) for result in found} == {told(found[0])}
    assert templates(found[0]) == "return_started_free"
    assert templates(remote.run(call(RETURN, "r2", "r2", **known))) == "return_already"


def test_a_block_and_an_unknown_action_come_through(remote: HttpRemoteActions) -> None:
    wrong = {"order_number": NUMBERS["open"], "email": "eve@example.com"}
    found = [remote.run(call("action_identify", f"b{n}", "b", **wrong)) for n in range(3)]
    assert [result.failed for result in found] == [None, None, BLOCKED]
    assert dict(found[2].slots) == {"order_number": None, "email": None}
    assert templates(found[2]) == "identity_blocked"
    assert remote.run(call("action_dance")).failed == UNKNOWN_ACTION


def test_the_server_stops_cleanly_when_it_is_told_to(tmp_path: Path) -> None:
    shop(tmp_path)
    with running(tmp_path) as (_, process):
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        assert "Traceback" not in output
        assert "action_cancel_order" in output


def test_a_server_for_others_wants_a_token(tmp_path: Path) -> None:
    runner = ActionRunner(shop(tmp_path))
    for host in ("0.0.0.0", "::", "shop.example"):
        with pytest.raises(CarelineError, match="CARELINE_ACTIONS_TOKEN"):
            action_server.serve(runner, host, 5055, None)


def test_a_taken_port_and_a_home_without_actions_are_named(tmp_path: Path) -> None:
    taken = action_server.listener("127.0.0.1", 0)
    with taken, pytest.raises(CarelineError, match="cannot listen on 127"):
        action_server.listener("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(CarelineError, match="put them into"):
        action_server.runner_of(tmp_path)


def test_a_call_in_work_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    shop(tmp_path)
    known = {"order_number": NUMBERS["open"], "email": EMAILS["open"]}
    with (
        running(tmp_path) as (url, process),
        ThreadPoolExecutor(1) as pool,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")  # the action has to wait
        waits = pool.submit(HttpRemoteActions(url).run, call("action_cancel_order", **known))
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        other.execute("ROLLBACK")
        assert templates(waits.result()) == "cancel_done"
        assert process.wait(20) == 0
