"""The story of a message, told with a trained home and with parts that fail."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.assistant.pipeline import Assistant, Received
from bot.assistant.protocols import Components, ReplyTokens
from bot.container import Home, build_assistant
from bot.core import serialization
from bot.core.settings import Settings
from bot.core.types import (
    ONLY_FILES,
    IntentScore,
    InvalidMessageError,
    Message,
    Reply,
    Request,
    Route,
    Turn,
    Understanding,
)
from bot.nlu.entities.extractor import EntityExtractor
from bot.nlu.understander import Understander
from bot.store.in_memory_log import MemoryLog
from knowledge_base.documents import SearchHit, SearchResult
from knowledge_base.index.filters import PassageFilter

OWNER = "marta.lindqvist@example.com"  # placed A10234


@pytest.fixture(scope="module")
def parts(trained: Home) -> Components:
    return build_assistant(trained, MemoryLog()).components


@pytest.fixture
def bot(parts: Components) -> Assistant:
    return Assistant(replace(parts, log=MemoryLog()))


def say(bot: Assistant, text: str, conversation: str = "c") -> Turn:
    return bot.answer(Message(text, conversation))


def test_the_events_come_in_order_and_the_words_are_the_reply(bot: Assistant) -> None:
    events = list(bot.stream(Message("how long does standard shipping take?", "order")))
    assert isinstance(events[0], Received)
    assert isinstance(events[1], Understanding)
    turn = events[-1]
    assert isinstance(turn, Turn)
    assert "".join(event for event in events if isinstance(event, str)) == turn.reply.text


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("hello there", Route.TEMPLATE),
        ("I want to talk to a human agent", Route.HANDOFF),
        ("where is my order A10234", Route.ACT),
        ("what shipping options do you have and how long do they take", Route.RETRIEVE),
        ("你好", Route.TEMPLATE),
        ("转人工客服", Route.HANDOFF),
        ("我的订单A10234到哪里了", Route.ACT),
        ("标准配送需要多少天，运费多少", Route.RETRIEVE),
    ],
)
def test_each_route_is_taken_in_both_languages(bot: Assistant, text: str, route: Route) -> None:
    turn = say(bot, text, conversation=text)
    assert turn.decision.route is route, turn.understanding.ranking
    assert turn.reply.text
    assert turn.understanding.language == ("zh" if any(c > "\u3400" for c in text) else "en")


def test_every_citation_is_the_text_it_points_at(bot: Assistant) -> None:
    questions = (
        "how many days do I have to claim a damaged item",
        "how do I wash my rain jacket?",
        "礼品卡有效期多久",
        "do you ship to canada and what does it cost",
        "保修多少年",
    )
    assert bot.components.knowledge is not None
    cited = 0
    for question in questions:
        for citation in say(bot, question, conversation=question).reply.citations:
            article = bot.components.knowledge.article(citation.article)
            assert article is not None
            assert article.text[citation.start : citation.end] == citation.quote
            cited += 1
    assert cited >= len(questions)


def test_a_missing_order_number_is_asked_for_and_used_in_the_next_turn(bot: Assistant) -> None:
    asked = say(bot, "where is my parcel", "form")
    assert (asked.decision.route, asked.decision.reason) == (Route.ACT, "missing_slot")
    named = say(bot, "it is a10234", "form")
    assert (named.decision.reason, named.decision.slot) == ("missing_slot", "email")
    answered = say(bot, OWNER, "form")
    assert (answered.decision.route, answered.decision.reason) == (Route.ACT, "slot_filled")
    assert "A10234" in answered.reply.text


def test_an_unknown_order_number_is_asked_for_again(bot: Assistant) -> None:
    say(bot, "where is my order A99999", "unknown")
    turn = say(bot, OWNER, "unknown")
    assert turn.decision.slot == "order_number"
    assert "A99999" not in turn.reply.text  # nobody learns which orders there are
    again = say(bot, f"sorry, A10234, {OWNER}", "unknown")
    assert "A10234" in again.reply.text


def test_the_offer_of_a_human_can_be_accepted(bot: Assistant) -> None:
    refused = say(bot, "write me a poem about the moon and the sea", "offer")
    assert refused.decision.reason in {"out_of_scope", "no_evidence"}
    accepted = say(bot, "yes please", "offer")
    assert (accepted.decision.route, accepted.decision.reason) == (
        Route.HANDOFF,
        "accepted_offer",
    )
    assert accepted.handoff is not None
    assert (accepted.handoff.state, accepted.handoff.position) == ("queued", 1)


def test_asking_for_a_human_twice_tells_the_place_in_the_queue(bot: Assistant) -> None:
    say(bot, "let me talk to a human please", "queue")
    again = say(bot, "I want to talk to a real person", "queue")
    assert again.decision.route is Route.HANDOFF
    assert again.handoff is not None
    assert str(again.handoff.position) in again.reply.text


def test_a_pressed_button_answers_the_question_before_it(bot: Assistant) -> None:
    say(bot, "do you ship to norway, and how long would it be", "button")
    turn = say(bot, "/delivery_time", "button")
    assert (turn.decision.route, turn.understanding.confidence) == (Route.RETRIEVE, 1.0)
    assert turn.reply.citations


@pytest.mark.parametrize("text", ["👍", "🎒🥾", "?!"])
def test_a_message_without_words_is_asked_back(bot: Assistant, text: str) -> None:
    turn = say(bot, text, conversation=text)
    assert (turn.decision.route, turn.decision.reason) == (Route.CLARIFY, "no_words")


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01\x02", "x" * 20_000])
def test_what_nobody_could_answer_is_refused_before_it_is_stored(bot: Assistant, text: str) -> None:
    with pytest.raises(InvalidMessageError):
        say(bot, text)


class Broken:
    """An answerer that fails after its first words."""

    def stream(
        self, _question: str, _hits: Sequence[SearchHit], _language: str, _gone: Callable[[], bool]
    ) -> ReplyTokens:
        yield "Well, "
        message = "the engine is gone"
        raise RuntimeError(message)


def test_a_failure_on_the_way_becomes_a_hand_off(
    bot: Assistant, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Assistant(replace(bot.components, composer=Broken(), log=MemoryLog()))
    turn = say(broken, "how long does shipping take?", "broken")
    assert (turn.decision.route, turn.decision.reason) == (Route.HANDOFF, "error")
    assert turn.handoff is not None
    assert "is handed off" in caplog.text
    assert "the engine is gone" in caplog.text
    assert "shipping" not in caplog.records[0].getMessage()


def test_a_home_with_only_knowledge_answers_from_it(parts: Components) -> None:
    understander = replace_model(parts.understander)
    bare = Assistant(replace(parts, understander=understander, log=MemoryLog()))
    turn = say(bare, "How long is the warranty on backpacks?", "bare")
    assert (turn.decision.route, turn.decision.reason) == (Route.RETRIEVE, "no_model")
    assert "5" in turn.reply.text


def replace_model(understander: object) -> Understander:
    assert isinstance(understander, Understander)
    return Understander(None, EntityExtractor({}))


def test_a_bare_home_hands_everything_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(Settings.load(tmp_path_factory.mktemp("bare")))
    turn = say(build_assistant(home, MemoryLog()), "where is my parcel?")
    assert turn.decision.route is Route.HANDOFF
    assert isinstance(turn.reply, Reply)
    assert turn.reply.text


def joined(*parts: tuple[str, str]) -> tuple[str, tuple[Request, ...]]:
    """Return a message of several requests (text, intent), and what is understood of each."""
    text, requests = "", []
    for said, intent in parts:
        start = len(text) + (5 if text else 0)
        text = f"{text} and {said}" if text else said
        scores = (IntentScore(intent, 0.9),)
        requests.append(Request(said, start, start + len(said), intent, 0.9, scores))
    return text, tuple(requests)


class Understood:
    """An understander that reads what it was told to, and the entities for itself."""

    def __init__(self, found: dict[str, tuple[Request, ...]]) -> None:
        self.found = found
        self.entities = EntityExtractor({"order_number": r"A\d{5}"})

    def understand(self, text: str, /, **_: str | None) -> Understanding:
        requests = self.found[text]
        first = requests[0]
        return Understanding(
            "en",
            "neutral",
            "calm",
            first.intent,
            first.confidence,
            first.ranking,
            self.entities.find(text),
            requests=requests if len(requests) > 1 else (),
        )


def told(bot: Assistant, *messages: tuple[str, tuple[Request, ...]]) -> Assistant:
    understander = Understood(dict(messages))
    return Assistant(replace(bot.components, understander=understander, log=MemoryLog()))  # type: ignore[arg-type]


WHERE = (f"where is A10234, I am {OWNER}", "order_status")
CANCEL = ("how do I cancel it", "cancel_order")  # is told how: nothing is done
GREET, PERSON = ("hello", "greeting"), ("get me a human", "human")
SHIPPING = ("how long does standard shipping take", "delivery_time")


def test_the_first_word_and_the_whole_are_timed(bot: Assistant) -> None:
    spent = dict(say(bot, "hello").timings_ms)
    assert 0 < spent["first_token"] <= spent["total"]


def strange(text: str) -> tuple[str, tuple[Request, ...]]:
    """Return small talk that looks strange to the model: out of scope, and surely thanks."""
    words = text.split(", ")
    scores = (IntentScore("thanks", 0.95),)
    starts = [text.index(word) for word in words]
    return text, tuple(
        Request(word, start, start + len(word), "oos", 0.2, scores)
        for word, start in zip(words, starts, strict=True)
    )


@pytest.mark.parametrize("text", ["ta very", "ta very, much obliged"])
def test_small_talk_that_looks_strange_is_answered_all_the_same(bot: Assistant, text: str) -> None:
    turn = say(told(bot, strange(text)), text)
    assert {decision.reason for decision in turn.decisions} == {"smalltalk"}
    assert turn.reply.text.strip()


def alone(bot: Assistant, part: tuple[str, str]) -> Turn:
    message = joined(part)
    return say(told(bot, message), message[0])


def test_two_requests_are_answered_in_order_in_one_reply(bot: Assistant) -> None:
    message = joined(CANCEL, SHIPPING)
    turn = say(told(bot, message), message[0])
    first, second = alone(bot, CANCEL).reply, alone(bot, SHIPPING).reply
    assert turn.reply.text == f"{first.text}\n\n{second.text}"
    assert turn.reply.citations == second.citations
    assert second.citations
    assert [d.route for d in turn.decisions] == [Route.TEMPLATE, Route.RETRIEVE]
    assert turn.decision.intent == "cancel_order"


def test_each_request_is_told_with_its_place_and_its_route(bot: Assistant) -> None:
    message = joined(CANCEL, SHIPPING, WHERE)
    body = serialization.turn_json(say(told(bot, message), message[0]))
    found = [(r["text"], r["intent"], r["route"]) for r in body["requests"]]
    routes = ("template", "retrieve", "act")
    asked = (CANCEL, SHIPPING, WHERE)
    assert found == [(*part, route) for part, route in zip(asked, routes, strict=True)]
    assert all(message[0][r["start"] : r["end"]] == r["text"] for r in body["requests"])
    assert (body["intent"], body["route"]) == ("cancel_order", "template")


def test_a_hand_off_ends_the_list(bot: Assistant) -> None:
    message = joined(CANCEL, PERSON, SHIPPING)
    asked = told(bot, message)
    turn = say(asked, message[0])
    routes = [request["route"] for request in serialization.turn_json(turn)["requests"]]
    assert routes == ["template", "handoff", None]
    assert not turn.reply.citations
    assert turn.handoff is not None
    assert asked.components.log.load("c").owner == "queued"


@pytest.mark.parametrize(
    "asked", [(CANCEL, SHIPPING), (GREET, WHERE, SHIPPING), (SHIPPING, PERSON)]
)
def test_the_words_of_several_answers_come_as_they_stand_in_the_reply(
    bot: Assistant, asked: tuple[tuple[str, str], ...]
) -> None:
    message = joined(*asked)
    events = list(told(bot, message).stream(Message(message[0], "s")))
    turn = events[-1]
    assert isinstance(turn, Turn)
    assert "".join(event for event in events if isinstance(event, str)) == turn.reply.text


def test_an_order_number_in_one_request_serves_the_other(bot: Assistant) -> None:
    message = joined(CANCEL, WHERE)
    turn = say(told(bot, message), message[0])
    assert turn.further[0].slot is None
    assert "A10234" in turn.reply.text


PARCEL = ("where is my parcel", "order_status")


def number(bot: Assistant, *parts: tuple[str, str]) -> tuple[Turn, Turn]:
    """Send a message whose order number is missing, then the number."""
    message, given = joined(*parts), joined((f"A10234 {OWNER}", "oos"))
    asked = told(bot, message, given)
    return say(asked, message[0]), say(asked, given[0])


def test_a_slot_asked_for_by_the_last_request_is_filled_by_the_next_message(bot: Assistant) -> None:
    asked, answered = number(bot, SHIPPING, PARCEL)
    assert asked.further[0].slot == "order_number"
    assert (answered.decision.reason, answered.decision.intent) == ("slot_filled", "order_status")
    assert "A10234" in answered.reply.text


def test_a_slot_asked_for_by_the_first_request_is_filled_by_the_next_message(
    bot: Assistant,
) -> None:
    asked, answered = number(bot, PARCEL, SHIPPING)
    assert asked.decision.slot == "order_number"
    assert (answered.decision.reason, answered.decision.intent) == ("slot_filled", "order_status")
    assert "A10234" in answered.reply.text


def test_the_number_asked_for_answers_only_the_request_it_belongs_to(bot: Assistant) -> None:
    message, given = joined(PARCEL), joined((f"it is A10234, {OWNER}", "order_status"), CANCEL)
    asked = told(bot, message, given)
    say(asked, message[0])
    turn = say(asked, given[0])
    assert [d.reason for d in turn.decisions] == ["slot_filled", "informs:cancel_order"]


class Following:
    """Always suggests the same, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[list[str]] = []

    def suggest(self, history: Sequence[str], k: int, /) -> Sequence[str]:
        self.told.append(list(history))
        return ["gift_card", "price_match"][:k]


def test_after_an_answer_the_likely_next_questions_stand_in_related(parts: Components) -> None:
    following = Following()
    bot = Assistant(replace(parts, log=MemoryLog(), suggester=following))
    turn = say(bot, "/delivery_time")
    titles = [parts.templates.title(name, "en") for name in ("gift_card", "price_match")]
    assert list(turn.reply.related[-2:]) == titles
    say(bot, "/warranty")
    assert following.told == [["delivery_time"], ["delivery_time", "warranty"]]


def test_nothing_is_suggested_to_somebody_who_waits_for_a_person(parts: Components) -> None:
    following = Following()
    bot = Assistant(replace(parts, log=MemoryLog(), suggester=following))
    assert say(bot, "let me talk to a human please").reply.related == ()
    assert following.told == []


def test_nothing_is_suggested_beside_the_offer_of_a_person(parts: Components) -> None:
    bot = Assistant(replace(parts, log=MemoryLog(), suggester=Following()))
    say(bot, "/warranty")
    turn = bot.answer(Message(ONLY_FILES["en"], "c", attachments=("photo",)))
    assert (turn.decision.reason, turn.reply.related) == ("file_received", ())


def test_staff_articles_and_those_out_of_date_are_never_cited(parts: Components) -> None:
    asked: list[PassageFilter] = []

    class Watched:
        version = "k-watched"

        def search(
            self,
            query: str,
            k: int,
            /,
            *,
            language: str | None,
            only: PassageFilter,
            context: str | None,
            prefer: Sequence[str] = (),
        ) -> list[SearchHit]:
            del query, k, language, context, prefer
            asked.append(only)
            return []

        def search_with_answerability(
            self,
            query: str,
            k: int,
            /,
            *,
            language: str | None,
            only: PassageFilter,
            context: str | None,
            prefer: Sequence[str] = (),
        ) -> SearchResult:
            self.search(query, k, language=language, only=only, context=context, prefer=prefer)
            return SearchResult()

        def article(self, identifier: str, /) -> None:
            del identifier

    say(Assistant(replace(parts, log=MemoryLog(), knowledge=Watched())), "/delivery_time")
    assert asked
    assert all(only.hidden and only.on is not None for only in asked)


def test_with_nothing_logged_what_is_closest_is_suggested(home: Home) -> None:
    shutil.rmtree(home.path / "dialogs")
    bot = build_assistant(home, MemoryLog())
    related = say(bot, "/payment_failed").reply.related
    titles = {
        bot.components.templates.title(name, "en") for name in bot.components.policy.content.routes
    }
    assert titles & set(related)
