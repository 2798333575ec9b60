"""`careline corrections`: from a correction in the console to a version trained on it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import app
from bot.container import Home, build_assistant
from bot.core.types import Correction, Message, new_id
from bot.store.corrections import Corrections
from bot.training import datasets

TEXT = "my glowworm blinks thrice at dusk"


def run(home: Home, *arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.path), "--json"])
    assert done.exit_code == 0, done.output
    value: dict[str, object] = json.loads(done.stdout)
    return value


def correct_answers(home: Home, times: int) -> None:
    """Answer an unusual question and store a correction, several times."""
    bot = build_assistant(home)
    identifiers = iter(new_id, None)
    for _ in range(times):
        conversation = next(name for name in identifiers if not datasets.is_held_back(name))
        turn = bot.answer(Message(TEXT, conversation))
        assert turn.understanding.intent != "warranty"
        corrected = {
            Correction.INTENT: "warranty",
            Correction.ANSWER: "It is covered for two years.",
        }
        Corrections(home.engine).correct(turn.message.id, "Ann", corrected)


def test_corrections_are_written_as_examples(home: Home, tmp_path: Path) -> None:
    correct_answers(home, 2)
    out = tmp_path / "corrections.jsonl"
    written = run(home, "corrections", str(out))
    assert written == {"file": str(out), "conversations": 2, "intents": 2, "articles": 0}
    examples = datasets.read_examples(out)
    assert [(example.text, example.intent) for example in examples] == [(TEXT, "warranty")] * 2


@pytest.mark.slow
def test_training_uses_the_corrections(home: Home, tmp_path: Path) -> None:
    correct_answers(home, 3)
    out = tmp_path / "corrections.jsonl"
    run(home, "corrections", str(out))
    trained = run(home, "train", "--from", "current", "--add", str(out))
    assert trained["version"] == home.models.current_id()
    turn = build_assistant(home).answer(Message(TEXT, new_id()))
    assert turn.understanding.ranking[0].intent == "warranty"


def test_the_error_for_an_unwritable_file_says_so(home: Home, tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "out.jsonl")
    done = CliRunner().invoke(app, ["corrections", path, "--home", str(home.path)])
    assert done.exit_code == 1
    assert "cannot be written" in str(done.exception)
