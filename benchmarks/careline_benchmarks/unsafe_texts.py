"""Readers of the real data about safety for `careline bench safety`."""

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from careline_benchmarks.harness import BenchmarkContext


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return (json.loads(line) for line in text.split("\n") if line.strip())


def texts(setting: BenchmarkContext, name: str) -> list[str]:
    """Return the texts of a file."""
    return [str(row["text"]) for row in _rows(setting.file("safety", name))]


def requests(setting: BenchmarkContext, code: str) -> list[str]:
    """Return unsafe requests in a language."""
    files = sorted(setting.file("safety", "xsafety", code).glob("*.jsonl"))
    return [str(row["text"]) for path in files for row in _rows(path)]


def prompts_of(setting: BenchmarkContext) -> tuple[list[str], list[str]]:
    """Return benign prompts and attacks."""
    rows = list(_rows(setting.file("safety", "piguard_valid.jsonl")))
    benign, attacks = ([str(r["prompt"]) for r in rows if r["label"] == n] for n in (0, 1))
    return benign, attacks


def comments(setting: BenchmarkContext) -> dict[str, list[str]]:
    """Return comments by whether they are offensive: "1" or "0"."""
    by_label: dict[str, list[str]] = {"0": [], "1": []}
    path = setting.file("safety", "cold_zh_dev.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_label[row["label"]].append(row["TEXT"])
    return by_label
