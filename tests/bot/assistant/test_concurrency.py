"""Many messages at once: each is answered once, in its order, as if they had come one by one."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.assistant.pipeline import Assistant
from bot.container import Home, build_assistant
from bot.core.types import IntentScore, Message, Turn, Understanding
from bot.dialogue import state as states
from bot.dialogue.state import State
from bot.nlu.entities.extractor import EntityExtractor
from bot.store import audit_ledger, database, encryption
from bot.store.conversation_log import SqlLog
from bot.store.in_memory_log import MemoryLog
from bot.store.read_model import ConversationReader

TEXTS = {
    "hello": "greeting",
    "where is my parcel": "order_status",
    "A10234": "oos",
    "marta.lindqvist@example.com": "oos",
    "how long does standard shipping take": "delivery_time",
    "thanks": "thanks",
    "你好": "greeting",
    "标准配送需要多少天": "delivery_time",
    "my coupon does not work": "discount_code",
    "no, the other order": "order_status",
}
SAID = list(TEXTS)


class Table:
    """Understands the texts above always alike: a real engine rounds by what it is busy with."""

    def __init__(self) -> None:
        self.entities = EntityExtractor({"order_number": r"A\d{5}"})

    def understand(self, text: str, /, **_: object) -> Understanding:
        language = "zh" if any(character > "\u3400" for character in text) else "en"
        intent = TEXTS.get(text, "order_status")
        ranking = (IntentScore(intent, 0.9),)
        found = self.entities.find(text)
        return Understanding(language, "neutral", "calm", intent, 0.9, ranking, found)

    def explain(self, text: str, /) -> None:
        del text


@pytest.fixture(scope="module")
def bare(trained: Home) -> Assistant:
    parts = build_assistant(trained, MemoryLog()).components
    return Assistant(replace(parts, understander=Table()))


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[list[SqlLog]]:
    """Return the logs of two databases."""
    made = []
    for name in ("one", "other"):
        engine = database.connect(f"sqlite:///{tmp_path / name}.db")
        database.migrate(engine)
        made.append(SqlLog(engine, encryption.load_or_make(tmp_path)))
    yield made
    for log in made:
        log._engine.dispose()


def comparable(state: State) -> dict[str, object]:
    """Return what a conversation remembers, but for the times."""
    values = states.to_json(state)
    values.pop("since")
    return values


def test_fifty_messages_of_a_conversation_at_once_are_answered_once_and_in_order(
    logs: list[SqlLog], bare: Assistant, trained: Home
) -> None:
    log, sequential = logs
    shop = replace(bare.components, log=log, actions=trained.actions(dry=True))
    workers = [Assistant(shop) for _ in range(2)]  # they have no lock in common
    names = [f"m{number}" for number in range(50)]
    deliveries = [*names, *random.Random(1).sample(names, 25)]
    random.Random(2).shuffle(deliveries)

    def deliver(place: int) -> str:
        name = deliveries[place]
        message = Message(SAID[int(name[1:]) % len(SAID)], "c", client_message_id=name)
        return workers[place % 2].answer(message).reply_id

    with ThreadPoolExecutor(16) as threads:
        replies = set(threads.map(deliver, range(len(deliveries))))
    lines = ConversationReader(log._engine).history("c")
    asked = [line for line in lines if line["role"] == "customer"]
    answered = [line for line in lines if line["role"] == "bot"]
    assert sorted(line["client_message_id"] for line in asked) == sorted(names)
    assert [line["in_reply_to"] for line in answered] == [line["id"] for line in asked]
    assert {line["id"] for line in answered} == replies
    shop = replace(bare.components, log=sequential, actions=trained.actions(dry=True))
    alone = Assistant(shop)
    for line in asked:
        name = str(line["client_message_id"])
        alone.answer(Message(SAID[int(name[1:]) % len(SAID)], "c"))
    assert comparable(log.load("c")) == comparable(sequential.load("c"))


def test_a_thousand_interleaved_conversations_keep_apart(bare: Assistant) -> None:
    log = MemoryLog()
    bot = Assistant(replace(bare.components, log=log))
    steps = [(number, step) for number in range(1000) for step in range(2)]
    random.Random(3).shuffle(steps)
    first: dict[int, int] = {}
    for number, step in steps:
        first.setdefault(number, step)
        text = f"my order is A{10000 + number}" if step else "where is my parcel"
        bot.answer(Message(text, f"c{number}"))
    for number in range(1000):
        state = log.load(f"c{number}")
        assert state.slots.get("order_number") == f"A{10000 + number}"
        said = [line.text for line in state.history if line.role == "customer"]
        assert len(said) == 2
        assert f"my order is A{10000 + number}" in said


def test_messages_in_a_burst_are_one_turn_for_everybody_who_waits(
    logs: list[SqlLog], bare: Assistant
) -> None:
    log = logs[0]
    workers = [Assistant(replace(bare.components, log=log)) for _ in range(2)]
    parts = ("where is my parcel", "it is A10234", "I am marta.lindqvist@example.com")

    def send(place: int) -> Turn:
        time.sleep(0.1 * place)
        message = Message(parts[place], "c", client_message_id=f"m{place}", burst=0.6)
        return workers[place % 2].answer(message)

    with ThreadPoolExecutor(3) as threads:
        turns = list(threads.map(send, range(3)))
    assert len({turn.reply_id for turn in turns}) == 1
    assert "A10234" in turns[0].reply.text
    lines = ConversationReader(log._engine).history("c")
    assert [line["role"] for line in lines] == ["customer"] * 3 + ["bot"]
    assert {line["status"] for line in lines} == {"answered"}
    again = workers[0].answer(Message(parts[0], "c", client_message_id="m0", burst=0.6))
    assert again.reply_id == turns[0].reply_id
    later = workers[0].answer(Message("thanks", "c", burst=0.1))
    assert later.reply_id != turns[0].reply_id
    assert audit_ledger.walk(log._engine).is_whole
