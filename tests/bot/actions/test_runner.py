"""Actions in process: what they say as they say it, what they set, what follows them."""

import threading
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.events import (
    AllSlotsReset,
    ConversationPaused,
    FollowupAction,
    SessionStarted,
    SlotSet,
)
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.actions.calls import (
    BLOCKED,
    MAX_FOLLOWUPS,
    REJECTED,
    UNKNOWN_ACTION,
    ActionReply,
    ActionResult,
)
from bot.actions.runner import ActionRunner
from bot.core.types import Button
from tests.bot.actions.calling import ask, call, shop, templates

Events = list[dict[str, Any]]


class Scripted(Action):  # type: ignore[misc]
    """An action that does what a test wants."""

    def __init__(self, name: str, script: Any) -> None:
        self._name, self._script = name, script

    def name(self) -> str:
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        del domain
        found: Events = await self._script(dispatcher, tracker)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shop(tmp_path)


def running(folder: Path, **scripts: Any) -> ActionRunner:
    further = [Scripted(name, script) for name, script in scripts.items()]
    return ActionRunner(folder, further=further)


def test_one_run_leaves_nothing_for_the_next(folder: Path) -> None:
    runner = ActionRunner(folder)
    ask(runner, "action_order_status", "open")
    assert len(templates(runner.run(call("action_order_status"))).split()) == 1


def test_an_unknown_action_fails_and_is_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert ActionRunner(folder).run(call("action_dance")).failed == UNKNOWN_ACTION
    assert "`action_dance`: correct it in policy.yml" in caplog.text


def test_responses_come_as_they_are_uttered(folder: Path) -> None:
    heard = threading.Event()

    async def slow(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del tracker
        dispatcher.utter_message(text="One moment.")
        assert heard.wait(5)
        dispatcher.utter_message(response="done", order="A1", buttons=[{"title": "Ok"}])
        return [SlotSet("size", 43)]

    steps = running(folder, slow=slow).stream(call("slow"))
    first = next(steps)
    assert first == ActionReply("One moment.", None)
    heard.set()
    second = next(steps)
    assert second == ActionReply(None, "done", {"order": "A1"}, (Button("Ok", "Ok"),))
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == ActionResult((first, second), {"size": "43"})


def test_pieces_of_a_streamed_response_go_on_with_it(folder: Path) -> None:
    async def streams(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del tracker
        dispatcher.utter_message(text="Here:")
        await dispatcher.stream_start()
        for word in ("It ", "is ", "blue."):
            await dispatcher.stream_chunk(text=word)
        await dispatcher.stream_end()
        await dispatcher.stream_chunk(text="Bye.")
        return []

    result = running(folder, streams=streams).run(call("streams"))
    assert [(said.text, said.continues) for said in result.said] == [
        ("Here:", False), ("It ", False), ("is ", True), ("blue.", True), ("Bye.", False),
    ]  # fmt: skip


def test_an_action_nobody_listens_to_ends_what_it_began(folder: Path) -> None:
    goes_on, ended = threading.Event(), threading.Event()

    async def slow(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del tracker
        dispatcher.utter_message(text="a")
        assert goes_on.wait(5)
        ended.set()
        return []

    steps = running(folder, slow=slow).stream(call("slow"))
    next(steps)
    steps.close()
    goes_on.set()
    assert ended.wait(5)


@pytest.mark.parametrize(("why", "failed"), [("no stock", REJECTED), ("blocked", BLOCKED)])
def test_a_rejection_fails(folder: Path, why: str, failed: str) -> None:
    async def rejects(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del dispatcher, tracker
        name = "rejects"
        raise ActionExecutionRejection(name, why)

    assert running(folder, rejects=rejects).run(call("rejects")).failed == failed


@pytest.mark.parametrize("error", [ValueError("bug"), SystemExit(3)])
def test_an_error_comes_out_where_the_action_was_called(folder: Path, error: BaseException) -> None:
    async def breaks(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del dispatcher, tracker
        raise error

    with pytest.raises(type(error)):
        running(folder, breaks=breaks).run(call("breaks"))


def test_what_follows_an_action_runs_with_the_slots_it_set(folder: Path) -> None:
    async def first(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del tracker
        dispatcher.utter_message(text="1")
        return [SlotSet("colour", "red"), SlotSet("old", None), FollowupAction("second")]

    async def second(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        dispatcher.utter_message(text=f"2 {tracker.get_slot('colour')} {tracker.get_slot('old')}")
        return [SlotSet("colour", "blue"), FollowupAction("utter_goodbye")]

    runner = running(folder, first=first, second=second)
    result = runner.run(call("first", old="x"))
    assert templates(result) == "1 2 red None utter_goodbye"
    assert dict(result.slots) == {"colour": "blue", "old": None}
    assert list(_said(runner.stream(call("first", old="x")))) == list(result.said)


def _said(steps: Any) -> Any:
    yield from steps


def test_three_actions_follow_at_most(folder: Path) -> None:
    async def again(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del tracker
        dispatcher.utter_message(text="x")
        return [FollowupAction("again")]

    result = running(folder, again=again).run(call("again"))
    assert (len(result.said), result.failed) == (1 + MAX_FOLLOWUPS, None)


def test_listening_ends_it_and_other_events_are_ignored(folder: Path) -> None:
    async def listens(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del dispatcher, tracker
        return [SessionStarted(), SlotSet("a", "b"), FollowupAction("action_listen")]

    assert running(folder, listens=listens).run(call("listens")) == ActionResult((), {"a": "b"})


def test_a_pause_brings_in_a_person_and_a_reset_clears_all_but_who_it_is(folder: Path) -> None:
    async def stops(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        del dispatcher, tracker
        return [AllSlotsReset(), SlotSet("a", "2"), SlotSet("customer", "c-9"),
                ConversationPaused()]  # fmt: skip

    result = running(folder, stops=stops).run(call("stops", a="1", b="1", customer="c-1"))
    assert (dict(result.slots), result.failed) == ({"a": "2", "b": None}, BLOCKED)


def test_an_action_asks_for_a_slot_in_rasas_way(folder: Path) -> None:
    async def asks(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        dispatcher.utter_message(text="Which size?")
        assert tracker.latest_message["metadata"]["message_id"] == "m1"
        return [SlotSet("requested_slot", "size")]

    result = running(folder, asks=asks).run(call("asks"))
    assert (result.asks, dict(result.slots)) == ("size", {})
