"""The house's rules, read from the code itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FLOORS = {
    "knowledge_base": 0,
    "bot.core.types": 1,
    "bot.core.settings": 1,
    "bot.core.privacy": 1,
    "bot.core.safe_regex": 1,
    "bot.nlu": 2,
    "bot.dialogue": 2,
    "bot.generation": 2,
    "bot.actions": 2,
    "bot.assistant.responder": 3,
    "bot.core.intent_history": 1,
    "bot.assistant.turn_context": 3,
    "bot.assistant.debouncing": 3,
    "bot.evaluation.batch_replies": 4.5,
    "bot.evaluation.conversation_tests": 4.5,
    "bot.store": 2.5,  # keeps turns and states, so it knows their vocabulary
    "bot.core.serialization": 1.5,
    "bot.assistant.protocols": 3,
    "bot.assistant.pipeline": 3,
    "bot.assistant.reply_assembly": 3,
    "bot.container": 4,
    "bot.integrations.importer": 3,
    "bot.integrations.rasa.home_export": 3,
    "bot.learning": 4,
    "bot.insights": 4,
    "careline_benchmarks": 4.5,
    "bot.agent_assist.canned_replies": 4,
    "bot.store.content_snapshots": 3,
    "bot.authoring.build": 4.5,
    "bot.authoring": 4.5,
    "bot.evaluation.replay": 4,
    "bot.evaluation.dry_run": 4.5,
    "bot.evaluation.replay_report": 4.5,
    "bot.authoring.doctor": 4.5,
    "bot.core.json_logging": 4,
    "bot.server": 5,
    "bot.cli": 6,
}
# Rooms of one floor that do not know each other; they meet in the assistant.
STRANGERS = ("bot.nlu", "bot.generation", "bot.actions")
OWNERS = {
    "faiss": ("knowledge_base/index/vector_stores.py",),
    "bm25s": ("knowledge_base/index/sparse.py",),
    "sentence_transformers": (
        "knowledge_base/encoders/torch_models.py",
        "knowledge_base/encoders/e5_weights.py",
    ),
    "pypdf": ("knowledge_base/sources/pdf.py",),
    "onnx": ("knowledge_base/encoders/onnx_export.py",),
    "onnxruntime": ("knowledge_base/encoders/onnx_encoder.py",),
    "opencc": ("knowledge_base/text/scripts.py",),
    "optuna": ("bot/training/hyperparameter_search.py",),
    "peft": ("bot/training/fine_tuning.py",),
    "rasa_sdk": ("bot/actions/",),
    "regex": ("bot/core/safe_regex.py",),
    "rjieba": ("bot/analytics/clustering.py",),
    "sanic": ("bot/actions/",),
    "grpc": ("bot/actions/",),
    "cryptography": ("bot/store/encryption.py",),
    "gradio": ("ui/",),
    "minify": ("ui/widget/",),
    "zopfli": ("ui/widget/",),
    "alembic": ("bot/store/",),
    "argon2": ("bot/store/",),
    "sqlalchemy": ("bot/store/", "bot/container.py"),
    "fastapi": ("bot/server/", "ui/"),
    "typer": ("bot/cli/",),
    "prometheus_client": ("bot/server/",),
}
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 70


def sources() -> list[Path]:
    return [
        path
        for room in ("knowledge_base", "bot", "ui")
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    """Return the longest room a module lies in."""
    rooms = [room for room in FLOORS if module == room or module.startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_its_own_room_or_a_lower_floor(path: Path) -> None:
    own = room_of(module_of(path))
    for name in imports_of(path):
        other = room_of(name)
        if own is None or other is None or own == other:
            continue
        assert FLOORS[other] <= FLOORS[own], f"{path} imports {name}"
        both = own in STRANGERS and other in STRANGERS
        assert not both, f"{path} imports {name}: rooms of one floor do not know each other"


def test_the_library_knows_nothing_of_bots_and_the_screens_nothing_of_either() -> None:
    for path in sources():
        room = path.relative_to(ROOT).parts[0]
        for name in imports_of(path):
            top = name.split(".")[0]
            assert not (room == "knowledge_base" and top in {"bot", "ui"}), path
            assert not (room == "ui" and top in {"bot", "knowledge_base"}), path
            assert not (room == "bot" and top == "ui"), path


def test_each_heavy_library_has_one_owner() -> None:
    for path in sources():
        relative = path.relative_to(ROOT).as_posix()
        for name in imports_of(path):
            owners = OWNERS.get(name.split(".")[0])
            assert owners is None or relative.startswith(owners), f"{relative} imports {name}"


def test_files_and_functions_stay_readable() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= MAX_FILE_LINES, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                assert length <= MAX_FUNCTION_LINES, f"{path}: {node.name} has {length} lines"


@pytest.mark.parametrize(
    "module", ["bot.assistant.pipeline", "bot.cli", "bot.container", "bot.store.conversation_log"]
)
def test_importing_loads_no_heavy_library(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([m for m in ('torch', 'transformers', 'faiss', 'gradio', 'sklearn', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
