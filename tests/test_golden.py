"""What the assistant says to hundreds of messages is what was recorded.

`tests/golden/__init__.py` says how it is recorded anew, and when.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.player import Json
from tests.golden.record import prepared, recorded, replay, scripts_of

SHOWN = 12  # differences that are reported
GOLDEN = recorded()


def differences(expected: Json, got: Json) -> Iterator[str]:
    """Yield what differs between a recorded turn and the same turn now, a line each."""
    where = f"{expected['conversation']}, turn {expected['turn']} ({expected['text']!r})"
    for field in sorted(expected.keys() | got.keys()):
        before, now = expected.get(field), got.get(field)
        if field == "shapes":
            for name, keys in expected["shapes"].items():
                yield from _keys(f"{where}: keys of {name}", keys, got["shapes"][name])
        elif before != now:
            yield f"{where}: {field}: expected {before!r}, got {now!r}"


def _keys(where: str, expected: list[str], got: list[str]) -> Iterator[str]:
    if missing := sorted(set(expected) - set(got)):
        yield f"{where}: missing {missing}"
    if new := sorted(set(got) - set(expected)):
        yield f"{where}: new {new}"


def reasons(rows: list[Json]) -> set[Any]:
    return {row["reason"].split(":")[0] for row in rows}


@pytest.mark.timeout(900)  # the machine may have other work
def test_every_golden_turn_comes_out_as_it_was_recorded(tmp_path: Path) -> None:
    played = replay(prepared(tmp_path), scripts_of(GOLDEN))
    assert len(played) == len(GOLDEN)
    found = [
        line
        for expected, got in zip(GOLDEN, played, strict=True)
        for line in differences(expected, got)
    ]
    assert not found, "\n".join([f"{len(found)} differences, the first:", *found[:SHOWN]])


def test_the_golden_turns_are_of_every_kind() -> None:
    assert len(GOLDEN) >= 300
    languages = Counter(row["language"] for row in GOLDEN)
    assert min(languages["en"], languages["zh"]) >= 100
    routes = Counter(row["route"] for row in GOLDEN)
    assert set(routes) == {"template", "retrieve", "clarify", "act", "handoff"}
    assert min(routes.values()) >= 10
    assert reasons(GOLDEN) >= {
        *("no_evidence", "refused", "smalltalk", "emergency", "abuse", "out_of_scope", "unsure"),
        *("missing_slot", "slot_filled", "slot_invalid", "corrected", "confirm", "confirmed"),
        *("form_cancelled", "withdrawn", "escalation", "other_language", "no_words"),
    }


def test_the_golden_turns_act_cite_offer_buttons_and_go_on() -> None:
    assert len({action for row in GOLDEN for action in row["actions"]}) >= 7
    assert len({citation[0] for row in GOLDEN for citation in row["citations"]}) >= 30
    assert any(row["text"].startswith("/") for row in GOLDEN)
    assert sum(len(row["requests"]) > 1 for row in GOLDEN) >= 15
    assert sum(row["turn"] > 0 for row in GOLDEN) >= 100
    assert any(row["buttons"] for row in GOLDEN)
    assert {tuple(row["handoff"]) for row in GOLDEN if row["handoff"]} >= {
        ("queued", "support"),
        ("queued", "complaints"),
        ("queued", "security"),
    }


def test_a_difference_is_told_with_its_place() -> None:
    first = GOLDEN[0]
    changed = {**first, "reply": "Other words."}
    (line,) = differences(first, changed)
    assert line.startswith(f"{first['conversation']}, turn 0 ({first['text']!r}): reply: expected ")
    assert line.endswith("got 'Other words.'")
