from pathlib import Path

import pytest

from bot.actions import orders_db
from bot.actions.runner import ActionResult, ActionRunner, Said
from bot.types import CarelineError

NAME = "action_order_status"


@pytest.fixture
def runner(tmp_path: Path) -> ActionRunner:
    source, database = tmp_path / "orders.csv", tmp_path / "orders.db"
    rows = "".join(f"B7000{n},{status},帐篷,4,2\n" for n, status in enumerate(orders_db.STATUSES))
    head = "number,status,items,placed_days_ago,eta_in_days\n"
    source.write_text(head + rows, encoding="utf-8")
    orders_db.build(source, database)
    return ActionRunner(database)


def run(runner: ActionRunner, **slots: str) -> ActionResult:
    return runner.run(NAME, "c1", "Where is it?", slots)


@pytest.mark.parametrize(("row", "status"), enumerate(orders_db.STATUSES))
def test_each_status_has_a_template_of_its_own(runner: ActionRunner, row: int, status: str) -> None:
    (said,) = run(runner, order_number=f"B7000{row}").said
    assert (said.text, said.template) == (None, f"order_status_{status}")


def test_a_found_order_fills_the_variables_and_sets_no_slot(runner: ActionRunner) -> None:
    result = run(runner, order_number="b70001")
    assert set(result.said[0].values) == {"order_number", "placed", "eta", "items"}
    assert result.said[0].values["items"] == "帐篷"
    assert result.said[0].values["order_number"] == "B70001"
    assert result.slots == {}


def test_an_order_that_is_not_found_clears_its_number(runner: ActionRunner) -> None:
    result = run(runner, order_number="B99999")
    assert result.said == (Said(None, "order_not_found", {"order_number": "B99999"}),)
    assert result.slots == {"order_number": None}


@pytest.mark.parametrize("slots", [{}, {"order_number": ""}])
def test_without_a_number_it_is_asked_for(runner: ActionRunner, slots: dict[str, str]) -> None:
    result = run(runner, **slots)
    assert result.said == (Said(None, "ask_order_number", {}),)
    assert result.slots == {}


def test_one_run_leaves_nothing_for_the_next(runner: ActionRunner) -> None:
    run(runner, order_number="B70001")
    assert len(run(runner, order_number="B70002").said) == 1


def test_an_unknown_action_is_named(runner: ActionRunner) -> None:
    with pytest.raises(CarelineError, match=r"`action_dance`.*policy\.yml"):
        runner.run("action_dance", "c1", "Dance!", {})


def test_the_actions_there_are_can_be_listed(runner: ActionRunner) -> None:
    assert NAME in runner.names()
