import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.actions import ActionContext
from bot.core.types import CarelineError
from tests.demo.actions import orders_db

HEAD = "number,status,items,placed_days_ago,eta_in_days\n"


def build(folder: Path, rows: str, head: str = HEAD) -> Path:
    source, database = folder / "orders.csv", folder / "orders.db"
    source.write_text(head + rows, encoding="utf-8")
    orders_db.build(source, database)
    return database


def find(database: Path, number: str) -> Any:
    """Return an order as the actions of a home find it that has the database and no list."""
    folder = database.parent / "bare"
    folder.mkdir(exist_ok=True)
    shutil.copy(database, folder)
    return orders_db.Orders(ActionContext.of_home(folder)).find(number)


def test_an_order_is_found_with_dates_counted_from_today(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    database = build(tmp_path, 'B70001,shipped,"帐篷, pegs",4,2\nB70002,delivered,Stove,9,-3\n')
    order = find(database, "B70001")
    assert order is not None
    assert (order.number, order.status, order.items) == ("B70001", "shipped", "帐篷, pegs")
    assert order.eta - order.placed == timedelta(days=6)
    assert timedelta(days=0) <= order.placed + timedelta(days=4) - before <= timedelta(days=1)


def test_an_order_is_found_in_small_letters_too(tmp_path: Path) -> None:
    database = build(tmp_path, "B70001,shipped,Tent,4,2\n")
    assert find(database, "b70001") == find(database, "B70001") is not None


@pytest.mark.parametrize("number", ["B7", "", "%", "' OR 1=1 --"])
def test_an_unknown_number_finds_nothing(tmp_path: Path, number: str) -> None:
    assert find(build(tmp_path, "B70001,shipped,Tent,4,2\n"), number) is None


def test_building_tells_how_many_and_replaces_what_was_there(tmp_path: Path) -> None:
    database = build(tmp_path, "B70001,shipped,Tent,4,2\n")
    source = tmp_path / "orders.csv"
    source.write_text(HEAD + "B70002,shipped,Tent,4,2\nB70003,delayed,Mat,4,2\n", encoding="utf-8")
    assert orders_db.build(source, database) == 2
    assert find(database, "B70001") is None
    assert find(database, "B70003") is not None


@pytest.mark.parametrize(
    "rows",
    [
        "B1,shipped,Tent,4,2\nB2,lost,Tent,4,2\n",
        "B1,shipped,Tent,4,2\nB2,shipped,Tent,two,2\n",
        "B1,shipped,Tent,4,2\nB2,shipped\n",
        "B1,shipped,Tent,4,2\nB1,shipped,Tent,4,2\n",
    ],
    ids=["status", "date", "short row", "number twice"],
)
def test_a_wrong_row_is_named_and_the_old_orders_stay(tmp_path: Path, rows: str) -> None:
    database = build(tmp_path, "B70001,shipped,Tent,4,2\n")
    with pytest.raises(CarelineError, match=r"orders\.csv row 3"):
        build(tmp_path, rows)
    assert find(database, "B70001") is not None


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match=r"orders\.csv"):
        build(tmp_path, "B70001,shipped\n", "number,status\n")


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    database = build(tmp_path, "B70001,shipped,Tent,4,2\n", "\ufeff" + HEAD)
    assert find(database, "B70001") is not None


@pytest.mark.parametrize("name", ["shop #1", "50% off", "who?", "我的店"])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert find(build(folder, "B70001,shipped,Tent,4,2\n"), "B70001") is not None
