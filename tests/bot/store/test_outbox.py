"""Deliveries to other systems, on SQLite and on PostgreSQL."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from bot.core.types import now
from bot.store import database
from bot.store.outbox import Delivery, Outbox

CHANNELS = ("mail",)


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    database.migrate(engine)
    return Outbox(engine)


def delivery(key: str, target: str = "a") -> Delivery:
    return Delivery("mail", target, key, {"says": key})


def test_a_delivery_is_claimed_once_and_its_body_is_removed(outbox: Outbox, engine: Engine) -> None:
    outbox.add([delivery("one")])
    claimed = outbox.claim(CHANNELS, 60)
    assert claimed is not None
    assert (claimed.key, claimed.body, claimed.attempts) == ("one", {"says": "one"}, 1)
    assert outbox.claim(CHANNELS, 60) is None
    outbox.settle(claimed)
    assert outbox.waiting() == 0
    with engine.begin() as connection:
        (body,) = connection.execute(text("SELECT body FROM outbox")).one()
    assert "says" not in str(body)
    outbox.add([delivery("one")])
    assert outbox.waiting() == 0


def test_deliveries_to_a_target_wait_for_the_one_before(outbox: Outbox) -> None:
    outbox.add([delivery("first"), delivery("second"), delivery("other", "b")])
    first, other = outbox.claim(CHANNELS, 60), outbox.claim(CHANNELS, 60)
    assert first is not None
    assert other is not None
    assert (first.key, other.key) == ("first", "other")
    assert outbox.claim(CHANNELS, 60) is None
    outbox.postpone(first, 0)
    again = outbox.claim(CHANNELS, 60)
    assert again is not None
    assert (again.key, again.attempts) == ("first", 2)
    outbox.give_up(again, "refused")
    second = outbox.claim(CHANNELS, 60)
    assert second is not None
    assert second.key == "second"


def test_a_delivery_that_a_process_claimed_and_never_made_is_claimed_by_another(
    outbox: Outbox,
) -> None:
    outbox.add([delivery("one")])
    assert outbox.claim(CHANNELS, 0) is not None  # it dies here; its lease is over
    claimed = outbox.claim(CHANNELS, 60)
    assert claimed is not None
    assert claimed.attempts == 2


def test_a_delivery_can_wait_be_made_due_and_be_cancelled(outbox: Outbox) -> None:
    outbox.add([delivery("one"), delivery("two")], wait=600)
    assert outbox.claim(CHANNELS, 60) is None
    outbox.make_due("one")
    claimed = outbox.claim(CHANNELS, 60)
    assert claimed is not None
    assert claimed.key == "one"
    assert outbox.cancel("mail", "a", "a colleague has it") == 2
    assert outbox.waiting() == 0


def test_what_follows_is_kept_in_the_same_step(outbox: Outbox) -> None:
    outbox.add([delivery("one")])
    claimed = outbox.claim(CHANNELS, 60)
    assert claimed is not None
    outbox.settle(claimed, [delivery("then"), delivery("at last")])
    following = outbox.claim(CHANNELS, 60)
    assert following is not None
    assert following.key == "then"
    assert outbox.waiting() == 2


def test_other_channels_are_left_alone(outbox: Outbox) -> None:
    outbox.add([Delivery("pigeon", "a", "one")])
    assert outbox.claim(CHANNELS, 60) is None


def test_old_keys_are_removed_and_waiting_ones_stay(outbox: Outbox) -> None:
    outbox.add([delivery("done"), delivery("waits")])
    claimed = outbox.claim(CHANNELS, 60)
    assert claimed is not None
    outbox.settle(claimed)
    outbox.forget(now() - timedelta(days=1))
    outbox.add([delivery("done")])
    assert outbox.waiting() == 1
    outbox.forget(now() + timedelta(days=1))
    outbox.add([delivery("done")])
    assert outbox.waiting() == 2


def test_many_workers_make_each_delivery_once_and_in_order(outbox: Outbox) -> None:
    keys = [f"{target}-{number}" for target in "abc" for number in range(5)]
    outbox.add([delivery(key, key[0]) for key in keys])
    seen: list[str] = []

    def work(_: int) -> None:
        idle = 0
        while idle < 50:
            claimed = outbox.claim(CHANNELS, 60)
            if claimed is None:
                idle += 1
                continue
            seen.append(claimed.key)
            outbox.settle(claimed)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert Counter(seen) == Counter(keys)
    for target in "abc":
        assert [key for key in seen if key[0] == target] == [k for k in keys if k[0] == target]
