"""The YAML files of a Rasa project, read as plain data."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError
from bot.training.datasets import read_text

_SUFFIXES: Final = (".yml", ".yaml")
_OLD_SUFFIXES: Final = (".md", ".json")
_SKIPPED_FOLDERS: Final = frozenset({"models", "node_modules", "tests"})


@dataclass(frozen=True)
class SkippedItem:
    """An item of a project that was skipped, and the reason."""

    where: str
    why: str


def yaml_files(path: Path) -> list[Path]:
    """Return the YAML files of a project; raise CarelineError if there are none."""
    if not path.exists():
        message = f"there is no file or folder {path}"
        raise CarelineError(message)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _is_project_file(file, path))
        if not files:
            message = f"{path} contains no .yml file: give the folder of a Rasa project"
            raise CarelineError(message)
        return files
    if path.suffix in _OLD_SUFFIXES:
        message = f"{path} is in a format that Rasa 3 dropped: run `rasa data convert` first"
        raise CarelineError(message)
    if path.suffix not in _SUFFIXES:
        message = f"{path} cannot be imported: give .yml, .csv, .jsonl or a folder"
        raise CarelineError(message)
    return [path]


def _is_project_file(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    is_skipped = any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in parts)
    return file.suffix in _SUFFIXES and not is_skipped and file.is_file()


def load(path: Path) -> dict[str, Any]:
    """Return a file's content with all scalars as text; raise CarelineError with file and line.

    Rasa reads YAML 1.2, where `yes` and `on` are strings and may be names of intents.
    """
    import yaml

    text = read_text(path)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        content = yaml.load(text, loader)  # noqa: S506 - this loader creates only text
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
    """Return the line of a character that YAML does not allow."""
    position = getattr(error, "position", None)
    return text[:position].count("\n") + 1 if isinstance(position, int) else 1


def entries(value: Any, where: str, skipped: list[SkippedItem]) -> Iterator[dict[str, Any]]:
    """Yield the mappings of a list; report other items as skipped."""
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
    """Yield the examples of a block (a line each, after a dash) or of a list of texts."""
    if isinstance(value, list):
        yield from (item.strip() for item in value if isinstance(item, str) and item.strip())
        return
    for number, line in enumerate(str(value or "").splitlines(), start=1):
        if line.startswith("-") and (text := line[1:].strip("\r\n ")):
            yield text
        elif line.strip():
            why = "is empty" if line.startswith("-") else "does not start with a dash"
            skipped.append(SkippedItem(f"{where} example {number}", why))
