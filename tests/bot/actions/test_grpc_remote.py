"""A streamed reply from rasa-sdk's own gRPC server."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bot.actions.calls import (
    BAD_ANSWER,
    BLOCKED,
    REJECTED,
    TIMEOUT,
    UNKNOWN_ACTION,
    UNREACHABLE,
    ActionReply,
    ActionResult,
)
from bot.actions.grpc_remote import GrpcRemoteActions
from bot.core.types import Button
from tests.bot.actions.calling import call, told
from tests.running import free_port

SERVER = """
import asyncio, sys
from rasa_sdk import Action
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.grpc_server import run_grpc
from rasa_sdk.interfaces import ActionExecutionRejection

class Streams(Action):
    def name(self): return "streams"
    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="done", colour=tracker.get_slot("colour"))
        await dispatcher.stream_start()
        await dispatcher.stream_chunk(text="It ")
        await asyncio.sleep(0.5)
        await dispatcher.stream_chunk(text="is.", buttons=[{"title": "Ok", "payload": "/ok"}])
        await dispatcher.stream_end()
        await dispatcher.stream_chunk(text="Bye.")
        return [SlotSet("size", 43), SlotSet("weight", 1.5), SlotSet("old", None)]

class First(Action):
    def name(self): return "first"
    async def run(self, dispatcher, tracker, domain):
        return [FollowupAction("streams")]

class Slow(Action):
    def name(self): return "slow"
    async def run(self, dispatcher, tracker, domain):
        await dispatcher.stream_chunk(text="Wait")
        await asyncio.sleep(30)
        return []

class Rejects(Action):
    def name(self): return "rejects"
    async def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection("rejects", tracker.get_slot("why"))

class Breaks(Action):
    def name(self): return "breaks"
    async def run(self, dispatcher, tracker, domain):
        await dispatcher.stream_chunk(text="Oh")
        raise ValueError("bug with secret blue sky")

class Huge(Action):
    def name(self): return "huge"
    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="x" * (2 ** 20 + 1))
        return []

executor = ActionExecutor()
for action in (Streams, First, Slow, Rejects, Breaks, Huge):
    executor.register_action(action())
asyncio.run(run_grpc(executor, int(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)])
    address = f"grpc://127.0.0.1:{port}"
    try:
        for _ in range(4000):
            assert process.poll() is None
            if GrpcRemoteActions(address, 1.0).run(call("nothing")).failed == UNKNOWN_ACTION:
                break
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def test_pieces_come_before_the_action_ends(url: str) -> None:
    steps = GrpcRemoteActions(url, token="t").stream(call("streams", colour="red", old="x"))
    assert next(steps) == ActionReply("It ", None)
    first = time.monotonic()
    rest = []
    while True:
        try:
            rest.append(next(steps))
        except StopIteration as stop:
            result = stop.value
            break
    assert time.monotonic() - first > 0.4  # the action sleeps for half a second after it
    assert rest == [
        ActionReply("is.", None, {}, (Button("Ok", "/ok"),), continues=True),
        ActionReply("Bye.", None),
        ActionReply(None, "done", {"colour": "red"}),
    ]
    assert result == ActionResult(
        (ActionReply("It ", None), *rest), {"size": "43", "weight": "1.5", "old": None}
    )


def test_what_follows_streams_as_well(url: str) -> None:
    assert "It " in told(GrpcRemoteActions(url).run(call("first")))


@pytest.mark.parametrize(
    ("name", "failed", "spoken"),
    [("slow", TIMEOUT, "Wait"), ("breaks", BAD_ANSWER, "Oh"), ("dance", UNKNOWN_ACTION, None)],
)
def test_every_failure_has_a_name_and_what_was_said_stands(
    url: str, name: str, failed: str, spoken: str | None
) -> None:
    result = GrpcRemoteActions(url, 0.6).run(call(name))
    assert (result.failed, [said.text for said in result.said]) == (
        failed, [spoken] if spoken else [],
    )  # fmt: skip


@pytest.mark.parametrize(("why", "failed"), [("no stock", REJECTED), ("blocked", BLOCKED)])
def test_a_rejection_fails(url: str, why: str, failed: str) -> None:
    assert GrpcRemoteActions(url).run(call("rejects", why=why)).failed == failed


def test_an_answer_that_is_too_large_fails(url: str) -> None:
    result = GrpcRemoteActions(url).run(call("huge"))
    assert (result.failed, result.said) == (BAD_ANSWER, ())


def test_a_server_that_is_gone_is_unreachable() -> None:
    gone = GrpcRemoteActions(f"grpc://127.0.0.1:{free_port()}", 2.0)
    assert gone.run(call("streams")).failed == UNREACHABLE


def test_a_server_without_tls_is_not_reached_with_it(url: str) -> None:
    safe = GrpcRemoteActions(url.replace("grpc:", "grpcs:"), 1.0)
    assert safe.run(call("streams")).failed in {UNREACHABLE, TIMEOUT}


def test_the_log_says_nothing_of_what_was_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    GrpcRemoteActions(url, token="t0ken").run(call("breaks", what="blue sky"))
    GrpcRemoteActions(url).run(call("rejects", why="no blue sky"))
    assert "breaks failed" in caplog.text
    assert "blue" not in caplog.text
    assert "t0ken" not in caplog.text
