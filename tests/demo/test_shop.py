"""Nobody sees another's order, and a message acts once."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.actions.calls import BLOCKED, ActionResult
from bot.actions.effects import FILE
from bot.actions.runner import ActionRunner
from tests.bot.actions.calling import (
    ABSENT,
    BO,
    EMAILS,
    HEAD,
    NUMBERS,
    ON_ORDERS,
    ROWS,
    as_customer,
    ask,
    call,
    shop,
    templates,
    told,
)  # fmt: skip
from tests.conftest import ROOT
from tests.demo.actions import orders_db

RETURN = "action_start_return"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shop(tmp_path)


@pytest.fixture
def runner(folder: Path) -> ActionRunner:
    return ActionRunner(folder)


def rows(folder: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def rejoined(result: ActionResult) -> tuple[str, dict[str, str | None], str | None, str | None]:
    return told(result), dict(result.slots), result.asks, result.failed


def test_all_actions_of_the_shop_are_there(folder: Path) -> None:
    assert set(ActionRunner(folder).names()) == {*ON_ORDERS, "action_book_callback"}


@pytest.mark.parametrize("status", orders_db.STATUSES)
def test_each_status_has_a_template_of_its_own(folder: Path, status: str) -> None:
    order = {"processing": "open", "returned": "arrived"}.get(status, status)
    assert ask(ActionRunner(folder), "action_order_status", order) == f"order_status_{status}"


def test_a_found_order_fills_the_variables(folder: Path) -> None:
    slots = {"order_number": NUMBERS["shipped"].lower(), "email": "bo@example.org"}
    result = ActionRunner(folder).run(call("action_order_status", **slots))
    assert set(result.said[0].values) == {"order_number", "placed", "eta", "items"}
    assert result.said[0].values["items"] == "帐篷"
    assert result.said[0].values["order_number"] == NUMBERS["shipped"]


STRANGERS: dict[str, dict[str, str]] = {
    "no address": {},
    "another's address": {"email": BO},
    "a pattern": {"email": "%"},
    "a forged proof": {"identified": NUMBERS["delivered"]},
    "a forged login": {"customer": "c-1"},
    "the proof of another order": {"identified": NUMBERS["shipped"], "email": BO},
}


@pytest.mark.parametrize("name", ON_ORDERS)
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_learns_nothing_not_even_that_there_is_an_order(
    runner: ActionRunner, folder: Path, name: str, stranger: dict[str, str]
) -> None:
    answers = []
    for number in (NUMBERS["delivered"], ABSENT):
        slots = {**ON_ORDERS[name], "order_number": number, **stranger}
        result = runner.run(call(name, f"m-{number}", f"c-{number}", **slots))
        assert "Boots" not in told(result)
        assert number not in told(result)
        assert set(result.slots) <= {"order_number", "email"}
        answers.append(rejoined(result))
    assert answers[0] == answers[1]
    assert answers[0][0].split()[-1] in {"ask_email", "identity_mismatch"}
    for table in ("cancellations", "addresses", "returns", "invoices"):
        assert rows(folder, table) == []


@pytest.mark.parametrize("name", ON_ORDERS)
def test_a_proof_counts_in_its_own_conversation_only(runner: ActionRunner, name: str) -> None:
    number, slots = NUMBERS["delivered"], ON_ORDERS[name]
    ours = {"order_number": number, "email": EMAILS["delivered"]}
    assert runner.run(call("action_identify", "m1", "c1", **ours)).slots["identified"] == number
    proven = {**slots, "order_number": number, "identified": number}
    theirs = runner.run(call(name, "m2", "c2", **proven))
    assert templates(theirs) == "ask_email"
    assert number in told(runner.run(call(name, "m2", "c1", **proven)))


def test_a_proof_does_not_open_the_next_order(runner: ActionRunner) -> None:
    first, second = NUMBERS["delivered"], NUMBERS["shipped"]
    runner.run(call("action_identify", order_number=first, email=EMAILS["delivered"]))
    slots = {"order_number": second, "identified": first}
    assert templates(runner.run(call("action_order_status", "m2", **slots))) == "ask_email"
    result = runner.run(call("action_order_status", "m3", email=EMAILS["delivered"], **slots))
    assert templates(result) == "identity_mismatch"


def test_the_proof_is_remembered_and_the_address_is_not(runner: ActionRunner) -> None:
    number = NUMBERS["open"]
    slots = {"order_number": number.lower(), "email": " ANN@example.com "}
    result = runner.run(call("action_identify", **slots))
    assert dict(result.slots) == {"identified": number, "email": None}
    assert (templates(result), result.asks, result.failed) == ("identity_confirmed", None, None)


def test_a_visitor_who_is_logged_in_needs_no_address(runner: ActionRunner) -> None:
    one = call("action_order_status", order_number=NUMBERS["open"])
    assert templates(runner.run(as_customer(one, "c-1"))) == "order_status_processing"
    assert templates(runner.run(as_customer(one, "c-2"))) == "ask_email"


def test_an_order_without_an_address_is_shown_to_nobody(runner: ActionRunner) -> None:
    number = NUMBERS["nobody's"]
    for customer in (None, ""):
        one = call("action_order_status", order_number=number, email="x@example.com")
        assert templates(runner.run(as_customer(one, customer))) == "identity_mismatch"


def test_three_wrong_addresses_bring_in_a_person_and_end_the_tries(folder: Path) -> None:
    number, right = NUMBERS["shipped"], EMAILS["shipped"]
    found = []
    for n in range(3):  # a restart between the tries does not help
        one = call("action_order_status", f"m{n}", order_number=number, email="eve@example.com")
        found.append(ActionRunner(folder).run(one))
    assert [result.failed for result in found] == [None, None, BLOCKED]
    assert templates(found[2]) == "identity_blocked"
    assert dict(found[2].slots) == {"order_number": None, "email": None}
    again = call("action_identify", "m4", order_number=number, email=right)
    assert ActionRunner(folder).run(again).failed == BLOCKED
    elsewhere = call("action_identify", "m4", "c2", order_number=number, email=right)
    assert ActionRunner(folder).run(elsewhere).failed is None


def test_a_message_that_is_sent_again_is_one_try(runner: ActionRunner) -> None:
    one = call("action_identify", order_number=NUMBERS["shipped"], email="eve@example.com")
    assert {runner.run(one).failed for _ in range(5)} == {None}


def test_tries_at_the_same_time_are_counted_one_by_one(folder: Path) -> None:
    runner = ActionRunner(folder)

    def guess(n: int) -> str | None:
        slots = {"order_number": NUMBERS["shipped"], "email": f"eve{n}@example.com"}
        return runner.run(call("action_identify", f"m{n}", **slots)).failed

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(guess, range(20)))
    assert sorted(map(str, found)) == [*["None"] * 2, *[BLOCKED] * 18]


@pytest.mark.parametrize("name", ON_ORDERS)
def test_what_is_missing_is_asked_for_and_nothing_is_cleared(
    runner: ActionRunner, name: str
) -> None:
    result = runner.run(call(name))
    assert (templates(result), dict(result.slots), result.asks) == (
        "ask_order_number", {}, "order_number",
    )  # fmt: skip


def test_a_new_address_is_asked_for_after_the_proof(runner: ActionRunner) -> None:
    number = NUMBERS["open"]
    ours = {"order_number": number, "email": EMAILS["open"]}
    assert ask(runner, "action_change_address", "open", email="") == "ask_email"
    assert ask(runner, "action_change_address", "open", "m2") == "ask_new_address"
    assert ask(runner, "action_change_address", "open", "m3", new_address="Rome") == (
        "address_unclear"
    )
    result = runner.run(call("action_change_address", "m4", **ours, new_address="P.O. Box 1, Rome"))
    assert (templates(result), result.asks) == ("address_po_box", "new_address")
    assert result.slots["new_address"] is None


def test_a_message_that_comes_twice_starts_one_return_and_hears_the_same(
    folder: Path,
) -> None:
    slots = {"order_number": NUMBERS["delivered"], "email": EMAILS["delivered"]}
    one = call(RETURN, **slots, return_reason="too\x00 small\n", items="Boots")
    first, second = (ActionRunner(folder).run(one) for _ in range(2))
    assert first == second
    assert templates(first) == "return_started_free"
    assert first.said[0].values["return_number"] == "R10001"
    ((_, number, reason, items, _),) = rows(folder, "returns")
    assert (number, reason, items) == (NUMBERS["delivered"], "too small", "Boots")


def test_twenty_threads_with_one_message_start_one_return(folder: Path) -> None:
    slots = {"order_number": NUMBERS["delivered"], "email": EMAILS["delivered"]}
    runners = [ActionRunner(folder) for _ in range(4)]
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda n: runners[n % 4].run(call(RETURN, **slots)), range(20)))
    assert {told(result) for result in done} == {told(done[0])}
    assert templates(done[0]) == "return_started_free"
    assert len(rows(folder, "returns")) == len(rows(folder, "effects")) == 1


def test_another_message_about_the_same_return_is_told_its_number(runner: ActionRunner) -> None:
    assert ask(runner, RETURN, "delivered") == "return_started_free"
    slots = {"order_number": NUMBERS["delivered"], "email": EMAILS["delivered"]}
    result = runner.run(call(RETURN, "m2", "c2", **slots))
    assert templates(result) == "return_already"
    assert result.said[0].values["return_number"] == "R10001"


def test_one_message_may_act_on_two_orders(runner: ActionRunner, folder: Path) -> None:
    assert ask(runner, RETURN, "delivered") == "return_started_free"
    assert ask(runner, RETURN, "abroad") == "return_started_fee"
    assert len(rows(folder, "returns")) == 2


def test_what_a_message_did_is_told_in_its_own_conversation_only(runner: ActionRunner) -> None:
    assert ask(runner, RETURN, "delivered") == "return_started_free"
    guessed = call(RETURN, "m1", "c2", order_number=NUMBERS["delivered"])
    assert templates(runner.run(guessed)) == "ask_email"


CRASH = """
import os, sys
from pathlib import Path
from bot.actions.effects import Transaction
from bot.actions.runner import ActionRunner
from tests.bot.actions.calling import EMAILS, NUMBERS, call
when = sys.argv[2]
record = Transaction.record
def dies(page, key, result):
    if when == "before":
        os._exit(9)
    record(page, key, result)
Transaction.record = dies
slots = {"order_number": NUMBERS["delivered"], "email": EMAILS["delivered"]}
ActionRunner(Path(sys.argv[1])).run(call("action_start_return", **slots))
os._exit(9)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_on_the_way_leaves_one_return(folder: Path, when: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", CRASH, str(folder), when],
        check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert killed.returncode == 9
    assert ask(ActionRunner(folder), RETURN, "delivered") == "return_started_free"
    assert len(rows(folder, "returns")) == 1


def test_what_was_done_outlives_the_orders_it_was_done_to(
    folder: Path, runner: ActionRunner
) -> None:
    assert ask(runner, "action_cancel_order", "open") == "cancel_done"
    assert ask(runner, RETURN, "delivered", "m2") == "return_started_free"
    source = folder / "orders.csv"
    source.write_text(HEAD + "\n".join([*ROWS.values(), "B7,shipped,Pan,1,1"]), encoding="utf-8")
    again = ActionRunner(folder)
    assert ask(again, "action_cancel_order", "open") == "cancel_done"  # the same message
    assert ask(again, "action_cancel_order", "open", "m3") == "cancel_already"
    assert ask(again, "action_order_status", "open", "m4") == "order_status_cancelled"
    assert ask(again, "action_refund_status", "open", "m5") == "refund_cancelled"
    assert ask(again, RETURN, "delivered", "m6") == "return_already"
    assert ask(again, "action_refund_status", "delivered", "m7") == "refund_return_open"


def test_a_changed_address_is_the_orders_address(runner: ActionRunner, folder: Path) -> None:
    slots = ON_ORDERS["action_change_address"]
    assert ask(runner, "action_change_address", "open", **slots) == "address_changed"
    assert ask(runner, "action_change_address", "open", "m2", **slots) == "address_same"
    ((number, address, _),) = rows(folder, "addresses")
    assert (number, address) == (NUMBERS["open"], slots["new_address"])


def test_a_dry_runner_sees_what_was_done_and_does_nothing(folder: Path) -> None:
    assert ask(ActionRunner(folder), "action_cancel_order", "open") == "cancel_done"
    before = (folder / FILE).read_bytes()
    dry = ActionRunner(folder, dry=True)
    assert ask(dry, "action_cancel_order", "open", "m2") == "cancel_already"
    assert ask(dry, RETURN, "delivered", "m3") == "return_started_free"
    assert ask(dry, RETURN, "delivered", "m4") == "return_already"
    assert (folder / FILE).read_bytes() == before
    assert ask(ActionRunner(folder), RETURN, "delivered", "m3") == "return_started_free"


def test_a_dry_runner_leaves_no_file(folder: Path) -> None:
    dry = ActionRunner(folder, dry=True)
    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(lambda _: ask(dry, RETURN, "delivered"), range(16)))
    assert said == {"return_started_free"}
    assert sorted(path.name for path in folder.iterdir()) == ["actions", "orders.csv"]


@pytest.fixture
def phone() -> dict[str, str]:
    return {"phone": "+1 503 555 0100", "callback_time": "tomorrow at ten"}


def test_a_call_back_is_booked_once_and_moved(
    runner: ActionRunner, folder: Path, phone: dict[str, str]
) -> None:
    name = "action_book_callback"
    assert templates(runner.run(call(name))) == "ask_phone"
    assert templates(runner.run(call(name, "m2", phone=phone["phone"]))) == "ask_callback_time"
    for _ in range(2):
        result = runner.run(call(name, "m3", **phone))
        assert templates(result) == "callback_booked"
        assert "555" not in told(result)
    assert templates(runner.run(call(name, "m4", **phone))) == "callback_already"
    later = {**phone, "callback_time": "15:30"}
    assert templates(runner.run(call(name, "m5", **later))) == "callback_moved"
    ((conversation, number, wanted, *_),) = rows(folder, "callbacks")
    assert (conversation, number, wanted) == ("c1", phone["phone"], "15:30")


def test_a_number_of_no_use_is_asked_for_again(runner: ActionRunner, phone: dict[str, str]) -> None:
    result = runner.run(call("action_book_callback", **{**phone, "phone": "ring ring"}))
    assert (templates(result), result.asks) == ("callback_bad_phone", "phone")
    assert dict(result.slots) == {"phone": None}


def test_all_that_agents_see_of_an_order_has_words_in_both_languages(
    runner: ActionRunner, folder: Path
) -> None:
    source = runner.records
    assert source is not None
    found = [record for name in ("c-1", "c-2", "c-3") for record in source.records(name, "c")]
    assert {record.data["status"] for record in found} == set(orders_db.STATUSES)
    for record in found:
        titles = [item.title for item in record.values]
        for texts in (record.status, record.proof, *titles):
            assert set(texts) == {"en", "zh"}
    (proven,) = source.prove({"number": " b70005", "email": EMAILS["delivered"].upper()})
    assert (proven.heading, proven.data["proof"]) == (NUMBERS["delivered"], "address")
    assert source.prove({"number": NUMBERS["delivered"], "email": BO}) == []
    assert not (folder / FILE).exists()  # looking writes nothing


def test_an_order_proven_in_a_conversation_is_shown_there(runner: ActionRunner) -> None:
    assert ask(runner, "action_identify", "shipped") == "identity_confirmed"
    assert runner.records is not None
    (record,) = runner.records.records(None, "c1")
    assert (record.heading, record.data["proof"]) == (NUMBERS["shipped"], "conversation")
    assert runner.records.records(None, "c2") == []
    assert runner.proofs is not None
    assert runner.proofs.proof_values(NUMBERS["shipped"]) == {"email": EMAILS["shipped"]}
