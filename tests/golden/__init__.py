"""Golden turns: what the assistant says to hundreds of messages, recorded, so that changes show.

They are recorded on the home that version 0.1.0 made, with fixed ids and times, by

    python -m tests.golden.record

which plays the conversations of `scripts.py` and writes `turns.jsonl` and `shapes.json`. Record
anew only for a change of behaviour that is wanted, and look at the difference before you commit it.
"""

from pathlib import Path

TURNS = Path(__file__).with_name("turns.jsonl")
SHAPES = Path(__file__).with_name("shapes.json")
