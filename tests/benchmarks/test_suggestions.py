"""Suggested questions on the demo's dialogs: the bar is met, and a planted failure misses it."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from careline_benchmarks.harness import BenchmarkContext, BenchmarkReport
from careline_benchmarks.question_suggestions import next_questions

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from tests.conftest import DEMO


def setting(tmp_path: Path, *, planted: bool = False, dialogs: bool = True) -> BenchmarkContext:
    home = tmp_path / "home"
    if dialogs:
        shutil.copytree(DEMO / "dialogs", home / "dialogs")
    return BenchmarkContext(tmp_path / "data", Home(Settings.load(home)), tmp_path, planted=planted)


def measured(found: BenchmarkContext) -> BenchmarkReport:
    result = BenchmarkReport()
    next_questions(found, result)
    return result


def test_suggestions_beat_the_most_popular_questions_on_held_back_dialogs(tmp_path: Path) -> None:
    result = measured(setting(tmp_path))
    (bar,) = result.bars
    assert bar.ok
    assert result.figures["suggestions"]["dialogs"]["n"] > 40


def test_suggestions_that_know_nothing_miss_the_bar(tmp_path: Path) -> None:
    (bar,) = measured(setting(tmp_path, planted=True)).bars
    assert not bar.ok


def test_services_are_measured_beside_the_bar(tmp_path: Path) -> None:
    found = setting(tmp_path)
    path = found.data / "transcripts" / "sgd_a.jsonl.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(40):
            turns = [{"role": "customer", "text": "x", "intent": i} for i in ("fly", "ride")]
            file.write(json.dumps({"id": f"d{number}", "turns": turns}) + "\n")
    services = measured(found).figures["suggestions"]["services"]
    assert services["n"] > 0
    assert services["hit@3"] == services["popular"] == 1.0


def test_a_home_without_held_back_dialogs_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match="dialogs"):
        measured(setting(tmp_path, dialogs=False))
