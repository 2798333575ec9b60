"""Names and prose: what CONTRIBUTING asks of them, as far as it can be counted."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.test_architecture import sources

GENERIC = {"found", "said", "one", "told", "kept"}  # say how a value came, not what it is
MAX_GENERIC = 0.01  # of all assigned names
OPENINGS = {"Tell", "Tells", "What", "Whether", "Who", "How", "Where", "When", "Says", "Knows"}
# Modules in -ing are nouns of the field.
ING = {
    *("adapter_training", "chunking", "clustering", "continuous_batching", "data_cleaning"),
    *("debouncing", "fine_tuning", "json_logging", "micro_batching", "model_training"),
    *("search_training", "serving", "spelling", "streaming", "tampering", "understanding"),
}
STANDS = re.compile(r"\b(stands?|stood|lies|lain)\b")
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sources():
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def assigned_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, DEFINITIONS) and (text := ast.get_docstring(node)):
            yield text


def test_locals_say_what_they_hold() -> None:
    names = [name for _, tree in trees() for name in assigned_names(tree)]
    assert sum(name in GENERIC for name in names) <= MAX_GENERIC * len(names)


def test_docstrings_begin_in_the_imperative_or_with_a_noun() -> None:
    wrong = [
        f"{path}: {text.splitlines()[0]}"
        for path, tree in trees()
        for text in docstrings(tree)
        if text.split()[0] in OPENINGS
    ]
    assert wrong == []


def test_docstrings_say_is_and_is_stored() -> None:
    wrong = [
        f"{path}: {match[0]}"
        for path, tree in trees()
        for text in docstrings(tree)
        for match in STANDS.finditer(text)
    ]
    assert wrong == []


def test_modules_in_ing_are_nouns_of_the_field() -> None:
    names = {path.stem for path in sources()}
    assert {name for name in names if name.endswith("ing")} <= ING


def test_public_class_names_are_unique() -> None:
    places = defaultdict(list)
    for path in sources():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
