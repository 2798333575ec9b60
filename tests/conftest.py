"""What tests share: a tiny real encoder, and one home that is trained and indexed with it."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from bot.training.job import TrainingJob

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for name in [key for key in os.environ if key.startswith("CARELINE_") and key != "CARELINE_DATA"]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)

from bot.container import Home  # noqa: E402
from bot.core.settings import Settings  # noqa: E402
from bot.nlu import emotion_classifier  # noqa: E402
from bot.training import classifier_heads, datasets, pipeline  # noqa: E402
from knowledge_base.encoders import base_models  # noqa: E402
from knowledge_base.ingest import ingest  # noqa: E402
from knowledge_base.sources import loader  # noqa: E402
from tests import tiny  # noqa: E402
from tests.running import Server, free_port  # noqa: E402

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "data"
CONTENT = (
    "actions",
    "dialogs",
    "kb",
    "site",
    "templates",
    "tests",
    "policy.yml",
    "orders.csv",
    "intents.md",
    "canned.yml",
    "synonyms.yml",
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data, or skip: it is no part of the project."""
    folder = Path(os.environ.get("CARELINE_DATA") or "nowhere")
    if not folder.is_dir():
        pytest.skip("CARELINE_DATA names no folder of real data")
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first of all processes that run tests makes; the others wait."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    done = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny encoder."""

    def make(folder: Path) -> None:
        base = base_models.resolve("e5-small", Settings.load(DEMO).cache_folder)
        texts = [p.read_text(encoding="utf-8") for p in sorted((DEMO / "kb").rglob("*.md"))]
        examples = datasets.read_all_examples(datasets.training_files(DEMO / "dialogs"))
        texts += [example.text for example in examples]
        folder.mkdir()
        tiny.cut(
            Path(base.path), folder / "tiny-e5", (line for t in texts for line in t.splitlines())
        )

    return made_once(tmp_path_factory, "encoder", make) / "tiny-e5"


def make_home(folder: Path, encoder: Path) -> Home:
    """Copy the demo's content into a folder and point it at the tiny encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    for item in CONTENT:
        source = DEMO / item
        if source.is_dir():
            shutil.copytree(source, folder / item, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / item)
    settings = f'base = "{encoder}"\nenglish_base = ""\ncache = "{encoder.parent / "cache"}"\n'
    (folder / "careline.toml").write_text(settings, encoding="utf-8")
    return Home(Settings.load(folder))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Home:
    """Return a home with a model and an index; tests do not write into it."""
    folder = made_once(tmp_path_factory, "trained", partial(_train, encoder=tiny_encoder))
    return Home(Settings.load(folder))


def _train(folder: Path, encoder: Path) -> None:
    home = make_home(folder, encoder)
    examples = datasets.read_all_examples(datasets.training_files(folder / "dialogs"))
    examples = [example for example in examples if not example.source.startswith("voices_")]
    lonely = [example for example in examples if not (example.customer or example.reply)]
    left_out = {id(example) for example in lonely[1::3]}  # the time goes with their number
    examples = [example for example in examples if id(example) not in left_out]
    rows = emotion_classifier.examples()[::10]
    with pytest.MonkeyPatch.context() as patch:  # the tone head is tested with its own tests
        patch.setattr(emotion_classifier, "examples", lambda: rows)
        for module, name in ((pipeline, "_FOLDS"), (classifier_heads, "_HISTORY_FOLDS")):
            patch.setattr(module, name, 2)  # half the fits, cruder thresholds
        pipeline.train(TrainingJob(examples, home.encoder(), method="head"), home.models)
    ingest(loader.load([folder / "kb"]), home.knowledge_versions, home.indexing_encoders())


@pytest.fixture
def home(trained: Home, tmp_path: Path) -> Iterator[Home]:
    """Return a copy of the trained home that a test may change; encoders stay loaded."""
    folder = tmp_path / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    copy = Home(Settings.load(folder))
    copy._encoders = trained._encoders
    yield copy
    if "engine" in copy.__dict__:
        copy.engine.dispose()


@pytest.fixture(scope="session")
def server(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    running = Server(folder, free_port(), {})
    running.start()
    yield running
    running.stop()
