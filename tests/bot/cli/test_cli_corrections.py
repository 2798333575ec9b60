"""`careline corrections`: from a click at the console to a version that knows better."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import app
from bot.container import Home, build_assistant
from bot.core.types import Correction, Message, new_id
from bot.store import corrections
from bot.training import datasets

TEXT = "my glowworm blinks thrice at dusk"


def run(home: Home, *arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.path), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def corrected(home: Home, times: int) -> None:
    """Answer a strange question and say what would have been right."""
    bot = build_assistant(home)
    names = iter(new_id, None)
    for _ in range(times):
        taught = next(name for name in names if not datasets.is_held_back(name))
        turn = bot.answer(Message(TEXT, taught))
        assert turn.understanding.intent != "warranty"
        right = {Correction.INTENT: "warranty", Correction.ANSWER: "It is covered for two years."}
        corrections.correct(home.engine, turn.message.id, "Ann", right)


def test_what_agents_corrected_is_written_as_examples(home: Home, tmp_path: Path) -> None:
    corrected(home, 2)
    out = tmp_path / "corrections.jsonl"
    written = run(home, "corrections", str(out))
    assert written == {"file": str(out), "conversations": 2, "intents": 2, "articles": 0}
    examples = datasets.read_examples(out)
    assert [(one.text, one.intent) for one in examples] == [(TEXT, "warranty")] * 2


@pytest.mark.slow
def test_what_agents_corrected_is_learnt(home: Home, tmp_path: Path) -> None:
    corrected(home, 3)
    out = tmp_path / "corrections.jsonl"
    run(home, "corrections", str(out))
    trained = run(home, "train", "--from", "current", "--add", str(out))
    assert trained["version"] == home.models.current_id()
    again = build_assistant(home).answer(Message(TEXT, new_id()))
    assert again.understanding.ranking[0].intent == "warranty"


def test_a_place_that_cannot_be_written_is_named(home: Home, tmp_path: Path) -> None:
    place = str(tmp_path / "nowhere" / "out.jsonl")
    done = CliRunner().invoke(app, ["corrections", place, "--home", str(home.path)])
    assert done.exit_code == 1
    assert "cannot be written" in str(done.exception)
