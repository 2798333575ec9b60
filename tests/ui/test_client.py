"""The client of the HTTP API, against the running server and against one that stumbles."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.running import Server
from ui.careline import Careline
from ui.client.http_client import ApiError, Client
from ui.client.models import TurnView

QUESTION = "How do I wash my rain jacket?"


@pytest.fixture(scope="module")
def careline(server: Server) -> Iterator[Careline]:
    with Careline(server.url) as made:
        yield made


def test_a_turn_has_types(careline: Careline) -> None:
    turn = careline.ask(QUESTION, sender="somebody")
    assert (turn.route, turn.language) == ("retrieve", "en")
    citation = turn.reply.citations[0]
    article = careline.read(citation.article)
    assert article.text[citation.start : citation.end] == citation.quote
    assert turn.json["versions"]
    assert careline.why(turn.message_id)["reason"] == turn.reason
    careline.feedback(turn.reply_id, "up")


def test_words_come_before_the_turn(careline: Careline) -> None:
    *words, turn = careline.say(QUESTION)
    assert isinstance(turn, TurnView)
    assert "".join(word for word in words if isinstance(word, str)) == turn.reply.text


def test_a_search_finds_passages(careline: Careline) -> None:
    found = careline.find("rain jacket", 2)
    assert len(found) == 2
    assert found[0].score >= found[1].score


def test_the_history_is_read_and_followed(careline: Careline) -> None:
    first = careline.ask("hello")
    lines = careline.lines(first.conversation_id)
    assert [line.role for line in lines] == ["customer", "bot"]
    assert lines[1].reply == first.reply
    following = careline.live(first.conversation_id, lines[-1].position)
    careline.ask("hello again", first.conversation_id)
    assert [line.role for line in islice(following, 2)] == ["customer", "bot"]


def test_a_refusal_is_an_error_with_the_servers_words(careline: Careline) -> None:
    with pytest.raises(ApiError, match="empty") as caught:
        careline.ask(" ")
    assert (caught.value.status, caught.value.code) == (422, "bad_message")
    with pytest.raises(ApiError) as caught:
        careline.read("no such article")
    assert caught.value.status == 404


Answer = httpx.Response | Exception
TURN = {"message_id": "m", "conversation_id": "c", "reply": {"text": "Hi there."}}


class Stumbling:
    """A server that answers by its plan and keeps what it is asked."""

    def __init__(self, *plan: Answer) -> None:
        self.plan = list(plan)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.plan.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@pytest.fixture
def stumble(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Client, Stumbling]]:
    """Return a maker of clients whose server follows a plan, and whose pauses are noted."""
    monkeypatch.setattr("time.sleep", lambda _: None)

    def make(*plan: Answer) -> tuple[Client, Stumbling]:
        client, server = Client("http://careline"), Stumbling(*plan)
        client._http = httpx.Client(
            base_url="http://careline", transport=httpx.MockTransport(server)
        )
        return client, server

    return make


Maker = Callable[..., tuple[Client, Stumbling]]


def events(*pairs: tuple[str, dict[str, Any]]) -> httpx.Response:
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in pairs)
    return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


def test_a_message_is_sent_again_as_the_same_message(stumble: Maker) -> None:
    client, server = stumble(
        httpx.ConnectError("refused"),
        httpx.Response(429, headers={"Retry-After": "1"}, json={"error": {"code": "busy"}}),
        httpx.Response(200, json=TURN),
    )
    assert client.send("hello") == TURN
    first, second, third = server.bodies()
    assert first == second == third
    assert len(first["client_message_id"]) == len(first["conversation_id"]) == 32


def test_it_stops_after_three_attempts_and_at_a_refusal(stumble: Maker) -> None:
    client, server = stumble(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(ApiError, match="does not answer"):
        client.send("hello")
    assert len(server.requests) == 3
    client, server = stumble(httpx.Response(422, json={"error": {"code": "x", "message": "no"}}))
    with pytest.raises(ApiError, match="no"):
        client.send("hello")
    assert len(server.requests) == 1


def test_feedback_is_not_given_twice(stumble: Maker) -> None:
    client, server = stumble(httpx.ReadError("cut"))
    with pytest.raises(ApiError):
        client.feedback("m", "up")
    assert len(server.requests) == 1


def test_a_stream_that_breaks_is_ended_by_its_turn_and_repeats_nothing(stumble: Maker) -> None:
    received = ("received", {"message_id": "m"})
    client, server = stumble(
        events(received, ("token", {"text": "Hi "})),
        events(received, ("token", {"text": "Hi there."}), ("turn", TURN)),
    )
    names = [(name, data.get("text")) for name, data in client.stream("hello")]
    assert names == [("received", None), ("token", "Hi "), ("turn", None)]
    assert server.bodies()[0] == server.bodies()[1]


def test_a_stream_that_never_began_is_begun_again_with_all_its_words(stumble: Maker) -> None:
    client, _ = stumble(httpx.Response(503), events(("token", {"text": "Hi "}), ("turn", TURN)))
    assert [name for name, _ in client.stream("hello")] == ["token", "turn"]


def test_an_error_event_is_an_error(stumble: Maker) -> None:
    client, _ = stumble(events(("error", {"error": {"code": "internal", "message": "sorry"}})))
    with pytest.raises(ApiError, match="sorry"):
        list(client.stream("hello"))


def test_following_goes_on_where_it_broke(stumble: Maker) -> None:
    client, server = stumble(
        events(("message", {"position": 4})),
        httpx.ReadError("cut"),
        events(("message", {"position": 5})),
    )
    assert [line["position"] for line in islice(client.follow("c", 3), 2)] == [4, 5]
    assert [request.headers["Last-Event-ID"] for request in server.requests] == ["3", "4", "4"]


def test_following_what_is_not_there_is_an_error(stumble: Maker) -> None:
    client, server = stumble(httpx.Response(404, json={"error": {"message": "no such"}}))
    with pytest.raises(ApiError, match="no such"):
        next(client.follow("c"))
    assert len(server.requests) == 1
