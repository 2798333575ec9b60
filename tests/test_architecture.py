"""The rules of the architecture that import-linter does not check, read from the code itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import grimp
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tests.conftest import ROOT

PACKAGES = ("knowledge_base", "bot", "ui", "benchmarks")
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
    "zopfli": ("ui/assets.py",),
    "alembic": ("bot/store/",),
    "argon2": ("bot/store/",),
    "sqlalchemy": ("bot/store/", "bot/container.py"),
    "fastapi": ("bot/server/", "ui/"),
    "typer": ("bot/cli/",),
    "prometheus_client": ("bot/server/",),
}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_BROAD_EXCEPTS = 12
BROAD = {"Exception", "BaseException"}


def sources() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_module_imports_itself_through_others() -> None:
    """Imports inside functions and for types alone count too."""
    graph = grimp.build_graph("bot", "knowledge_base", "ui", "careline_benchmarks")
    modules = sorted(graph.modules)
    number = {module: i for i, module in enumerate(modules)}
    edges = [
        (number[module], number[other])
        for module in modules
        for other in graph.find_modules_directly_imported_by(module)
    ]
    rows, columns = zip(*edges, strict=True)
    matrix = csr_array(([1] * len(edges), (rows, columns)), shape=(len(modules), len(modules)))
    _, component = connected_components(matrix, directed=True, connection="strong")
    by_component = sorted(zip(component.tolist(), modules, strict=True))
    groups = [[m for _, m in part] for _, part in groupby(by_component, key=lambda pair: pair[0])]
    assert [group for group in groups if len(group) > 1] == []


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


def test_broad_excepts_are_few() -> None:
    """Others use `log_failure`, which counts as one."""
    handlers = [
        f"{path}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or BROAD & {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
        )
    ]
    assert len(handlers) + 1 <= MAX_BROAD_EXCEPTS, handlers


def test_scripts_stay_readable() -> None:
    for path in sorted((ROOT / "ui").rglob("*.js")):
        assert path.read_text(encoding="utf-8").count("\n") <= MAX_FILE_LINES, path


def test_help_imports_little() -> None:
    code = "import sys, bot.cli; print([m for m in ('numpy', 'pydantic') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


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
