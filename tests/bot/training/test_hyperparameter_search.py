"""The search for a better recipe, the file it leaves, and training with adapters."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.core.types import CarelineError
from bot.nlu import emotion_classifier, intent_classifier
from bot.training import hyperparameter_search, pipeline, recipe
from bot.training.datasets import Example
from bot.training.job import Method, TrainingJob
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders import base_models, onnx_encoder
from knowledge_base.encoders.base_models import BaseModel, TorchEncoder
from knowledge_base.index.versions import Versions
from tests.shell import careline_at

FRAMES = {
    "refund": ("give me my money back for the {}", "when will the {} be refunded"),
    "size": ("which size of the {} fits me", "is the {} too small"),
    "oos": ("tell me a joke about a {}", "translate {} into latin"),
}
THINGS = ("jacket", "boot", "tent", "stove", "lamp", "pack", "shoe", "hat", "glove", "sock")
QUICK = TrainingRecipe(epochs=1, batch=16)


def examples() -> list[Example]:
    """Return examples of which every fifth is mislabelled, so that recipes differ."""
    rows = [
        Example(frame.format(thing), intent, "made")
        for intent, frames in FRAMES.items()
        for frame in frames
        for thing in THINGS
    ]
    other = {"refund": "size", "size": "refund", "oos": "oos"}
    return [
        replace(row, intent=other[row.intent]) if number % 5 == 0 else row
        for number, row in enumerate(rows)
    ]


@pytest.fixture(scope="module", autouse=True)
def few_tones() -> Iterator[None]:
    """Let each training fit its tone head on a twentieth of the messages."""
    rows = emotion_classifier.examples()[::20]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emotion_classifier, "examples", lambda: rows)
        yield


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> TorchEncoder:
    return TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))


def tried(storage: Path) -> list[tuple[float, ...]]:
    """Return the numbers of each trial that was kept."""
    with closing(sqlite3.connect(storage)) as connection:
        rows = connection.execute(
            "select trial_id, param_value from trial_params order by trial_id, param_name"
        ).fetchall()
    found: dict[int, list[float]] = {}
    for trial, value in rows:
        found.setdefault(trial, []).append(value)
    return [tuple(values) for values in found.values()]


def test_a_search_goes_on_where_it_stopped(encoder: TorchEncoder, tmp_path: Path) -> None:
    job, storage = TrainingJob(examples(), encoder, method="head"), tmp_path / "new" / "tuning.db"
    first = hyperparameter_search.tune(job, storage, trials=3)
    assert (first.trials, len(tried(storage))) == (3, 3)
    begun = tried(storage)
    second = hyperparameter_search.tune(job, storage, trials=6)
    assert (second.trials, tried(storage)[:3]) == (6, begun)
    assert len(set(tried(storage))) == 6  # nothing is tried twice
    assert second.baseline == first.baseline
    assert second.accuracy >= first.accuracy >= first.baseline


def test_a_search_that_is_done_tries_nothing_more(encoder: TorchEncoder, tmp_path: Path) -> None:
    job, storage = TrainingJob(examples(), encoder, method="head"), tmp_path / "tuning.db"
    assert hyperparameter_search.tune(job, storage, trials=2) == hyperparameter_search.tune(
        job, storage, trials=2
    )
    assert len(tried(storage)) == 2


def test_other_examples_are_another_search(encoder: TorchEncoder, tmp_path: Path) -> None:
    storage = tmp_path / "tuning.db"
    hyperparameter_search.tune(TrainingJob(examples(), encoder, method="head"), storage, trials=2)
    done = hyperparameter_search.tune(
        TrainingJob(examples()[:40], encoder, method="head"), storage, trials=1
    )
    assert (done.trials, len(tried(storage))) == (1, 3)


def test_the_recipe_it_starts_from_is_the_first_that_is_tried(
    encoder: TorchEncoder, tmp_path: Path
) -> None:
    start = TrainingRecipe(strength=0.07, dense=0.6, epochs=4)
    job = TrainingJob(examples(), encoder, method="head", recipe=start)
    done = hyperparameter_search.tune(job, tmp_path / "tuning.db", trials=1)
    assert (done.recipe, done.accuracy) == (start, done.baseline)
    assert tried(tmp_path / "tuning.db") == [(0.6, 0.07)]


def test_a_network_s_recipe_is_searched_too(encoder: TorchEncoder, tmp_path: Path) -> None:
    before = encoder.queries(["where is my parcel"])
    job = TrainingJob(examples(), encoder, method="full", recipe=QUICK)
    done = hyperparameter_search.tune(job, tmp_path / "tuning.db", trials=2)
    assert done.trials == 2
    assert len(tried(tmp_path / "tuning.db")[1]) == 6
    assert (done.recipe.epochs, done.recipe.strength) == (1, TrainingRecipe().strength)
    assert np.array_equal(before, encoder.queries(["where is my parcel"]))


def test_no_time_is_said_so(encoder: TorchEncoder, tmp_path: Path) -> None:
    job = TrainingJob(examples(), encoder, method="head")
    with pytest.raises(CarelineError, match="more time"):
        hyperparameter_search.tune(job, tmp_path / "tuning.db", trials=3, seconds=0.0)


def test_without_optuna_tuning_names_the_line_to_type(
    encoder: TorchEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    job = TrainingJob(examples(), encoder, method="head")
    with pytest.raises(CarelineError, match=r"pip install 'careline\[train\]'"):
        hyperparameter_search.tune(job, tmp_path / "tuning.db", trials=1)


def test_without_peft_lora_names_the_line_to_type(
    encoder: TorchEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    versions = Versions(tmp_path / "models", "models", "m")
    job = TrainingJob(examples(), encoder, method="lora", recipe=QUICK)
    with pytest.raises(CarelineError, match=r"pip install 'careline\[train\]'"):
        pipeline.train(job, versions)
    assert versions.list() == []


def test_a_recipe_is_written_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    wanted = TrainingRecipe(strength=1.25, encoder_rate=3e-05, epochs=4, typos=0.0)
    recipe.save(wanted, file)
    assert recipe.load(file) == wanted
    assert "contrast" not in file.read_text(encoding="utf-8")  # as usual
    recipe.save(TrainingRecipe(), file)
    assert recipe.load(file) == TrainingRecipe() == recipe.load(tmp_path / "none.toml")


WRONG = {
    "strength = ": "not TOML",
    "strenght = 1.0": "strenght",
    "typos = true": "typos",
    "typos = '0.2'": "typos",
    "epochs = 2.5": "whole number",
    "epochs = 0": "epochs",
    "batch = 1": "batch",
    "strength = -1.0": "strength",
    "strength = nan": "strength",
    "layer_decay = 1.5": "layer_decay",
    "patience = 0": "patience",
    "dense = inf": "dense",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_recipe_is_a_clear_error(tmp_path: Path, line: str) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(CarelineError, match=WRONG[line]) as caught:
        recipe.load(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_number_of_the_built_in_recipe_may_be_written_down(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    numbers = {**vars(TrainingRecipe()), "epochs": 3, "dense": 2.0}
    file.write_text("".join(f"{key} = {value}\n" for key, value in numbers.items()), "utf-8")
    assert recipe.load(file) == TrainingRecipe(epochs=3, dense=2.0)


@pytest.fixture
def shop(tmp_path: Path, tiny_encoder: Path) -> Path:
    home = tmp_path / "shop"
    (home / "dialogs").mkdir(parents=True)
    toml = f'base = "{tiny_encoder}"\nengine = "torch"\n'
    (home / "careline.toml").write_text(toml, encoding="utf-8")
    rows = "".join(f"{example.text},{example.intent}\n" for example in examples())
    (home / "dialogs" / "texts.csv").write_text("text,intent\n" + rows, encoding="utf-8")
    return home


def test_training_uses_what_tuning_found(shop: Path) -> None:
    (shop / "recipe.toml").write_text("strength = 0.06\ndense = 0.7\n", encoding="utf-8")
    code, out, _ = careline_at(shop, "tune", "--trials", "2", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["trials"], found["method"]) == (2, "head")
    assert found["accuracy"] >= found["baseline"]
    assert Path(found["file"]) == shop / "recipe.toml"
    assert vars(recipe.load(shop / "recipe.toml")) == found["recipe"] != vars(TrainingRecipe())
    assert careline_at(shop, "train", "--method", "head", "--json")[0] == 0
    version = Versions(shop / "models", "models", "m").current()
    assert version is not None
    assert version.details["recipe"] == found["recipe"]


def test_a_wrong_recipe_trains_nothing(shop: Path) -> None:
    (shop / "recipe.toml").write_text("batch = 0\n", encoding="utf-8")
    code, out, err = careline_at(shop, "train", "--method", "full")
    assert (code, out) == (1, "")
    assert "recipe.toml: batch" in err
    assert len(err.strip().splitlines()) == 1
    assert not (shop / "models" / "current").exists()


def test_adapters_are_merged_into_an_encoder_that_serves(
    encoder: TorchEncoder, tmp_path: Path
) -> None:
    method: Method = "lora"
    versions = Versions(tmp_path / "models", "models", "m")
    rows = [row for number, row in enumerate(examples()) if number % 5]
    before = encoder.queries(["where is my parcel"])
    recipe_ = TrainingRecipe(epochs=3, batch=16)
    done = pipeline.train(TrainingJob(rows, encoder, method=method, recipe=recipe_), versions)
    assert done.version.details["method"] == "lora"
    assert done.engine in {"torch", onnx_encoder.NAME}
    folder = versions.folder(done.version.id)
    base = BaseModel("own", str(folder / "encoder"), query_prefix=encoder.base.query_prefix)
    own = TorchEncoder(base).queries(["where is my parcel"])
    assert np.array_equal(before, encoder.queries(["where is my parcel"]))
    assert not np.allclose(before, own, atol=1e-3)  # the adapters are in it
    model = intent_classifier.load(folder, done.version)
    assert model.engine == done.engine
    found = model.predict(["when will the kettle be refunded", "is the kettle too small"])
    assert [prediction.best.intent for prediction in found] == ["refund", "size"]
    assert float(model.encoder.queries(["where is my parcel"])[0] @ own[0]) > 0.95
