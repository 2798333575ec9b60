"""The server as a separate process: time to the first answer, and memory."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx

from bot.core.types import CarelineError

_PATIENCE: Final = 120.0  # seconds
_AT_ONCE: Final = 4


def measure(home: Path, texts: Sequence[str], scratch: Path) -> dict[str, Any]:
    """Return seconds to the first answer, megabytes after all, and the loaded modules.

    The home is copied, so that the messages do not get into its log.
    """
    if not (home / "models" / "current").exists():
        message = f"{home} has no model yet: run `careline train` there, or name another --home"
        raise CarelineError(message)
    folder = scratch / "served"
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("*.db*", ".unfinished"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {
        **os.environ,
        "CARELINE_SCREENS": "false",
        "CARELINE_DATABASE_URL": f"sqlite:///{(folder / 'careline.db').resolve()}",
    }
    command = [sys.executable, "-m", "bot.cli", "serve", "--home", str(folder), "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 — our own command
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _first(client, texts[0], process)
            seconds = time.perf_counter() - started
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                codes = list(pool.map(lambda text: _ask(client, text), texts))
            megabytes = _resident(process.pid)
            modules = _loaded(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)
    answered = sum(code == httpx.codes.OK for code in codes)
    return {
        "seconds": round(seconds, 2),
        "megabytes": round(megabytes, 1),
        "answered": answered,
        "modules": modules,
    }


def _first(client: httpx.Client, text: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = "the server stopped at once: try `careline serve` and see what it says"
            raise CarelineError(message)
        try:
            if _ask(client, text) == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    message = f"the server gave no answer within {_PATIENCE:.0f} s"
    raise CarelineError(message)


def _ask(client: httpx.Client, text: str) -> int:
    return client.post("/api/messages", json={"text": text}).status_code


def _resident(pid: int) -> float:
    """Return the resident memory of a process, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


def _loaded(pid: int) -> list[str]:
    """Return the heavy libraries that a process has loaded."""
    mapped = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return [name for name in ("torch", "transformers", "onnxruntime") if f"/{name}/" in mapped]
