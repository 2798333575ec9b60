"""Output of generated tests as YAML that people can edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

_WIDTH: Final = 100


@dataclass(frozen=True)
class GeneratedTests:
    """Tests for a file, the comment above them, and the skipped messages."""

    tests: tuple[Mapping[str, Any], ...]
    comment: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def as_yaml(self) -> str:
        """Return the text of a file."""
        notes = "".join(f"# {' '.join(line.split())}\n" for line in self.comment)
        tests = [dict(test) for test in self.tests]
        return notes + yaml.safe_dump(tests, allow_unicode=True, sort_keys=False, width=_WIDTH)
