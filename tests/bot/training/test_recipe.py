from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.types import CarelineError
from bot.training import recipe
from bot.training.recipe import TrainingRecipe


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 8), (1000, 8), (1601, 5), (4000, 3), (100_000, 3), (0, 8)]
)
def test_few_examples_are_seen_more_often(examples: int, epochs: int) -> None:
    assert TrainingRecipe().for_examples(examples).epochs == epochs


def test_epochs_that_were_asked_for_stay() -> None:
    assert TrainingRecipe(epochs=2).for_examples(10).epochs == 2
    assert replace(TrainingRecipe(epochs=2).for_examples(10), epochs=None) == TrainingRecipe()


@given(st.integers(1, 3000), st.floats(0.0, 0.5))
def test_the_rate_rises_to_one_and_falls_to_almost_nothing(steps: int, warm_up: float) -> None:
    made = TrainingRecipe(warm_up=warm_up)
    rates = [made.rate(step, steps) for step in range(steps)]
    assert all(0.0 < rate <= 1.0 for rate in rates)
    top = max(range(steps), key=rates.__getitem__)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert top <= warm_up * steps + 1
    assert made.rate(steps, steps) == pytest.approx(0.02) or steps == 1


def test_a_recipe_is_read_from_its_file_and_only_what_is_unusual_is_written(tmp_path: Path) -> None:
    path = tmp_path / recipe.FILE
    assert recipe.load(path) == TrainingRecipe()
    found = TrainingRecipe(epochs=4, batch=32, encoder_rate=1e-5, strength=0.25)
    recipe.save(found, path)
    assert recipe.load(path) == found
    assert "typos" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("batsh = 3\n", "batsh"),
        ('batch = "big"\n', "batch"),
        ("batch = true\n", "batch"),
        ("=", "TOML"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / recipe.FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CarelineError, match=named) as caught:
        recipe.load(path)
    assert str(path) in str(caught.value)
