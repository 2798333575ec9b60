"""Training for real, with a tiny encoder."""

from pathlib import Path

import numpy as np
import pytest

from bot.nlu import datasets, intents, training
from bot.nlu.datasets import Example
from bot.types import CarelineError
from knowledge_base import encoders, torch_models
from knowledge_base.encoders import TorchEncoder
from knowledge_base.versions import Versions


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> TorchEncoder:
    return TorchEncoder(encoders.resolve(str(tiny_encoder), tiny_encoder.parent))


def examples() -> list[Example]:
    texts = {
        "refund": ("give me my money back for the {}", "when will the {} be refunded"),
        "size": ("which size of the {} fits me", "is the {} too small"),
        "oos": ("tell me a joke about a {}", "translate {} into latin"),
    }
    things = [
        "jacket",
        "boot",
        "tent",
        "stove",
        "lamp",
        "pack",
        "shoe",
        "hat",
        "glove",
        "sock",
        "belt",
        "knife",
    ]
    return [
        Example(frame.format(thing), intent, "test")
        for intent, frames in texts.items()
        for frame in frames
        for thing in things
    ]


@pytest.mark.parametrize("method", ["head", "full"])
def test_a_trained_version_knows_its_intents_and_loads_again(
    tmp_path: Path, encoder: TorchEncoder, method: training.Method
) -> None:
    versions = Versions(tmp_path / "models", "models", "m")
    done = training.train(examples(), versions, encoder, method=method, seed=3)
    assert done.intents == 2
    accuracy = done.validation["accuracy"]
    assert accuracy is not None
    assert accuracy >= 0.8
    model = intents.load(versions.folder(done.version.id), done.version, encoder)
    refund, joke = model.predict(["when is my jacket refunded", "a joke about a boot please"])
    assert refund.intent == "refund"
    assert joke.intent == "oos"
    assert sum(score.confidence for score in refund.ranking) <= 1.0 + 1e-6


def test_fine_tuning_leaves_the_base_encoder_as_it_was(
    tmp_path: Path, encoder: TorchEncoder
) -> None:
    before = encoder.queries(["where is my parcel"])
    versions = Versions(tmp_path / "models", "models", "m")
    done = training.train(examples(), versions, encoder, method="full")
    assert np.array_equal(before, encoder.queries(["where is my parcel"]))
    tuned = intents.load(versions.folder(done.version.id), done.version).encoder
    assert not np.allclose(before, tuned.queries(["where is my parcel"]), atol=1e-3)


def test_the_same_seed_makes_the_same_head(tmp_path: Path, encoder: TorchEncoder) -> None:
    versions = Versions(tmp_path / "models", "models", "m")
    made = [training.train(examples(), versions, encoder, method="head", seed=5) for _ in range(2)]
    heads = [intents.Parameters.load(versions.folder(m.version.id)).head for m in made]
    assert np.array_equal(heads[0].weight, heads[1].weight)


def test_a_failed_training_leaves_the_active_version(
    tmp_path: Path, encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(tmp_path / "models", "models", "m")
    good = training.train(examples(), versions, encoder, method="head")
    monkeypatch.setattr(training, "_validate", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        training.train(examples(), versions, encoder, method="head")
    assert versions.current_id() == good.version.id
    assert [path.name for path in versions.root.iterdir() if path.name.startswith(".")] == []


def test_one_class_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("text,intent\na,x\nb,x\nc,oos\n", encoding="utf-8")
    with pytest.raises(CarelineError, match="at least two"):
        datasets.read_all_examples([path])


def test_the_light_engine_computes_what_transformers_computes(
    tiny_encoder: Path, encoder: TorchEncoder
) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [
        "query: where is my parcel?",
        "query: 我的包裹在哪里？",
        "query: ok",
        "query: " + "a b " * 300,
    ]
    theirs = SentenceTransformer(str(tiny_encoder), device="cpu").float().encode(texts)
    ours = torch_models.encode(encoder.model, texts)
    assert np.abs(np.asarray(theirs) - ours).max() < 2e-3
