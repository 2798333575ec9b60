"""The actions of a home: which ones, on what, and when they may act."""

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.actions import ActionContext
from bot.actions.effects import FILE
from bot.actions.grpc_remote import GrpcRemoteActions
from bot.actions.http_remote import DisabledRemoteActions, HttpRemoteActions
from bot.actions.runner import ActionRunner
from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from tests.bot.actions.calling import HEAD, ROWS, ask, shop
from tests.conftest import DEMO, ROOT
from tests.demo.actions import orders_db


def home(folder: Path, **settings: str) -> Home:
    return Home(Settings.load(folder, **settings))


def test_a_home_without_the_folder_has_no_actions(tmp_path: Path) -> None:
    assert home(tmp_path).actions() is None


def test_a_homes_actions_act_and_dry_ones_do_not(tmp_path: Path) -> None:
    shop(tmp_path)
    place = home(tmp_path)
    dry, real = place.actions(dry=True), place.actions()
    assert isinstance(dry, ActionRunner)
    assert isinstance(real, ActionRunner)
    assert ask(dry, "action_cancel_order", "open") == "cancel_done"
    assert not (tmp_path / FILE).exists()
    assert ask(real, "action_order_status", "open") == "order_status_processing"
    assert (tmp_path / FILE).exists()


def test_a_server_in_the_settings_is_asked_but_not_in_a_replay(tmp_path: Path) -> None:
    place = home(tmp_path, actions_url="http://127.0.0.1:5055", actions_token="x")
    assert isinstance(place.actions(), HttpRemoteActions)
    streams = home(tmp_path, actions_url="grpcs://actions.example:5055")
    assert isinstance(streams.actions(), GrpcRemoteActions)
    assert isinstance(place.actions(dry=True), DisabledRemoteActions)
    assert "x" not in repr(place.settings.actions_token)


@pytest.mark.parametrize("wrong", ["", "actions.example:5055", "ftp://x", "http://"])
def test_an_address_of_no_use_is_a_wrong_setting(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(CarelineError, match="actions_url"):
        home(tmp_path, actions_url=wrong)


@pytest.mark.parametrize("wrong", ["0", "121", "soon"])
def test_the_time_a_call_may_take_has_limits(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(CarelineError, match="actions_seconds"):
        home(tmp_path, actions_seconds=wrong)


def test_what_was_done_outlives_the_night_and_an_edited_list(tmp_path: Path) -> None:
    source, database = shop(tmp_path) / "orders.csv", tmp_path / "orders.db"
    first = home(tmp_path).actions()
    assert isinstance(first, ActionRunner)
    assert ask(first, "action_cancel_order", "open") == "cancel_done"
    yesterday = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    os.utime(database, (yesterday, yesterday))
    os.utime(source, (yesterday - 9, yesterday - 9))
    assert not orders_db.is_current(database, source)
    place = home(tmp_path)
    again = place.actions()
    assert isinstance(again, ActionRunner)
    assert orders_db.is_current(database, source)
    assert ask(again, "action_cancel_order", "open", "m2") == "cancel_already"
    source.write_text(HEAD + ROWS["open"].replace("Tent", "Tarp") + "\n", encoding="utf-8")
    os.utime(source, (time.time() + 5, time.time() + 5))
    edited = home(tmp_path).actions()
    assert isinstance(edited, ActionRunner)
    assert ask(edited, "action_cancel_order", "open", "m3") == "cancel_already"


def test_a_database_of_an_older_layout_is_made_again(tmp_path: Path) -> None:
    database = shop(tmp_path) / "orders.db"
    assert home(tmp_path).actions()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE orders")
        connection.execute("CREATE TABLE orders (number TEXT PRIMARY KEY, status TEXT)")
        connection.execute("PRAGMA user_version = 0")
    again = home(tmp_path).actions()
    assert isinstance(again, ActionRunner)
    assert ask(again, "action_order_status", "open") == "order_status_processing"


def test_the_demo_has_orders_of_every_kind_and_invented_customers(tmp_path: Path) -> None:
    database = tmp_path / "orders.db"
    assert orders_db.build(DEMO / "orders.csv", database) >= 40
    numbers = re.findall(r"^(A\d{5}),", (DEMO / "orders.csv").read_text("utf-8"), re.MULTILINE)
    context = ActionContext.of_home(database.parent)
    stored = orders_db.Orders(context)
    found = [order for number in numbers if (order := stored.find(number))]
    assert {order.status for order in found} == set(orders_db.STATUSES)
    assert {order.paid_by for order in found} == set(orders_db.PAID_BY)
    assert {order.refund for order in found} == set(orders_db.REFUNDS)
    assert {order.packed for order in found if order.status == "processing"} == {True, False}
    assert all(order.email.endswith(("@example.com", "@example.org")) for order in found)
    assert all(order.customer and order.name and order.address for order in found)
    emails = {order.email: order.customer for order in found}
    assert len(set(emails.values())) == len(emails)


@pytest.mark.parametrize("column", ["paid_by", "refund", "delivered_days_ago"])
def test_a_wrong_value_in_a_further_column_is_named(tmp_path: Path, column: str) -> None:
    source = tmp_path / "orders.csv"
    head = f"number,status,items,placed_days_ago,eta_in_days,{column}\n"
    source.write_text(f"{head}B1,delivered,Tent,4,2,shells\n", encoding="utf-8")
    with pytest.raises(CarelineError, match=r"orders\.csv row 2 is not an order"):
        orders_db.build(source, tmp_path / "orders.db")


@pytest.mark.parametrize("module", ["bot.actions.calls", "bot.assistant.protocols", "bot.cli"])
def test_the_sdk_is_loaded_only_where_actions_run(module: str) -> None:
    heavy = ("rasa_sdk", "sanic", "grpc")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
