"""Deliveries to other systems: signed, retried after failures, and never repeated."""

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


def send(server: Server, text: str, conversation: str) -> None:
    body = {"text": text, "conversation_id": conversation}
    assert httpx.post(f"{server.url}/api/messages", json=body, timeout=300).status_code == 200


def test_a_handoff_is_announced_once_and_signed(connected: Server, neighbour: Neighbour) -> None:
    conversation = new_id()
    send(connected, "I want to talk to a human", conversation)
    send(connected, "I want to talk to a human", conversation)
    send(connected, "hello", new_id())
    deadline = time.monotonic() + 300
    events: list[Sent] = []
    while time.monotonic() < deadline and len(events) < 2:
        time.sleep(0.1)
        received = neighbour.accepted("/events")
        events = [sent for sent in received if sent.body["conversation_id"] == conversation]
    names = [sent.body["event"] for sent in events]
    assert names.count("handoff") == 1
    sent = events[names.index("handoff")]
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


def test_messages_are_announced_with_the_reply(connected: Server, neighbour: Neighbour) -> None:
    conversation = new_id()
    send(connected, "How do I wash my rain jacket?", conversation)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        received = [sent.body for sent in neighbour.accepted("/events")]
        if events := [body for body in received if body["conversation_id"] == conversation]:
            break
        time.sleep(0.05)
    (message,) = events
    assert message["event"] == "message"
    assert "30" in message["reply"]["text"]
    assert message["reply"]["citations"]


def test_only_the_configured_events_are_announced(tmp_path: Path) -> None:
    queued = turn_with(Reply("A colleague will help."), Handoff("queued", "support", 1))
    settings = Settings(home=tmp_path, webhook_url="http://x", webhook_secret="s")
    (event,) = webhooks.turn_events(settings, queued, "bot")
    assert event.body["event"] == "handoff"
    assert webhooks.turn_events(settings, queued, "queued") == []
    assert webhooks.turn_events(settings, turn_with(Reply("hello")), "bot") == []
    assert webhooks.turn_events(Settings(home=tmp_path), queued, "bot") == []


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    engine = database.connect(f"sqlite:///{tmp_path}/log.db")
    database.migrate(engine)
    return Outbox(engine)


class FakeChannel:
    """A channel that raises the given errors, then delivers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.delivered: list[str] = []

    def deliver(self, delivery: Delivery, /) -> list[Delivery]:
        if self.errors:
            raise self.errors.pop(0)
        self.delivered.append(delivery.key)
        return []


def test_the_worker_retries_and_gives_up_rejected_deliveries(outbox: Outbox) -> None:
    postponed, broken = DeliveryPostponedError("busy", 0.0), ValueError("an internal error")
    channel = FakeChannel(postponed, broken, DeliveryRejectedError("no"))
    worker = OutboxWorker(outbox, {"a": channel})
    outbox.add([Delivery("a", "t", "first"), Delivery("a", "t", "second")])
    worker.start()
    deadline = time.monotonic() + 300
    while outbox.waiting() and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.stop()
    assert channel.delivered == ["second"]


def test_a_delivery_is_given_up_after_13_attempts(outbox: Outbox) -> None:
    channel = FakeChannel(*[DeliveryPostponedError("busy", 0.0) for _ in range(50)])
    worker = OutboxWorker(outbox, {"a": channel})
    outbox.add([Delivery("a", "t", "one")])
    attempts = 0
    while worker.step():
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
def test_the_status_decides_about_a_retry(status: int, error: type[Exception] | None) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers={"Retry-After": "7"}))
    with httpx.Client(transport=transport) as http:
        if error is None:
            delivery.post(http, "http://x/", b"{}", {})
            return
        with pytest.raises(error) as caught:
            delivery.post(http, "http://x/", b"{}", {})
    if isinstance(caught.value, DeliveryPostponedError):
        assert caught.value.seconds == 7


def test_a_failed_connection_is_retried() -> None:
    with httpx.Client() as http, pytest.raises(DeliveryPostponedError, match="ConnectError"):
        delivery.post(http, "http://127.0.0.1:9/secret-path", b"{}", {})


def test_a_signature_covers_time_and_body() -> None:
    valid = signature("secret", "1000", b"{}")
    assert valid.startswith("sha256=")
    assert is_signed("secret", "1000", b"{}", valid, now=1100)
    assert not is_signed("secret", "1000", b"{ }", valid, now=1100)
    assert not is_signed("secret", "1001", b"{}", valid, now=1100)
    assert not is_signed("other", "1000", b"{}", valid, now=1100)
    assert not is_signed("secret", "1000", b"{}", valid, now=1500)
    assert not is_signed("secret", "", b"{}", signature("secret", "", b"{}"), now=0)
    assert not is_signed("", "1000", b"{}", signature("", "1000", b"{}"), now=1100)
    assert not is_signed("secret", "1000", b"{}", "é", now=1100)
