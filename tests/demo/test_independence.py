"""The framework knows nothing of the demo: no intent, no slot, no action, no page of it."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bot.actions.runner import ActionRunner
from bot.dialogue import policy
from bot.training import datasets
from tests.conftest import DEMO, ROOT

# Names that the demo shares with the framework, and why the framework has them.
RESERVED: Final = {
    "oos": "out of scope, in every home",
    "customer": "the slot that only the server fills; a role of the transcript",
    "identified": "the slot that actions fill with what a customer proved to own",
    "requested_slot": "Rasa's name for the slot that is asked for",
    "email": "a kind of entity that the core finds; a field of forms and of exports",
    "phone": "a kind of entity that the core finds",
    "human": "who has a conversation: a state of the hand-off",
    "greeting": "a built-in template",
    "thanks": "a built-in template",
    "complaint": "a kind of intent in policy.yml",
    "product": "an English word, by which statements are reworded",
    "invoice": "an English word, by which a language is told",
    "items": "an English word: a key of JSON Schema and of listings",
}
SHOP: Final = re.compile(r"fernway|蕨途|order_number|\bA\d{5}\b", re.IGNORECASE)


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name:
                yield path


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the string constants of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str):
            yield node.lineno, node.value


def demo_names() -> set[str]:
    content = policy.load(DEMO / "policy.yml").content
    examples = datasets.read_all_examples(datasets.training_files(DEMO / "dialogs"))
    actions = ActionRunner(DEMO, dry=True).names()
    set_by_actions = {"return_reason", "items", "product"}
    return {
        *(example.intent for example in examples),
        *(*content.routes, *content.slots, *content.wanted(), *content.entities),
        *(*actions, *set_by_actions),
    }


def test_no_string_of_the_framework_is_a_name_of_the_demo() -> None:
    names = demo_names() - set(RESERVED)
    assert len(names) > 30
    found = [
        f"{path.relative_to(ROOT)}:{line} {value}"
        for path in sources("bot")
        if path.suffix == ".py"
        for line, value in constants(path)
        if value in names
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["bot", "knowledge_base", "ui"])
def test_no_file_speaks_of_the_shop(folder: str) -> None:
    found = []
    for path in sources(folder):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{n}" for n, line in enumerate(lines, 1) if SHOP.search(line)
        ]
    assert found == []


def test_the_demo_may_be_deleted(tmp_path: Path) -> None:
    for package in ("bot", "knowledge_base", "ui"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    code = """
import importlib, pkgutil
import bot, knowledge_base, ui
for package in (bot, knowledge_base, ui):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
print(bot.__file__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
