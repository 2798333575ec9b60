"""Files that are replaced atomically."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that the file is whole or absent, also after a power cut."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file so that readers see the old or the new text, never a part."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(2)}")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
