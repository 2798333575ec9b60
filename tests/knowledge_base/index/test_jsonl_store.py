from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.index import jsonl_store
from knowledge_base.index.jsonl_store import JsonlStore

ROWS: list[dict[str, Any]] = [{"text": "one\ntwo"}, {"text": "退货"}, {"text": ""}, {"n": 3}]


def test_rows_come_back_by_number(tmp_path: Path) -> None:
    jsonl_store.write(tmp_path / "rows.jsonl", map(jsonl_store.line, ROWS))
    found = JsonlStore(tmp_path / "rows.jsonl")
    assert len(found) == len(ROWS)
    assert [found[row] for row in (3, 1)] == [ROWS[3], ROWS[1]]
    assert list(found) == ROWS


def test_a_raw_row_can_be_written_again(tmp_path: Path) -> None:
    jsonl_store.write(tmp_path / "rows.jsonl", map(jsonl_store.line, ROWS))
    first = JsonlStore(tmp_path / "rows.jsonl")
    jsonl_store.write(tmp_path / "again.jsonl", [first.raw(2), first.raw(0)])
    assert list(JsonlStore(tmp_path / "again.jsonl")) == [ROWS[2], ROWS[0]]


def test_a_file_without_rows_opens(tmp_path: Path) -> None:
    jsonl_store.write(tmp_path / "rows.jsonl", [])
    assert list(JsonlStore(tmp_path / "rows.jsonl")) == []


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=9))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    clean = [{k.encode("utf-8", "ignore").decode(): v for k, v in row.items()} for row in rows]
    path = tmp_path_factory.mktemp("records") / "rows.jsonl"
    jsonl_store.write(path, map(jsonl_store.line, clean))
    assert list(JsonlStore(path)) == clean
