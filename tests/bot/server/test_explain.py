"""The explanation over the API: for holders of the console's token alone."""

import json

import httpx
import pytest

from tests.running import Server


@pytest.fixture
def staff(api: httpx.Client, server: Server) -> httpx.Client:
    """Return a client that holds the console's token."""
    token = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))["token"]
    api.headers["Authorization"] = f"Bearer {token}"
    return api


@pytest.mark.parametrize("text", ["where is my parcel", "我的包裹到哪里了？"])
def test_a_text_is_explained_by_its_words_and_its_likes(staff: httpx.Client, text: str) -> None:
    found = staff.post("/api/explain", json={"text": text}).json()["explanation"]
    assert found["intent"] == "order_status"
    assert [text[t["start"] : t["end"]] for t in found["tokens"]] == [
        token["text"] for token in found["tokens"]
    ]
    assert any(token["weight"] > 0 for token in found["tokens"])
    assert len(found["neighbours"]) == 5
    assert all(near["source"] and near["text"] for near in found["neighbours"])


def test_it_is_no_message_of_a_conversation(staff: httpx.Client) -> None:
    before = staff.get("/api/conversations").json()
    assert staff.post("/api/explain", json={"text": "where is my parcel"}).status_code == 200
    assert staff.get("/api/conversations").json() == before


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Basic YWRtaW46"])
def test_without_the_token_nothing_is_explained(api: httpx.Client, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    response = api.post("/api/explain", json={"text": "where is my parcel"}, headers=headers)
    assert response.status_code == 401
    assert "token" in response.json()["error"]["message"]
    assert "neighbours" not in response.text


@pytest.mark.parametrize(
    "body", [{"text": ""}, {"text": " \n\t"}, {"text": "x" * 4001}, {"text": None}, {}]
)
def test_what_is_no_text_gets_a_clear_error(
    staff: httpx.Client, body: dict[str, str | None]
) -> None:
    response = staff.post("/api/explain", json=body)
    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] in {"invalid", "bad_message"}
    assert error["message"]
    assert "Traceback" not in response.text
