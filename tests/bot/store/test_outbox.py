"""What is owed to other systems, on SQLite and on PostgreSQL."""

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


def parcel(key: str, target: str = "a") -> Delivery:
    return Delivery("mail", target, key, {"says": key})


def test_a_parcel_is_given_once_and_its_body_forgotten(outbox: Outbox, engine: Engine) -> None:
    outbox.add([parcel("one")])
    found = outbox.claim(CHANNELS, 60)
    assert found is not None
    assert (found.key, found.body, found.attempts) == ("one", {"says": "one"}, 1)
    assert outbox.claim(CHANNELS, 60) is None
    outbox.settle(found)
    assert outbox.waiting() == 0
    with engine.begin() as connection:
        (body,) = connection.execute(text("SELECT body FROM outbox")).one()
    assert "says" not in str(body)
    outbox.add([parcel("one")])
    assert outbox.waiting() == 0


def test_parcels_of_a_target_wait_for_the_one_before(outbox: Outbox) -> None:
    outbox.add([parcel("first"), parcel("second"), parcel("other", "b")])
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


def test_what_a_process_took_and_never_delivered_is_given_to_another(outbox: Outbox) -> None:
    outbox.add([parcel("one")])
    assert outbox.claim(CHANNELS, 0) is not None  # it dies here; its lease is over
    found = outbox.claim(CHANNELS, 60)
    assert found is not None
    assert found.attempts == 2


def test_a_parcel_can_wait_be_hastened_and_be_cancelled(outbox: Outbox) -> None:
    outbox.add([parcel("one"), parcel("two")], wait=600)
    assert outbox.claim(CHANNELS, 60) is None
    outbox.hasten("one")
    found = outbox.claim(CHANNELS, 60)
    assert found is not None
    assert found.key == "one"
    assert outbox.cancel("mail", "a", "a colleague has it") == 2
    assert outbox.waiting() == 0


def test_what_follows_is_kept_in_the_same_step(outbox: Outbox) -> None:
    outbox.add([parcel("one")])
    found = outbox.claim(CHANNELS, 60)
    assert found is not None
    outbox.settle(found, [parcel("then"), parcel("at last")])
    following = outbox.claim(CHANNELS, 60)
    assert following is not None
    assert following.key == "then"
    assert outbox.waiting() == 2


def test_other_channels_are_left_alone(outbox: Outbox) -> None:
    outbox.add([Delivery("pigeon", "a", "one")])
    assert outbox.claim(CHANNELS, 60) is None


def test_old_keys_are_removed_and_waiting_ones_stay(outbox: Outbox) -> None:
    outbox.add([parcel("done"), parcel("waits")])
    found = outbox.claim(CHANNELS, 60)
    assert found is not None
    outbox.settle(found)
    outbox.forget(now() - timedelta(days=1))
    outbox.add([parcel("done")])
    assert outbox.waiting() == 1
    outbox.forget(now() + timedelta(days=1))
    outbox.add([parcel("done")])
    assert outbox.waiting() == 2


def test_many_at_once_deliver_each_parcel_once_and_in_order(outbox: Outbox) -> None:
    keys = [f"{target}-{number}" for target in "abc" for number in range(5)]
    outbox.add([parcel(key, key[0]) for key in keys])
    seen: list[str] = []

    def work(_: int) -> None:
        idle = 0
        while idle < 50:
            found = outbox.claim(CHANNELS, 60)
            if found is None:
                idle += 1
                continue
            seen.append(found.key)
            outbox.settle(found)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert Counter(seen) == Counter(keys)
    for target in "abc":
        assert [key for key in seen if key[0] == target] == [k for k in keys if k[0] == target]
