"""Tests that were made of something else, as YAML that people go on with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

_WIDTH: Final = 100


@dataclass(frozen=True)
class GeneratedTests:
    """Tests as they stand in a file, the comment above them, and what was left out."""

    tests: tuple[Mapping[str, Any], ...]
    comment: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def as_yaml(self) -> str:
        """Return the text of a file."""
        notes = "".join(f"# {' '.join(line.split())}\n" for line in self.comment)
        tests = [dict(test) for test in self.tests]
        return notes + yaml.safe_dump(tests, allow_unicode=True, sort_keys=False, width=_WIDTH)
