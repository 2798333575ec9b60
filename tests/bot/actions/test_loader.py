"""A home's own Python actions: loaded under a module name of their own."""

import sys
from pathlib import Path

import pytest

from bot.actions import ActionContext, loader
from bot.actions.effects import FILE
from bot.actions.runner import ActionRunner
from bot.authoring import editable_files
from bot.core.types import CarelineError
from tests.bot.actions.calling import call, templates

ACTION = """
from rasa_sdk import Action
from .words import WORD

class Note(Action):
    def __init__(self, context):
        self.context = context
        context.effects.add_tables("CREATE TABLE IF NOT EXISTS notes (text TEXT)")

    def name(self):
        return "action_note"

    def run(self, dispatcher, tracker, domain):
        def effect(transaction):
            transaction.execute("INSERT INTO notes VALUES (?)", (tracker.slots["text"],))
            row = transaction.execute("SELECT count(*) FROM notes").fetchone()
            return f"{WORD} {row[0]}"
        dispatcher.utter_message(text=self.context.once(tracker, self.name(), effect))
        return []

def actions(context):
    return [Note(context)]
"""


def home_of(folder: Path, word: str = "note", source: str = ACTION) -> Path:
    package = folder / loader.FOLDER
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source, encoding="utf-8")
    (package / "words.py").write_text(f"WORD = {word!r}\n", encoding="utf-8")
    return folder


def files(home: Path) -> set[Path]:
    return {path for path in home.rglob("*") if "__pycache__" not in path.parts}


def test_two_homes_in_one_process_have_actions_of_their_own(tmp_path: Path) -> None:
    runners = [ActionRunner(home_of(tmp_path / word, word)) for word in ("one", "two")]
    found = [templates(runner.run(call("action_note", text="x"))) for runner in runners]
    assert found == ["one 1", "two 1"]
    names = [name for name in sys.modules if name.startswith("careline_home_")]
    assert all(f"{loader.load(tmp_path / word).__name__}.words" in names for word in ("one", "two"))


def test_a_message_acts_once_and_hears_the_same(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    messages = ("m1", "m1", "m2", "m1")
    found = [templates(ActionRunner(home).run(call("action_note", m, text="x"))) for m in messages]
    assert found == ["note 1", "note 1", "note 2", "note 1"]


def test_what_runs_dry_writes_nothing(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    before = files(home)
    dry = ActionRunner(home, dry=True)
    found = [templates(dry.run(call("action_note", m, text="x"))) for m in ("m1", "m2", "m1")]
    assert found == ["note 1", "note 2", "note 1"]
    assert files(home) == before
    ActionRunner(home).run(call("action_note", text="x"))
    assert (home / FILE).exists()


def test_a_context_is_dry_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    assert ActionContext.of_home(tmp_path).dry


def test_an_effect_that_fails_is_not_recorded(tmp_path: Path) -> None:
    source = ACTION.replace('return f"{WORD} {row[0]}"', 'return f"{WORD} {1 // row[0]}" / 0')
    runner = ActionRunner(home_of(tmp_path, source=source))
    for _ in range(2):
        with pytest.raises(TypeError):
            runner.run(call("action_note", text="x"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import rasa_sdk\n1 / 0\n", r"__init__\.py, line 2: ZeroDivisionError"),
        ("def actions(context)\n", r"__init__\.py, line 1: SyntaxError"),
        ("\n\nfrom .absent import x\n", r"__init__\.py, line 3: ModuleNotFoundError"),
        ("def actions(context):\n    return [nobody]\n", r"__init__\.py, line 2: NameError"),
        ("x = 1\n", r"has no function `actions\(context\)`"),
    ],
    ids=["a mistake", "no Python", "a missing module", "the factory", "no factory"],
)
def test_what_cannot_be_loaded_is_named_with_its_line(
    tmp_path: Path, source: str, expected: str
) -> None:
    with pytest.raises(CarelineError, match=expected):
        ActionRunner(home_of(tmp_path, source=source))


def test_a_mistake_in_another_file_is_named_there(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    (home / loader.FOLDER / "words.py").write_text("\nWORD = word\n", encoding="utf-8")
    with pytest.raises(CarelineError, match=r"words\.py, line 2: NameError"):
        ActionRunner(home)


def test_a_folder_without_a_package_is_named(tmp_path: Path) -> None:
    (tmp_path / loader.FOLDER).mkdir()
    with pytest.raises(CarelineError, match=r"__init__\.py is missing"):
        ActionRunner(tmp_path)


def test_actions_given_to_the_runner_are_deprecated(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    action = loader.create(ActionContext.of_home(home))[0]
    action.name = lambda: "action_more"
    with pytest.warns(DeprecationWarning, match="actions/"):
        runner = ActionRunner(home / "orders.db", further=[action])  # as it was called in 0.1.0
    assert set(runner.names()) == {"action_note", "action_more"}


@pytest.mark.parametrize("path", ["actions/__init__.py", "actions/notes.md", "site/index.html"])
def test_the_workshop_edits_no_code(tmp_path: Path, path: str) -> None:
    home = home_of(tmp_path)
    with pytest.raises(CarelineError):
        editable_files.read(home, path)
    assert not [
        one for one, _ in editable_files.list_files(home) if one.startswith(("actions", "site"))
    ]
