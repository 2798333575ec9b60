"""Checkpoints, from which a killed training continues."""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bot.core.failures import log_failure

_logger = logging.getLogger(__name__)
_EVERY: Final = 60.0  # seconds


class Checkpoints:
    """The last state of a run, in a folder named after everything the run depends on."""

    def __init__(self, root: Path, facts: Sequence[Any], every: float = _EVERY) -> None:
        """Set the folder for all runs, and the facts that identify this run."""
        digest = hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()[:16]
        self.name = digest
        self._folder = root / digest
        self._every = every
        self._saved = time.monotonic()

    @property
    def _file(self) -> Path:
        return self._folder / "state.pt"

    def maybe_save(self, state: Callable[[], dict[str, Any]]) -> None:
        """Write the state if the last one is old enough; readers never see a partial one."""
        if time.monotonic() - self._saved < self._every:
            return
        import torch

        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".part")
        torch.save(state(), scratch)
        scratch.replace(self._file)
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Return the state of a killed run; None if there is none."""
        if not self._file.exists():
            return None
        with log_failure(_logger, "%s cannot be read: the training starts again", self._file):
            return self._read()
        self.clear()
        return None

    def _read(self) -> dict[str, Any]:
        import torch

        from knowledge_base.encoders.torch_models import device

        state: dict[str, Any] = torch.load(self._file, weights_only=False, map_location=device())
        return state

    def clear(self) -> None:
        """Delete the state of a finished run."""
        shutil.rmtree(self._folder, ignore_errors=True)
