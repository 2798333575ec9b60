"""`careline reply`: errors of single lines, and continued runs."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.commands import app
from bot.container import Home
from bot.core.types import CarelineError
from bot.evaluation import batch_replies

Json = dict[str, Any]


def run(home: Home, *arguments: str | Path) -> tuple[int, list[Json]]:
    done = CliRunner().invoke(app, ["reply", *map(str, arguments), "--home", str(home.path)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def write(path: Path, *lines: Json | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def rows(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_lines_become_turns_and_conversations_keep_their_order(home: Home, tmp_path: Path) -> None:
    file = write(
        tmp_path / "in.jsonl",
        {"id": "a", "text": "where is my parcel", "conversation_id": "c1"},
        {"text": "how do I wash a rain jacket?"},
        {"id": "b", "text": "A10234", "conversation_id": "c1", "sender": "jo"},
    )
    status, turns = run(home, file, "--workers", "4")
    assert status == 0
    by_id = {turn["id"]: turn for turn in turns}
    assert by_id.keys() == {"a", "2", "b"}
    assert by_id["2"]["route"] == "retrieve"
    assert by_id["b"]["conversation_id"] == "c1"
    assert by_id["b"]["reason"] in {"slot_filled", "missing_slot"}  # of the form


def test_invalid_lines_are_reported_and_the_rest_is_answered(home: Home, tmp_path: Path) -> None:
    file = write(
        tmp_path / "in.jsonl",
        "no json",
        {"id": "ok", "text": "hello"},
        '["a list"]',
        "",
        {"id": 5},
        {"id": "empty", "text": " "},
        {"id": "long", "text": "hello", "conversation_id": "x" * 65},
    )
    out = tmp_path / "out.jsonl"
    status, (counts,) = run(home, file, "--out", out, "--json")
    assert status == 1
    assert {**counts, "seconds": 0} == {
        "lines": 6,
        "answered": 1,
        "failed": 5,
        "skipped": 0,
        "seconds": 0,
    }
    failed = {row["id"]: row for row in rows(out) if "error" in row}
    assert {name: row["line"] for name, row in failed.items()} == {
        "1": 1,
        "3": 3,
        "5": 5,
        "empty": 6,
        "long": 7,
    }
    assert all(row["error"] for row in failed.values())


def test_a_second_run_answers_only_the_remaining_lines(home: Home, tmp_path: Path) -> None:
    first, second = {"id": "one", "text": "hello"}, {"id": "two", "text": "hello again"}
    out = tmp_path / "out.jsonl"
    run(home, write(tmp_path / "in.jsonl", first, "broken"), "--out", out, "--workers", "1")
    before = rows(out)
    with out.open("a", encoding="utf-8") as file:
        file.write('{"id": "cut off')
    status, (counts,) = run(
        home, write(tmp_path / "in.jsonl", first, second), "--out", out, "--json"
    )
    assert status == 0
    assert (counts["skipped"], counts["answered"]) == (1, 1)
    assert [row["id"] for row in rows(out)] == ["one", "two"]
    assert rows(out)[0] == before[0]


def test_a_repeated_line_of_a_conversation_is_answered_once(home: Home, tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", {"id": "a", "text": "hello", "conversation_id": "c1"})
    first, second = run(home, file)[1], run(home, file)[1]
    assert first[0]["reply_id"] == second[0]["reply_id"]


def test_json_requires_a_file_for_the_turns(home: Home, tmp_path: Path) -> None:
    assert run(home, write(tmp_path / "in.jsonl", {"text": "hello"}), "--json")[0] == 2


def test_files_may_be_compressed_and_must_exist(tmp_path: Path) -> None:
    compressed = tmp_path / "in.jsonl.gz"
    compressed.write_bytes(gzip.compress('{"text": "你好"}\n'.encode()))
    assert [line.text for line in batch_replies.read(compressed)] == ["你好"]
    with pytest.raises(CarelineError, match="cannot be read"):
        list(batch_replies.read(tmp_path / "missing.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9"}\n')
    (line,) = batch_replies.read(tmp_path / "latin.jsonl")
    assert line.error is not None
