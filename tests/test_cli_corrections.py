"""`careline corrections`: from a click at the console to a version that knows better."""

import json
from pathlib import Path

from typer.testing import CliRunner

from bot.bootstrap import Home, assistant
from bot.cli.app import app
from bot.nlu import datasets
from bot.store import corrections
from bot.types import Corrected, Message, new_id


def run(home: Home, *arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.path), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_agents_corrected_is_written_and_learnt(home: Home, tmp_path: Path) -> None:
    bot = assistant(home)
    names = iter(new_id, None)
    text = "my glowworm blinks thrice at dusk"
    for _ in range(3):
        taught = next(name for name in names if not datasets.is_held_back(name))
        turn = bot.answer(Message(text, taught))
        right = {Corrected.INTENT: "warranty", Corrected.ANSWER: "It is covered for two years."}
        corrections.correct(home.engine, turn.message.id, "Ann", right)
    assert turn.understanding.intent != "warranty"
    out = tmp_path / "corrections.jsonl"
    written = run(home, "corrections", str(out))
    assert written == {"file": str(out), "conversations": 3, "intents": 3, "articles": 0}
    trained = run(home, "train", "--from", "current", "--add", str(out))
    assert trained["version"] == home.models.current_id()
    again = assistant(home).answer(Message(text, new_id()))
    assert again.understanding.ranking[0].intent == "warranty"


def test_a_place_that_cannot_be_written_is_named(home: Home, tmp_path: Path) -> None:
    place = str(tmp_path / "nowhere" / "out.jsonl")
    done = CliRunner().invoke(app, ["corrections", place, "--home", str(home.path)])
    assert done.exit_code == 1
    assert "cannot be written" in str(done.exception)
