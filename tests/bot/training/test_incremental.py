"""A trained version learns more, and keeps what it knew."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bot.core.types import CarelineError
from bot.nlu import emotion_classifier, intent_classifier
from bot.nlu.intent_classifier import IntentModel
from bot.training import incremental, pipeline, training_set
from bot.training.datasets import Example
from bot.training.job import Method, TrainingJob
from bot.training.pipeline import TrainingResult
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import TorchEncoder
from knowledge_base.index.versions import Versions
from tests.shell import careline_at

Frames = Mapping[str, tuple[str, ...]]

KNOWN: Frames = {
    "refund": ("give me my money back for the {}", "when will the {} be refunded"),
    "size": ("which size of the {} fits me", "is the {} too small"),
    "oos": ("tell me a joke about a {}", "translate {} into latin"),
}
NEW: Frames = {
    "parcel": ("where is my parcel with the {}", "我的{}包裹到哪里了"),
    "warranty": ("how long is the warranty of the {}", "the {} broke within the warranty"),
}
THINGS = ("jacket", "boot", "tent", "stove", "lamp", "pack", "shoe", "hat", "glove", "sock")
UNSEEN = ("belt", "knife", "kettle", "rope")  # things no training example speaks of


def made(frames: Frames, things: Sequence[str] = THINGS) -> list[Example]:
    return [
        Example(frame.format(thing), intent, "made")
        for intent, some in frames.items()
        for frame in some
        for thing in things
    ]


def accuracy(model: IntentModel, examples: Sequence[Example]) -> float:
    found = model.predict([example.text for example in examples])
    scored = zip(found, examples, strict=True)
    return float(np.mean([p.ranking[0].intent == e.intent for p, e in scored]))


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


@dataclass(frozen=True)
class Grown:
    """A version and what it became."""

    versions: Versions
    first: TrainingResult
    second: TrainingResult
    before: IntentModel
    after: IntentModel


def train(
    versions: Versions, encoder: TorchEncoder, examples: Sequence[Example], method: Method
) -> TrainingResult:
    recipe = TrainingRecipe(epochs=2, batch=16)
    return pipeline.train(TrainingJob(examples, encoder, method=method, recipe=recipe), versions)


def opened(versions: Versions, done: TrainingResult, encoder: TorchEncoder) -> IntentModel:
    return intent_classifier.load(versions.folder(done.version.id), done.version, encoder)


@pytest.fixture(scope="module", params=["head", "full"])
def grown(
    request: pytest.FixtureRequest, encoder: TorchEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Grown:
    versions = Versions(tmp_path_factory.mktemp("grown") / "models", "models", "m")
    first = train(versions, encoder, made(KNOWN), request.param)
    added = [*made(NEW), *made(KNOWN)[:5]]
    second = incremental.extend(first.version, versions, added, encoder)
    before, after = (opened(versions, done, encoder) for done in (first, second))
    return Grown(versions, first, second, before, after)


def test_new_intents_are_learnt(grown: Grown) -> None:
    assert set(grown.after.labels) - set(grown.before.labels) == set(NEW)
    assert accuracy(grown.after, made(NEW)) > 0.95
    assert accuracy(grown.after, made(NEW, UNSEEN)) >= 0.9


def test_what_was_known_is_not_forgotten(grown: Grown) -> None:
    old = made(KNOWN, UNSEEN)
    assert accuracy(grown.before, old) >= 0.8  # else there would be nothing to forget
    assert accuracy(grown.after, old) >= accuracy(grown.before, old)


def test_the_version_says_what_it_comes_from(grown: Grown) -> None:
    first, second = grown.first.version, grown.second.version
    assert second.details["from"] == second.parent == first.id
    assert second.details["method"] == first.details["method"]
    assert second.details["labels"] == [*first.details["labels"], "parcel", "warranty"]
    assert second.details["counts"] == {"refund": 20, "size": 20, "oos": 20} | dict.fromkeys(
        NEW, 20
    )
    assert (grown.second.intents, grown.first.intents) == (4, 2)
    assert grown.versions.current_id() == second.id
    card = (grown.versions.folder(second.id) / "card.md").read_text(encoding="utf-8")
    assert "warranty" in card


def test_examples_known_already_are_skipped(grown: Grown) -> None:
    assert grown.second.examples == len(made(KNOWN)) + len(made(NEW))


def test_the_promise_is_void_and_says_why(grown: Grown) -> None:
    calibration = grown.after.calibration
    assert (calibration.promise, calibration.coverage) == (None, None)
    assert calibration.missing is not None
    assert "40 examples were added" in calibration.missing
    assert grown.after.parameters.reference is None
    assert calibration.temperature == grown.before.calibration.temperature
    assert calibration.oos_threshold == grown.before.calibration.oos_threshold


def test_new_examples_are_remembered_as_neighbours_and_for_learning_more(grown: Grown) -> None:
    assert "where is my parcel with the tent" in {e.text for e in grown.after.parameters.examples}
    kept, vectors = training_set.load(grown.versions.folder(grown.second.version.id))
    assert len(kept) == len(vectors) == grown.second.examples
    spoken = grown.after.encoder.queries([kept[-1].input])[0]
    assert float(vectors[-1] @ spoken) > 0.95  # of the encoder that serves


def test_the_version_before_serves_as_before(grown: Grown, encoder: TorchEncoder) -> None:
    again = opened(grown.versions, grown.first, encoder)
    texts = [example.text for example in made(KNOWN, UNSEEN)]
    assert again.predict(texts) == grown.before.predict(texts)


@pytest.fixture(scope="module")
def taught(
    encoder: TorchEncoder, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Versions, TrainingResult]:
    """Return a version of two intents, without an out-of-scope class."""
    versions = Versions(tmp_path_factory.mktemp("taught") / "models", "models", "m")
    known = {name: frames for name, frames in KNOWN.items() if name != "oos"}
    return versions, train(versions, encoder, made(known), "head")


@pytest.fixture
def small(
    taught: tuple[Versions, TrainingResult], tmp_path: Path
) -> tuple[Versions, TrainingResult]:
    """Return a copy that a test may change."""
    root = tmp_path / "shop" / "models"
    shutil.copytree(taught[0].root, root)
    return Versions(root, "models", "m"), taught[1]


def test_a_grown_version_grows_again(
    small: tuple[Versions, TrainingResult], encoder: TorchEncoder
) -> None:
    versions, done = small
    for intent, frames in NEW.items():
        done = incremental.extend(done.version, versions, made({intent: frames}), encoder)
    assert accuracy(opened(versions, done, encoder), made(NEW)) > 0.95
    assert done.version.details["labels"] == ["refund", "size", "parcel", "warranty"]


def test_out_of_scope_can_be_learnt_later(
    small: tuple[Versions, TrainingResult], encoder: TorchEncoder
) -> None:
    versions, first = small
    strange = made({"oos": KNOWN["oos"]})
    done = incremental.extend(first.version, versions, strange, encoder)
    model = opened(versions, done, encoder)
    assert (done.intents, model.intents) == (2, ("refund", "size"))
    assert [p.rejected for p in model.predict(["tell me a joke about a kettle"])] == [True]
    assert model.predict(["which size of the kettle fits me"])[0].intent == "size"


@pytest.mark.parametrize(
    ("added", "said"),
    [(made({"size": KNOWN["size"]}), "already: nothing to add"), ([], "no examples")],
)
def test_nothing_to_add_is_an_error(
    small: tuple[Versions, TrainingResult], encoder: TorchEncoder, added: list[Example], said: str
) -> None:
    versions, first = small
    with pytest.raises(CarelineError, match=said):
        incremental.extend(first.version, versions, added, encoder)
    assert [version.id for version in versions.list()] == [first.version.id]


def test_a_failure_leaves_the_active_version(
    small: tuple[Versions, TrainingResult], encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions, first = small
    monkeypatch.setattr("bot.training.model_card.write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        incremental.extend(first.version, versions, made(NEW), encoder)
    assert versions.current_id() == first.version.id
    assert sorted(path.name for path in versions.root.iterdir()) == ["current", first.version.id]


def test_a_version_that_kept_no_examples_says_so(
    small: tuple[Versions, TrainingResult], encoder: TorchEncoder
) -> None:
    versions, first = small
    (versions.folder(first.version.id) / "training_set.jsonl.gz").unlink()
    with pytest.raises(CarelineError, match=r"careline train"):
        incremental.extend(first.version, versions, made(NEW), encoder)


@pytest.fixture
def shop(small: tuple[Versions, TrainingResult], tiny_encoder: Path) -> Path:
    home = small[0].root.parent
    toml = f'base = "{tiny_encoder}"\nengine = "torch"\n'
    (home / "careline.toml").write_text(toml, encoding="utf-8")
    return home


GOOD = "text,intent\n" + "".join(f"{e.text},{e.intent}\n" for e in made(NEW))


def test_the_command_adds_a_file_to_the_current_version(shop: Path, tmp_path: Path) -> None:
    first = Versions(shop / "models", "models", "m").current_id()
    file = tmp_path / "more.csv"
    file.write_text(GOOD, encoding="utf-8")
    words = ("train", "--from", "current", "--add", str(file), "--json")
    code, out, _ = careline_at(shop, *words)
    assert code == 0
    said = json.loads(out)
    assert (said["examples"], said["intents"], said["method"]) == (80, 4, "head")
    assert said["promise"]["threshold"] is None
    assert "40 examples were added" in said["promise"]["missing"]
    version = Versions(shop / "models", "models", "m").current()
    assert version is not None
    assert (version.id, version.details["from"]) == (said["version"], first)


WRONG_FILES = {
    "columns": (b"words,label\nhello,hi\n", "row 1 must name the columns"),
    "empty": (b"", "row 1 must name the columns"),
    "only the head": (b"text,intent\n", "no examples"),
    "not UTF-8": (b"text,intent\nhello,hi\ncaf\xe9,hi\n", "row 3 is not UTF-8"),
    "gigantic line": (b"text,intent\nhello,hi\n" + b"x" * 2_000_000 + b",hi\n", "row 3 is not CSV"),
    "gigantic head": (b"text" * 500_000, "row 1 is not CSV"),
    "runaway quote": (b'text,intent\n"hello,hi\n' + b"more,hi\n" * 5_000, "is not CSV"),
    "no intent": (b"text,intent\nhello,hi\nhello\n", "row 3 has no intent"),
    "no text": (b"text,intent\n  ,hi\n", "row 2 has no text"),
    "not there": (None, "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_one_clear_line_naming_file_and_row(
    shop: Path, tmp_path: Path, name: str
) -> None:
    before = (shop / "models" / "current").read_bytes()
    content, said = WRONG_FILES[name]
    file = tmp_path / "more.csv"
    if content is not None:
        file.write_bytes(content)
    code, out, err = careline_at(shop, "train", "--from", "current", "--add", str(file))
    assert (code, out) == (1, "")
    assert said in err
    assert "more.csv" in err or name == "only the head"
    assert len(err.strip().splitlines()) == 1
    assert len(err) < 500
    assert (shop / "models" / "current").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "current"), "both"),
        (("--add", "FILE"), "both"),
        (("FILE", "--from", "current", "--add", "FILE"), "no other files"),
        (("--from", "m-none", "--add", "FILE"), "m-none"),
        (("--from", "../../x", "--add", "FILE"), "no version"),
    ],
)
def test_half_an_order_is_refused_and_changes_nothing(
    shop: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "more.csv"
    file.write_text(GOOD, encoding="utf-8")
    before = (shop / "models" / "current").read_bytes()
    chosen = [str(file) if word == "FILE" else word for word in words]
    code, out, err = careline_at(shop, "train", *chosen)
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert (shop / "models" / "current").read_bytes() == before


def test_without_a_model_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(GOOD, encoding="utf-8")
    words = ("train", "--from", "current", "--add", str(file))
    code, _, err = careline_at(tmp_path / "bare", *words)
    assert code == 1
    assert "careline train" in err
