"""The commands as a shell runs them: in this process, which is fast, or in one of their own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot import cli
from tests.conftest import ROOT


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def careline(*words: str, environment: Mapping[str, str] | None = None) -> Done:
    """Run a command in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.object(sys, "argv", ["careline", *words]),
        patch.dict(os.environ, environment or {}),
        chdir(ROOT),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def careline_at(home: Path, *words: str) -> tuple[int, str, str]:
    """Run a command on a home; return its exit code, standard output and standard error."""
    done = careline(*words, "--home", str(home))
    return done.returncode, done.stdout, done.stderr


def spawned(*words: str) -> Done:
    """Run a command in a process of its own: what libraries print there counts too."""
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def json_of(*words: str) -> Any:
    """Return the JSON value a command prints."""
    done = careline(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
