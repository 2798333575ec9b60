import time
from pathlib import Path

import pytest

from bot.training.checkpoints import Checkpoints

FACTS = ["encoder", "full", 0, {"epochs": 3}, [("退款", "refund")]]


def test_a_state_is_found_again_by_the_same_run(tmp_path: Path) -> None:
    Checkpoints(tmp_path, FACTS, every=0).maybe_save(lambda: {"step": 7})
    assert Checkpoints(tmp_path, FACTS).load() == {"step": 7}


def test_a_run_of_anything_else_starts_anew(tmp_path: Path) -> None:
    Checkpoints(tmp_path, FACTS, every=0).maybe_save(lambda: {"step": 7})
    assert Checkpoints(tmp_path, [*FACTS, "more"]).load() is None
    assert Checkpoints(tmp_path, [*FACTS[:2], 1, *FACTS[3:]]).load() is None


def test_before_the_first_there_is_none_and_after_the_last_none_again(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, FACTS, every=0)
    assert checkpoints.load() is None
    checkpoints.clear()
    checkpoints.maybe_save(lambda: {"step": 1})
    checkpoints.clear()
    assert checkpoints.load() is None
    assert list(tmp_path.iterdir()) == []


def test_a_state_is_asked_for_only_when_the_last_is_old_enough(tmp_path: Path) -> None:
    checkpoints, asked = Checkpoints(tmp_path, FACTS, every=0.2), []

    def state() -> dict[str, int]:
        asked.append(1)
        return {"step": len(asked)}

    checkpoints.maybe_save(state)
    assert asked == []
    time.sleep(0.25)
    checkpoints.maybe_save(state)
    checkpoints.maybe_save(state)
    assert len(asked) == 1


def test_a_write_that_is_cut_off_leaves_the_state_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    checkpoints = Checkpoints(tmp_path, FACTS, every=0)
    checkpoints.maybe_save(lambda: {"step": 1})

    def cut_off(_: object, path: Path) -> None:
        path.write_bytes(b"PK")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", cut_off)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.maybe_save(lambda: {"step": 2})
    assert Checkpoints(tmp_path, FACTS).load() == {"step": 1}
