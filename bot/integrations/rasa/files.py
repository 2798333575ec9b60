"""Rasa's YAML as plain data: where the files of a project lie, and what stands in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError
from bot.training.datasets import read_text

_SUFFIXES: Final = (".yml", ".yaml")
_OLD: Final = (".md", ".json")
_ELSEWHERE: Final = frozenset({"models", "node_modules", "tests"})


@dataclass(frozen=True)
class SkippedItem:
    """Something of a project that was left out, and the reason."""

    where: str
    why: str


def yaml_files(path: Path) -> list[Path]:
    """Return the YAML files of a project; raise CarelineError where there are none."""
    if not path.exists():
        message = f"there is no file or folder {path}"
        raise CarelineError(message)
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if _belongs(file, path))
        if not found:
            message = f"{path} holds no .yml: give the folder of a Rasa project"
            raise CarelineError(message)
        return found
    if path.suffix in _OLD:
        message = f"{path} is in a format Rasa 3 gave up: run `rasa data convert` first"
        raise CarelineError(message)
    if path.suffix not in _SUFFIXES:
        message = f"{path} cannot be imported: give .yml, .csv, .jsonl or a folder"
        raise CarelineError(message)
    return [path]


def _belongs(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    hidden = any(part.startswith(".") or part in _ELSEWHERE for part in parts)
    return file.suffix in _SUFFIXES and not hidden and file.is_file()


def load(path: Path) -> dict[str, Any]:
    """Return a file's content, every scalar as text; raise CarelineError naming file and line.

    Rasa reads YAML 1.2, where `yes` and `on` are words: an intent may be called so.
    """
    import yaml

    text = read_text(path)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        content = yaml.load(text, loader)  # noqa: S506 - this loader makes nothing but text
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"{path} line {line} is not YAML: {error.problem or error.context}"
        raise CarelineError(message) from error
    except (yaml.YAMLError, RecursionError) as error:
        message = f"{path} line {_line(text, error)} is not YAML: {' '.join(str(error).split())}"
        raise CarelineError(message) from error
    if content in (None, ""):
        return {}
    if not isinstance(content, dict):
        message = f"{path} line 1 must map names such as `nlu` or `responses` to their content"
        raise CarelineError(message)
    return content


def _line(text: str, error: Exception) -> int:
    """Return the line of a character YAML does not allow."""
    position = getattr(error, "position", None)
    return text[:position].count("\n") + 1 if isinstance(position, int) else 1


def entries(value: Any, where: str, skipped: list[SkippedItem]) -> Iterator[dict[str, Any]]:
    """Yield the mappings of a list; what is no mapping is reported."""
    if value in (None, ""):
        return
    if not isinstance(value, list):
        skipped.append(SkippedItem(where, "is not a list"))
        return
    for number, item in enumerate(value, start=1):
        if isinstance(item, dict):
            yield item
        else:
            skipped.append(SkippedItem(f"{where} entry {number}", "is not a mapping"))


def lines(value: Any, where: str, skipped: list[SkippedItem]) -> Iterator[str]:
    """Yield the examples of a block (`- one` a line) or of a list of texts."""
    if isinstance(value, list):
        yield from (item.strip() for item in value if isinstance(item, str) and item.strip())
        return
    for number, line in enumerate(str(value or "").splitlines(), start=1):
        if line.startswith("-") and (text := line[1:].strip("\r\n ")):
            yield text
        elif line.strip():
            why = "is empty" if line.startswith("-") else "does not start with a dash"
            skipped.append(SkippedItem(f"{where} example {number}", why))
