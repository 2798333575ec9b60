"""Topics: what makes one, who joins it later, and when it says no more than an intent."""

import numpy as np

from bot.analytics.topic_discovery import NOWHERE, assign, batches, discover
from bot.store.topic_store import Topic, TopicMessage
from tests.knowledge_base.fakes import HashEncoder

ENCODE = HashEncoder(dimension=4096).queries
SMOKE = (
    "parcel smells smoke",
    "whole parcel smells smoke",
    "parcel smells smoke again",
    "parcel smells smoke inside",
    "strange parcel smells smoke",
    "my parcel smells smoke badly",
)
OTHERS = (
    "repair broken zippers",
    "rent canoes tomorrow",
    "opening hours sunday",
    "weight of headlamp",
    "password reset email",
)


def said(
    *texts: str, language: str = "en", intent: str | None = None, start: int = 0
) -> list[TopicMessage]:
    return [
        TopicMessage(f"m{n}-{text}", f"c{n}", text, language, intent)
        for n, text in enumerate(texts, start=start)
    ]


def unlike(count: int) -> list[str]:
    return [f"first{n} second{n}" for n in range(count)]


def found(messages: list[TopicMessage]) -> list[Topic]:
    (batch,) = batches(messages, ENCODE)
    return discover(batch, np.ones(len(batch.messages), dtype=np.bool_), ENCODE)


def test_alike_messages_of_several_customers_are_a_topic() -> None:
    (topic,) = found(said(*SMOKE, *OTHERS))
    assert topic.name == "parcel smells smoke"
    assert topic.id.startswith("topic:")
    assert topic.language == "en"
    assert not topic.known


def test_few_messages_one_customer_or_one_wording_are_no_topic() -> None:
    assert found(said(*SMOKE[:4], *OTHERS)) == []
    alone = [TopicMessage(one.id, "c", one.text, "en") for one in said(*SMOKE)]
    assert found([*alone, *said(*OTHERS)]) == []
    assert found(said(*[SMOKE[0]] * 4, *[SMOKE[1]] * 4, *OTHERS)) == []


def test_among_many_messages_more_are_needed() -> None:
    many = unlike(2000)
    assert found(said(*SMOKE, *many)) == []
    assert len(found(said(*SMOKE, *SMOKE, *many))) == 1


def test_later_messages_join_the_topic_they_resemble_and_no_other() -> None:
    known = found(said(*SMOKE, *OTHERS))
    later = said("smoke smells in parcel", "zippers broken again", "thanks")
    (batch,) = batches(later, ENCODE)
    assert [one.text for one in batch.messages] == [
        one.text for one in later[:2]
    ]  # one word: nothing
    assert assign(batch, known).tolist() == [0, NOWHERE]
    assert assign(batch, []).tolist() == [NOWHERE, NOWHERE]
    (chinese,) = batches(said("parcel smells smoke", language="zh"), ENCODE)
    assert assign(chinese, known).tolist() == [NOWHERE]


def test_what_belongs_to_a_topic_is_not_looked_at_again() -> None:
    (batch,) = batches(said(*SMOKE, *OTHERS), ENCODE)
    free = np.array([one.text not in SMOKE for one in batch.messages])
    assert discover(batch, free, ENCODE) == []


def test_a_topic_that_is_an_intent_is_marked_and_a_part_of_one_is_not() -> None:
    (whole,) = found([*said(*SMOKE, intent="smell"), *said(*OTHERS, intent="other")])
    assert (whole.intent, whole.known) == ("smell", True)
    (part,) = found(said(*SMOKE, *unlike(20), intent="x"))
    assert (part.intent, part.known) == ("x", False)


def test_what_no_intent_was_made_for_is_news() -> None:
    (topic,) = found([*said(*SMOKE, intent="oos"), *said(*OTHERS, intent="other")])
    assert (topic.intent, topic.known) == (None, False)


def test_numbers_and_addresses_make_no_difference() -> None:
    texts = [f"parcel A10{n}55 for x{n}@example.org is lost" for n in range(7)]
    (batch,) = batches(said(*texts), ENCODE)
    assert len(batch.texts) == 1
    assert len(batch.messages) == 7


def test_a_name_is_given_once() -> None:
    (batch,) = batches(said(*SMOKE, *OTHERS), ENCODE)
    everything = np.ones(len(batch.messages), dtype=np.bool_)
    (topic,) = discover(batch, everything, ENCODE, {"parcel smells smoke"})
    assert topic.name == "parcel smells smoke (2)"
