import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.types import CarelineError, Role
from bot.training import datasets
from bot.training.datasets import Example, LoggedTurn

DAMAGED_GZIP = gzip.compress(b"")[:10] + b"\xff" * 40


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def conversation(identifier: str, *turns: dict[str, Any], **details: Any) -> str:
    return json.dumps({"id": identifier, "turns": turns, **details}, ensure_ascii=False) + "\n"


def ids(*, held_back: bool) -> list[str]:
    names = [f"c{number}" for number in range(60)]
    return [name for name in names if datasets.is_held_back(name) is held_back]


def test_labelled_texts_are_read_with_their_place(tmp_path: Path) -> None:
    path = write(tmp_path, "texts.csv", "text,intent\n 退货 ,refund\nhello,greeting\n")
    assert datasets.read_examples(path) == [
        Example("退货", "refund", "texts.csv:2"),
        Example("hello", "greeting", "texts.csv:3"),
    ]


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    path = write(tmp_path, "texts.csv", 'id,intent,text\n1,refund,"one, two\nthree"\n')
    (example,) = datasets.read_examples(path)
    assert (example.text, example.intent) == ("one, two\nthree", "refund")


def test_gzipped_texts_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    content = "\ufefftext,intent\nhello,greeting\n".encode()
    path = write(tmp_path, "texts.csv.gz", gzip.compress(content))
    assert [example.text for example in datasets.read_examples(path)] == ["hello"]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("text,label\nhello,greeting\n", 1),
        ("", 1),
        ("text,intent\nhello,greeting\n ,refund\n", 3),
        ("text,intent\nhello,greeting\nhi\n", 3),
        ("text,intent\nhello,\n", 2),
        (b"text,intent\nhello,greeting\n\xcd\xcb\xbb\xf5,refund\n", 3),
        ("text,intent\nhello,greeting\n" + "x" * 20_001 + ",refund\n", 3),
        ('"text,intent\n' + "hello,greeting\n" * 2000, None),
        ("text,intent\rhello,greeting\r", None),
    ],
    ids=[
        "columns",
        "empty file",
        "no text",
        "short row",
        "no intent",
        "not UTF-8",
        "runaway",
        "runaway header",
        "old line ends",
    ],
)
def test_every_error_names_file_and_row(
    tmp_path: Path, content: str | bytes, row: int | None
) -> None:
    path = write(tmp_path, "texts.csv", content)
    with pytest.raises(CarelineError, match=rf"texts\.csv row {row or ''}"):
        datasets.read_examples(path)


@pytest.mark.parametrize("name", ["texts.csv.gz", "texts.jsonl.gz"])
@pytest.mark.parametrize(
    "content",
    [b"plain", gzip.compress(b"text,intent\n" * 99)[:-9], DAMAGED_GZIP],
    ids=["plain", "cut off", "damaged"],
)
def test_broken_gzip_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(CarelineError, match=name.replace(".", r"\.")):
        datasets.read_examples(path)


@pytest.mark.parametrize("name", ["texts.csv", "texts.jsonl"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CarelineError, match=name.replace(".", r"\.")):
        datasets.read_examples(tmp_path / name)


def test_the_held_back_part_is_a_fifth_and_fixed_by_the_id() -> None:
    names = [f"conversation {number}" for number in range(2000)]
    held = [name for name in names if datasets.is_held_back(name)]
    assert 0.16 < len(held) / len(names) < 0.24
    for name in names[:50]:
        digest = hashlib.sha256(name.encode()).hexdigest()
        assert datasets.is_held_back(name) is (int(digest[:8], 16) % 5 == 0)


def test_transcripts_train_on_annotated_customers_of_the_other_four_fifths(tmp_path: Path) -> None:
    trained, held = ids(held_back=False)[0], ids(held_back=True)[0]
    turns: list[dict[str, Any]] = [
        {"role": "customer", "text": "怎么退货", "intent": "refund"},
        {"role": "customer", "text": "no label"},
        {"role": "customer", "text": " ", "intent": "refund"},
        {"role": "bot", "text": "So.", "intent": "refund"},
    ]
    content = conversation(trained, *turns) + conversation(held, *turns)
    path = write(tmp_path, "dialogs.jsonl", content)
    assert datasets.read_examples(path) == [
        Example("怎么退货", "refund", f"dialogs.jsonl:{trained}")
    ]


def test_transcripts_keep_what_was_annotated(tmp_path: Path) -> None:
    turn = {
        "role": "customer",
        "text": "Where is A10234?",
        "intent": "order_status",
        "route": "act",
        "action": "look",
        "slots": {"order_number": "A10234"},
        "at": "2026-11-21T09:30:00Z",
    }
    content = conversation(
        "c1", turn, {"role": "agent", "text": None}, language="en", needs_human=False, csat=4
    )
    path = write(tmp_path, "dialogs.jsonl.gz", gzip.compress(("\n" + content).encode()))
    (read,) = datasets.read_transcripts([path])
    assert (read.id, read.language, read.needs_human, read.csat) == ("c1", "en", False, 4)
    assert read.turns == (
        LoggedTurn(
            Role.CUSTOMER,
            "Where is A10234?",
            "order_status",
            "act",
            "look",
            (("order_number", "A10234"),),
            "2026-11-21T09:30:00Z",
        ),
        LoggedTurn(Role.AGENT, ""),
    )


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"id": "c"}',
        '{"turns": []}',
        '{"id": "c", "turns": [{"role": "robot", "text": "hi"}]}',
        '{"id": "c", "turns": [{"role": "customer"}]}',
        '{"id": "c", "turns": ["hi"]}',
        '{"id": "c", "turns": [{"role": "customer", "text": "hi", "slots": [1]}]}',
    ],
)
def test_a_bad_conversation_is_named_with_its_row(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, "dialogs.jsonl", conversation("good") + line + "\n")
    with pytest.raises(CarelineError, match=r"dialogs\.jsonl row 2"):
        list(datasets.read_transcripts([path]))


def test_a_conversation_that_is_not_utf8_is_named_with_its_row(tmp_path: Path) -> None:
    content = conversation("good").encode() + b'{"id": "\xcd\xcb", "turns": []}\n'
    path = write(tmp_path, "dialogs.jsonl", content)
    with pytest.raises(CarelineError, match=r"dialogs\.jsonl row 2"):
        list(datasets.read_transcripts([path]))


def test_transcripts_are_read_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, "dialogs.jsonl", conversation("first") + "no json\n")
    assert next(datasets.read_transcripts([path])).id == "first"


def test_training_files_are_those_of_the_folder(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl", "c.csv.gz", "notes.md"):
        write(tmp_path, name, "x")
    names = [path.name for path in datasets.training_files(tmp_path)]
    assert names == ["a.jsonl", "b.csv", "c.csv.gz"]


def test_a_folder_without_training_files_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match=r"\.csv or \.jsonl"):
        datasets.training_files(tmp_path)


def test_one_intent_is_too_few_to_tell_apart(tmp_path: Path) -> None:
    one = write(tmp_path, "one.csv", "text,intent\nhello,greeting\nweather?,oos\n")
    with pytest.raises(CarelineError, match=r"one\.csv.*at least two"):
        datasets.read_all_examples([one])
    two = write(tmp_path, "two.csv", "text,intent\n退货,refund\n")
    assert len(datasets.read_all_examples([one, two])) == 3
