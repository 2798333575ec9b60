"""What other systems are told: signed, again where it failed, not twice."""

import time
from pathlib import Path

import httpx
import pytest

from bot.core.settings import Settings
from bot.core.signatures import is_signed, signature
from bot.core.types import Handoff, Reply, new_id
from bot.integrations import delivery, webhooks
from bot.integrations.delivery import DeliveryPostponedError, DeliveryRejectedError
from bot.server.background import outbox_worker
from bot.server.background.outbox_worker import OutboxWorker
from bot.store import database
from bot.store.outbox import Delivery, Outbox
from tests.bot.server.neighbour import Neighbour, Sent
from tests.bot.server.turns import turn_with
from tests.running import Server


def say(server: Server, text: str, conversation: str) -> None:
    body = {"text": text, "conversation_id": conversation}
    assert httpx.post(f"{server.url}/api/messages", json=body, timeout=300).status_code == 200


def test_a_handoff_is_announced_once_and_signed(connected: Server, neighbour: Neighbour) -> None:
    conversation = new_id()
    say(connected, "I want to talk to a human", conversation)
    say(connected, "I want to talk to a human", conversation)
    say(connected, "hello", new_id())
    patience = time.monotonic() + 300
    told: list[Sent] = []
    while time.monotonic() < patience and len(told) < 2:
        time.sleep(0.1)
        every = neighbour.accepted("/events")
        told = [sent for sent in every if sent.body["conversation_id"] == conversation]
    names = [sent.body["event"] for sent in told]
    assert names.count("handoff") == 1
    sent = told[names.index("handoff")]
    assert sent.headers["x-careline-event"] == "handoff"
    assert sent.headers["idempotency-key"] == f"handoff-{sent.body['message_id']}"
    assert sent.body["handoff"]["queue"]
    assert "talk to a human" not in sent.raw.decode()
    assert is_signed(
        "webhook-secret",
        sent.headers["x-careline-timestamp"],
        sent.raw,
        sent.headers["x-careline-signature"],
        now=time.time(),
    )


def test_messages_are_announced_with_the_bots_words(
    connected: Server, neighbour: Neighbour
) -> None:
    conversation = new_id()
    say(connected, "How do I wash my rain jacket?", conversation)
    patience = time.monotonic() + 300
    while time.monotonic() < patience:
        every = [sent.body for sent in neighbour.accepted("/events")]
        if told := [body for body in every if body["conversation_id"] == conversation]:
            break
        time.sleep(0.05)
    (message,) = told
    assert message["event"] == "message"
    assert "30" in message["reply"]["text"]
    assert message["reply"]["citations"]


def test_only_what_is_wanted_is_announced(tmp_path: Path) -> None:
    queued = turn_with(Reply("A colleague will help."), Handoff("queued", "support", 1))
    settings = Settings(home=tmp_path, webhook_url="http://x", webhook_secret="s")
    (told,) = webhooks.turn_events(settings, queued, "bot")
    assert told.body["event"] == "handoff"
    assert webhooks.turn_events(settings, queued, "queued") == []
    assert webhooks.turn_events(settings, turn_with(Reply("hello")), "bot") == []
    assert webhooks.turn_events(Settings(home=tmp_path), queued, "bot") == []


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    engine = database.connect(f"sqlite:///{tmp_path}/log.db")
    database.migrate(engine)
    return Outbox(engine)


class Plan:
    """A carrier that does what it is told, then delivers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.carried: list[str] = []

    def carry(self, parcel: Delivery, /) -> list[Delivery]:
        if self.errors:
            raise self.errors.pop(0)
        self.carried.append(parcel.key)
        return []


def test_the_courier_tries_again_and_gives_up_what_is_refused(outbox: Outbox) -> None:
    later, broken = DeliveryPostponedError("busy", 0.0), ValueError("a fault of ours")
    plan = Plan(later, broken, DeliveryRejectedError("no"))
    courier = OutboxWorker(outbox, {"a": plan})
    outbox.add([Delivery("a", "t", "first"), Delivery("a", "t", "second")])
    courier.start()
    patience = time.monotonic() + 300
    while outbox.waiting() and time.monotonic() < patience:
        time.sleep(0.05)
    courier.stop()
    assert plan.carried == ["second"]


def test_what_fails_for_too_long_is_given_up(outbox: Outbox) -> None:
    plan = Plan(*[DeliveryPostponedError("busy", 0.0) for _ in range(50)])
    courier = OutboxWorker(outbox, {"a": plan})
    outbox.add([Delivery("a", "t", "one")])
    attempts = 0
    while courier.step():
        attempts += 1
    assert attempts == 13
    assert outbox.waiting() == 0


def test_pauses_grow_and_are_bounded() -> None:
    assert all(0.5 <= outbox_worker.pause(1) <= 1 for _ in range(50))
    assert all(16 <= outbox_worker.pause(6) <= 32 for _ in range(50))
    assert outbox_worker.pause(1000) <= 1800


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (204, None),
        (301, DeliveryRejectedError),
        (404, DeliveryRejectedError),
        (429, DeliveryPostponedError),
        (500, DeliveryPostponedError),
    ],
)
def test_statuses_tell_whether_to_try_again(status: int, error: type[Exception] | None) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(status, headers={"Retry-After": "7"}))
    with httpx.Client(transport=answer) as http:
        if error is None:
            delivery.post(http, "http://x/", b"{}", {})
            return
        with pytest.raises(error) as caught:
            delivery.post(http, "http://x/", b"{}", {})
    if isinstance(caught.value, DeliveryPostponedError):
        assert caught.value.seconds == 7


def test_nobody_there_is_a_reason_to_try_again() -> None:
    with httpx.Client() as http, pytest.raises(DeliveryPostponedError, match="ConnectError"):
        delivery.post(http, "http://127.0.0.1:9/secret-path", b"{}", {})


def test_a_signature_is_of_time_and_body() -> None:
    right = signature("secret", "1000", b"{}")
    assert right.startswith("sha256=")
    assert is_signed("secret", "1000", b"{}", right, now=1100)
    assert not is_signed("secret", "1000", b"{ }", right, now=1100)
    assert not is_signed("secret", "1001", b"{}", right, now=1100)
    assert not is_signed("other", "1000", b"{}", right, now=1100)
    assert not is_signed("secret", "1000", b"{}", right, now=1500)
    assert not is_signed("secret", "", b"{}", signature("secret", "", b"{}"), now=0)
    assert not is_signed("", "1000", b"{}", signature("", "1000", b"{}"), now=1100)
    assert not is_signed("secret", "1000", b"{}", "é", now=1100)
