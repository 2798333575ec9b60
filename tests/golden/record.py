"""Record the golden turns anew: `python -m tests.golden.record`.

What a processor rounds differently must not change a golden turn. So every conversation is played
by torch with one thread and with two, and by the int8 engine, whose numbers differ far more than
those of two processors do; it is kept up to the first turn at which any of them disagree.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.fixtures import OldHome, unpack
from tests.golden import SHAPES, TURNS
from tests.golden.player import Json, Script, read, save, write
from tests.golden.scripts import scripts

ROOT = Path(__file__).parents[2]


# The very small encoder finds everything a little like everything.
_STRICT = {"evidence: 0.08 ": "evidence: 0.25 ", "search_evidence: 0.3 ": "search_evidence: 0.45 "}


def prepared(folder: Path, **settings: str) -> OldHome:
    """Return a copy of the old home that wants more evidence, so that some questions have none."""
    home = unpack(folder, **settings)
    policy = (home.path / "policy.yml").read_text(encoding="utf-8")
    for before, after in _STRICT.items():
        assert before in policy
        policy = policy.replace(f" {before}", f" {after}")
    (home.path / "policy.yml").write_text(policy, encoding="utf-8")
    return home


def replay(home: OldHome, script: Iterable[Script], *, threads: int = 1) -> list[Json]:
    """Play conversations in a process of its own, whatever the time zone here."""
    save(script, home.path.parent / "script.jsonl")
    arguments = [home.path, home.path.parent / "script.jsonl", home.path.parent / "out.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden.player", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            **{name: value for name, value in os.environ.items() if "CARELINE_" not in name},
            "OMP_NUM_THREADS": str(threads),
            "TOKENIZERS_PARALLELISM": "false",
            "TZ": "UTC",
        },
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return read(arguments[-1])


def scripts_of(rows: Iterable[Json]) -> list[Script]:
    """Return the conversations that recorded turns are of."""
    found: dict[str, Script] = {}
    for row in rows:
        new = Script(row["conversation"], row["at"], [], row.get("customer"))
        found.setdefault(row["conversation"], new).texts.append(row["text"])
    return list(found.values())


def recorded() -> list[Json]:
    """Return the golden turns, each with its keys."""
    shapes = json.loads(SHAPES.read_text(encoding="utf-8"))
    return [
        {**row, "shapes": {name: shapes[name][number] for name, number in row["shapes"].items()}}
        for row in read(TURNS)
    ]


def keep(rows: list[Json]) -> None:
    """Write golden turns; the lists of keys, of which there are few, are written once."""
    shapes: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        for name, keys in row["shapes"].items():
            if keys not in shapes[name]:
                shapes[name].append(keys)
    numbered = [
        {**row, "shapes": {name: shapes[name].index(keys) for name, keys in row["shapes"].items()}}
        for row in rows
    ]
    write(numbered, TURNS)
    SHAPES.write_text(json.dumps(shapes, indent=1) + "\n", encoding="utf-8")


def agreed(runs: list[list[Json]]) -> list[Json]:
    """Return the turns all runs agree on, of each conversation those before the first doubt."""
    doubtful: set[str] = set()
    kept = []
    for first, *others in zip(*runs, strict=True):
        if any(other != first for other in others):
            doubtful.add(first["conversation"])
        if first["conversation"] not in doubtful:
            kept.append(first)
    return kept


def main() -> None:
    every = scripts()
    with tempfile.TemporaryDirectory() as scratch:
        home = prepared(Path(scratch) / "torch")
        quick = prepared(Path(scratch) / "int8", engine="auto")
        subprocess.run(
            [sys.executable, "-m", "bot.cli", "ingest", "--home", str(quick.path)],
            cwd=ROOT,
            check=True,
        )
        runs = [replay(home, every), replay(home, every, threads=2), replay(quick, every)]
    rows = agreed(runs)
    keep(rows)
    counts = [Counter(row[field] for row in rows) for field in ("route", "language")]
    sys.stdout.write(f"{len(rows)} of {len(runs[0])} turns: {counts}\n")


if __name__ == "__main__":
    main()
