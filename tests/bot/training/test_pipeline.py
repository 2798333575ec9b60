"""Training for real, with a tiny encoder."""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.core.settings import Promise
from bot.core.types import CarelineError
from bot.nlu import emotion_classifier, intent_classifier
from bot.nlu.intent_classifier import ModelParameters
from bot.training import datasets, fine_tuned_models, fine_tuning, pipeline
from bot.training.checkpoints import Checkpoints
from bot.training.curves import TrainingCurves
from bot.training.datasets import Example
from bot.training.job import Method, TrainingJob
from bot.training.pipeline import TrainingResult
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders import base_models, onnx_encoder, torch_models
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.encoders.onnx_encoder import OnnxEncoder
from knowledge_base.index.versions import Versions

THINGS = ("jacket", "boot", "tent", "stove", "lamp", "knife")
FRAMES = {
    "refund": ("give me my money back for the {}", "when will the {} be refunded"),
    "size": ("which size of the {} fits me", "is the {} too small"),
    "oos": ("tell me a joke about a {}", "translate {} into latin"),
}
EXAMPLES = [
    Example(frame.format(thing), intent, "test")
    for intent, frames in FRAMES.items()
    for frame in frames
    for thing in THINGS
]
QUICK = TrainingRecipe(epochs=2, batch=16)
STEPS = 2  # an epoch: of 36 examples, about 31 are learnt


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> TorchEncoder:
    return TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))


@pytest.fixture(autouse=True)
def _few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit tone and engine on fewer texts: this is about the classifier."""
    rows, lines = emotion_classifier.examples()[::20], onnx_encoder._corpus()[::4]
    monkeypatch.setattr(emotion_classifier, "examples", lambda: rows)
    monkeypatch.setattr(onnx_encoder, "_corpus", lambda: lines)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "models", "models", "m")


def train(versions: Versions, encoder: base_models.ModelEncoder, **options: Any) -> TrainingResult:
    return pipeline.train(TrainingJob(EXAMPLES, encoder, **{"recipe": QUICK, **options}), versions)


def open_model(
    versions: Versions, done: TrainingResult, encoder: TorchEncoder
) -> intent_classifier.IntentModel:
    return intent_classifier.load(versions.folder(done.version.id), done.version, encoder)


@pytest.mark.parametrize("method", ["head", "full", "lora"])
def test_a_trained_version_knows_its_intents_and_loads_again(
    versions: Versions, encoder: TorchEncoder, method: Method
) -> None:
    if method == "lora":
        pytest.importorskip("peft")
    done = train(
        versions, encoder, method=method, seed=3, recipe=TrainingRecipe(epochs=4, batch=16)
    )
    assert (done.intents, done.examples) == (2, len(EXAMPLES))
    accuracy = done.validation["accuracy"]
    assert accuracy is not None
    assert accuracy >= 0.8
    model = open_model(versions, done, encoder)
    refund, joke = model.predict(["when is my jacket refunded", "tell a joke about a boot please"])
    assert refund.best.intent == "refund"
    assert joke.ranking[0].intent == "oos"
    assert joke.rejected
    assert sum(score.confidence for score in refund.ranking) <= 1.0 + 1e-5
    assert refund.emotion is not None
    assert model.engine == done.engine
    assert versions.current_id() == done.version.id


def test_a_version_says_what_it_was_made_of(versions: Versions, encoder: TorchEncoder) -> None:
    done = train(versions, encoder, method="head", seed=4)
    folder, details = versions.folder(done.version.id), done.version.details
    assert (details["method"], details["seed"]) == ("head", 4)
    assert details["counts"] == {"refund": 12, "size": 12, "oos": 12}
    assert details["labels"] == ["oos", "refund", "size"]
    assert (folder / "card.md").exists()
    assert not (folder / "history.jsonl").exists()


def head_of(versions: Versions, done: TrainingResult) -> ModelParameters:
    return ModelParameters.load(versions.folder(done.version.id))


def test_the_same_seed_makes_the_same_head(versions: Versions, encoder: TorchEncoder) -> None:
    made = [train(versions, encoder, method="head", seed=5) for _ in range(2)]
    first, second = (head_of(versions, done) for done in made)
    assert np.array_equal(first.head.weight, second.head.weight)
    assert np.array_equal(first.sparse.weight, second.sparse.weight)
    assert made[0].calibration == made[1].calibration


def test_a_failed_training_leaves_the_active_version(
    versions: Versions, encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = train(versions, encoder, method="head")
    monkeypatch.setattr(pipeline, "validate", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(versions, encoder, method="head")
    assert versions.current_id() == good.version.id
    assert [version.id for version in versions.list()] == [good.version.id]
    assert [path.name for path in versions.root.iterdir() if path.name.startswith(".")] == []


def interrupted(
    monkeypatch: pytest.MonkeyPatch, versions: Versions, encoder: TorchEncoder, step: int
) -> None:
    """Train with a checkpoint after every step, up to the one that is interrupted."""
    learn = fine_tuning._Run.learn

    def until(run: Any, rows: Any) -> float:
        if run.step == step:
            raise KeyboardInterrupt
        return learn(run, rows)

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "Checkpoints", partial(Checkpoints, every=0))
        patched.setattr(fine_tuning._Run, "learn", until)
        with pytest.raises(KeyboardInterrupt):
            train(versions, encoder, method="full")


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the steps that are taken from now on."""
    steps: list[int] = []
    remember = TrainingCurves.step

    def step(curves: TrainingCurves, number: int, **values: float) -> None:
        steps.append(number)
        remember(curves, number, **values)

    monkeypatch.setattr(TrainingCurves, "step", step)
    return steps


def test_a_killed_training_goes_on_where_it_stopped_and_ends_the_same(
    versions: Versions,
    encoder: TorchEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted(monkeypatch, versions, encoder, 3)
    assert versions.current_id() is None
    assert list((versions.root / ".unfinished").rglob("state.pt"))
    steps = counting(monkeypatch)
    resumed = train(versions, encoder, method="full")
    assert steps == list(range(4, 2 * STEPS + 1))
    assert versions.current_id() == resumed.version.id
    assert not list((versions.root / ".unfinished").rglob("state.pt"))
    undisturbed = Versions(tmp_path / "others", "models", "m")
    whole = train(undisturbed, encoder, method="full")
    heads = [head_of(versions, resumed).head.weight, head_of(undisturbed, whole).head.weight]
    assert np.allclose(heads[0], heads[1], atol=1e-4)
    assert resumed.validation == whole.validation


def test_a_killed_training_is_forgotten_when_anything_changes(encoder: TorchEncoder) -> None:
    job = TrainingJob(EXAMPLES, encoder, recipe=QUICK)
    others = (
        replace(job, examples=EXAMPLES[:-1]),
        replace(job, seed=1),
        replace(job, method="lora"),
        replace(job, recipe=TrainingRecipe()),
        replace(job, valid=EXAMPLES[:1]),
    )
    assert all(pipeline._facts(other) != pipeline._facts(job) for other in others)


def test_a_training_that_was_killed_between_two_epochs_loses_neither(
    versions: Versions, encoder: TorchEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step of an epoch is saved before the epoch is validated."""
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "Checkpoints", partial(Checkpoints, every=0))
        patched.setattr(fine_tuning._Run, "validate", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(versions, encoder, method="full", recipe=replace(QUICK, epochs=1))
    resumed = train(versions, encoder, method="full", recipe=replace(QUICK, epochs=1))
    undisturbed = Versions(tmp_path / "others", "models", "m")
    whole = train(undisturbed, encoder, method="full", recipe=replace(QUICK, epochs=1))
    heads = [head_of(versions, resumed).head.weight, head_of(undisturbed, whole).head.weight]
    assert np.allclose(heads[0], heads[1], atol=1e-4)


def test_the_result_names_the_engine_that_serves(
    versions: Versions, encoder: TorchEncoder, tmp_path: Path
) -> None:
    before = encoder.queries(["where is my parcel"])
    fine = train(versions, encoder, method="full")
    assert fine.engine == "onnxruntime-int8"
    served = open_model(versions, fine, encoder).encoder
    assert isinstance(served, OnnxEncoder)
    assert not np.allclose(before, served.queries(["where is my parcel"]), atol=1e-3)
    assert np.array_equal(before, encoder.queries(["where is my parcel"]))  # the base stays
    assert (versions.folder(fine.version.id) / "history.jsonl").exists()
    assert train(versions, encoder, method="head").engine == "torch"
    onnx_encoder.export(encoder, tmp_path / "engine")
    quick = OnnxEncoder(encoder.base, tmp_path / "engine")
    assert train(versions, quick, method="head").engine == "onnxruntime-int8"


def test_an_engine_that_loses_too_much_is_not_used(
    versions: Versions, encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = OnnxEncoder.queries

    def confused(self: OnnxEncoder, texts: Any, /, **options: Any) -> Any:
        vectors = queries(self, texts, **options)
        return vectors if len(texts) == 1 else -vectors

    monkeypatch.setattr(onnx_encoder, "_closeness", lambda *_: 0.99)
    monkeypatch.setattr(OnnxEncoder, "queries", confused)
    monkeypatch.setattr(fine_tuned_models, "_SPARSE_WEIGHTS", (0.0,))  # n-grams would hide it
    done = train(versions, encoder, method="full")
    assert done.engine == "torch"
    assert isinstance(open_model(versions, done, encoder).encoder, TorchEncoder)


def test_fine_tuning_needs_torch(versions: Versions, encoder: TorchEncoder, tmp_path: Path) -> None:
    onnx_encoder.export(encoder, tmp_path / "engine")
    with pytest.raises(TypeError, match="torch"):
        train(versions, OnnxEncoder(encoder.base, tmp_path / "engine"), method="full")


def test_validation_examples_are_used_where_their_intents_are_known(
    versions: Versions, encoder: TorchEncoder
) -> None:
    valid = [Example("is the scarf too small", "size", "v"), Example("hello", "greeting", "v")]
    done = train(versions, encoder, method="head", valid=valid)
    assert done.validation["accuracy"] == 1.0
    with pytest.raises(CarelineError, match="--valid"):
        train(versions, encoder, method="head", valid=valid[1:])


def test_too_few_examples_promise_nothing_and_say_what_is_missing(
    versions: Versions, encoder: TorchEncoder
) -> None:
    done = train(versions, encoder, method="head")
    assert done.calibration.promise is None
    assert done.calibration.missing is not None
    assert "needed" in done.calibration.missing
    assert head_of(versions, done).reference is None
    generous = Promise(wrong_among_answered=0.4, confidence=0.8)
    kept = train(versions, encoder, method="head", promise=generous)
    assert kept.calibration.promise is not None
    assert kept.calibration.coverage is not None
    assert 0.0 < kept.calibration.coverage <= 1.0
    assert head_of(versions, kept).reference is not None
    model = open_model(versions, kept, encoder)
    assert model.predict(["is the hat too small"])[0].is_certified is True


def test_one_example_of_each_intent_is_enough_to_train(
    versions: Versions, encoder: TorchEncoder
) -> None:
    job = TrainingJob([EXAMPLES[0], EXAMPLES[15]], encoder, method="head")
    model = open_model(versions, pipeline.train(job, versions), encoder)
    assert Counter(model.intents) == {"refund": 1, "size": 1}
    found = model.predict([EXAMPLES[0].text, EXAMPLES[15].text])
    assert [prediction.best.intent for prediction in found] == ["refund", "size"]


def test_the_held_out_part_shares_nothing_with_what_is_learnt(encoder: TorchEncoder) -> None:
    job = TrainingJob([*EXAMPLES, *EXAMPLES], encoder)
    seen, held = fine_tuned_models._parts(job, ["oos", "refund", "size"])
    assert not set(seen.texts) & set(held.texts)
    assert len(seen.texts) + len(held.texts) == 2 * len(EXAMPLES)
    assert 0.05 < len(held.texts) / len(seen.texts) < 0.25


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
