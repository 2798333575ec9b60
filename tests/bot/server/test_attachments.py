"""Files: their kind is found in them, they belong to a message, and nothing in them runs."""

import json
from typing import Any

import httpx
import pytest

from bot.core.types import new_id
from bot.server import file_types
from tests.bot.server.test_visitors import session
from tests.running import Server

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
PDF = b"%PDF-1.7\n%\xe2\xe3"


def send(
    api: httpx.Client, conversation: str, headers: dict[str, str], content: bytes, name: str = "a"
) -> httpx.Response:
    path = f"/api/conversations/{conversation}/attachments"
    return api.post(path, params={"name": name}, content=content, headers=headers)


def with_file(api: httpx.Client, mine: dict[str, str], **body: Any) -> dict[str, Any]:
    """Send a file with a message and return the line it comes back in."""
    conversation = new_id()
    file = send(api, conversation, mine, PNG, "parcel.png").json()
    message = {"text": "", "conversation_id": conversation, "attachments": [file["id"]], **body}
    api.post("/api/messages", json=message, headers=mine).raise_for_status()
    path = f"/api/conversations/{conversation}/messages"
    line: dict[str, Any] = api.get(path, headers=mine).json()["messages"][0]
    return line


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"GIF89a;", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (PDF, "application/pdf"),
        ("Grüße, 你好\n".encode(), "text/plain"),
        (b"<script>alert(1)</script>", "text/plain"),  # and served as nothing else
        (b"MZ\x90\x00", None),
        (b"PK\x03\x04", None),
        (b"\x00\x01", None),
        (b" \n ", None),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, media_type: str | None) -> None:
    assert file_types.kind(content) == media_type


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.png", "photo.png"),
        ("..\\..\\etc/passwd", "passwd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\x00\n", "file"),
        (".png", "file.png"),
        ("x" * 300 + ".pdf", "x" * 97 + ".pdf"),
        ("发票 1.pdf", "发票 1.pdf"),
    ],
)
def test_a_name_is_made_harmless(given: str, kept: str) -> None:
    assert file_types.safe_name(given) == kept


def test_a_file_is_shown_to_its_visitor_and_to_the_business(
    api: httpx.Client, server: Server
) -> None:
    mine = session(api)
    (file,) = with_file(api, mine)["attachments"]
    assert (file["name"], file["media_type"], file["size"]) == ("parcel.png", "image/png", len(PNG))
    served = api.get(file["url"])
    assert served.content == PNG
    assert served.headers["content-type"] == "image/png"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in served.headers["content-security-policy"]
    bare = f"/api/attachments/{file['id']}"
    token = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))["token"]
    assert api.get(bare).status_code == 403
    assert api.get(bare, headers=session(api)).status_code == 404
    assert api.get(bare, headers=mine).status_code == 200
    assert api.get(bare, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert api.get(f"{file['url']}x").status_code == 403


def test_staff_see_a_file_and_no_other_site_shows_it(api: httpx.Client, server: Server) -> None:
    (file,) = with_file(api, session(api))["attachments"]
    path = f"/api/desk/attachments/{file['id']}"
    token = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))["token"]
    shown = api.get(path, headers={"Authorization": f"Bearer {token}"})
    assert shown.content == PNG
    assert shown.headers["cross-origin-resource-policy"] == "same-origin"
    assert "sandbox" in shown.headers["content-security-policy"]
    signed = file["url"].partition("?")[2]  # what opens the customer's address opens nothing here
    assert api.get(f"{path}?{signed}").status_code == 401
    assert api.get(path, headers=session(api)).status_code == 401


def test_texts_and_papers_are_saved_not_opened(api: httpx.Client) -> None:
    mine, conversation = session(api), new_id()
    html = b"<script>alert(1)</script>"
    made = send(api, conversation, mine, html, 'a"\r\nx: y.html').json()
    served = api.get(made["url"])
    assert served.headers["content-type"] == "text/plain; charset=utf-8"
    assert served.headers["content-disposition"].startswith("attachment;")


def test_a_file_goes_with_one_message_of_its_own_conversation(api: httpx.Client) -> None:
    mine = session(api)
    line = with_file(api, mine, text="here it is")
    assert line["text"] == "here it is"
    file = line["attachments"][0]["id"]
    for conversation in (new_id(), None):
        body = {"text": "again", "conversation_id": conversation, "attachments": [file]}
        assert api.post("/api/messages", json=body, headers=mine).status_code == 422


@pytest.mark.parametrize(("language", "words"), [("en", "colleague"), ("zh", "同事"), (7, "file")])
def test_a_file_without_words_is_answered_in_the_language_of_the_page(
    api: httpx.Client, language: object, words: str
) -> None:
    mine, conversation = session(api), new_id()
    body = {
        "text": " ",
        "conversation_id": conversation,
        "attachments": [send(api, conversation, mine, PNG).json()["id"]],
        "metadata": {"channel": "widget", "language": language},
    }
    turn = api.post("/api/messages", json=body, headers=mine).raise_for_status().json()
    assert (turn["route"], turn["reason"]) == ("template", "file_received")
    assert words in turn["reply"]["text"]
    body |= {"text": "yes please" if language != "zh" else "好的", "attachments": []}
    turn = api.post("/api/messages", json=body, headers=mine).raise_for_status().json()
    assert (turn["reason"], turn["handoff"]["state"]) == ("accepted_offer", "queued")


def test_a_message_with_a_file_that_is_sent_twice_is_one(api: httpx.Client) -> None:
    mine, conversation = session(api), new_id()
    file = send(api, conversation, mine, PNG).json()["id"]
    body = {
        "text": "look",
        "conversation_id": conversation,
        "attachments": [file],
        "client_message_id": "once",
    }
    replies = [api.post("/api/messages", json=body, headers=mine).json() for _ in range(2)]
    assert replies[0]["reply_id"] == replies[1]["reply_id"]


def test_what_is_too_large_too_much_or_of_another_kind_is_refused(
    api: httpx.Client, guarded: Server
) -> None:
    mine, conversation = session(api), new_id()
    assert send(api, conversation, mine, b"MZ\x90\x00").status_code == 415
    assert send(api, conversation, mine, b"").status_code == 422
    codes = [send(api, conversation, mine, PNG).status_code for _ in range(21)]
    assert codes == [201] * 20 + [400]
    with httpx.Client(base_url=guarded.url, timeout=300) as strict:
        theirs = session(strict)

        def pieces() -> Any:
            yield from [b"x" * 1000] * 3  # without a length in the header

        path = f"/api/conversations/{new_id()}/attachments"
        assert strict.post(path, content=pieces(), headers=theirs).status_code == 413
        assert send(strict, new_id(), theirs, b"x" * 2000).status_code == 201
        assert send(strict, new_id(), {}, PNG).status_code == 401


def test_files_go_with_the_conversation(api: httpx.Client) -> None:
    mine = session(api)
    conversation = new_id()
    made = send(api, conversation, mine, PNG).json()
    assert api.get(made["url"]).status_code == 200
    api.delete(f"/api/conversations/{conversation}", headers=mine)
    assert api.get(made["url"]).status_code == 404
