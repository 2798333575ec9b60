"""One folder of invented data, and a home whose every base is the tiny encoder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from careline_benchmarks import promise, search, understanding

from bot.container import Home
from bot.core.settings import Settings
from bot.nlu import emotion_classifier
from bot.training import typos
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import TorchEncoder, Vectors
from tests.benchmarks import invented


class Remembering(TorchEncoder):
    """The tiny encoder; a text that was encoded once is not encoded again."""

    def queries(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        known: dict[str, Vectors] = self.__dict__.setdefault("known", {})
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, super().queries(new, progress=progress), strict=True))
        return np.stack([known[text] for text in texts])


class TinyHome(Home):
    """A home that takes the tiny encoder for every base."""

    def __init__(self, folder: Path, tiny: TorchEncoder) -> None:
        super().__init__(Settings.load(folder))
        self.tiny = tiny

    def encoder(self, base: str | None = None) -> TorchEncoder:
        del base
        return self.tiny

    def torch_encoder(self, base: str | None = None) -> TorchEncoder:
        del base
        return self.tiny


@pytest.fixture(scope="session")
def invented_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented.write(tmp_path_factory.mktemp("invented"))


@pytest.fixture(scope="session")
def tiny_home(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> TinyHome:
    found = Remembering(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))
    return TinyHome(invented.write_dialogs(tmp_path_factory.mktemp("benched")), found)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Measure the same with fewer repetitions, and leave torch as it was.

    The templates are so easy that a typo in every word costs nothing: those that are planted hide
    the words.
    """
    misspell = typos.misspell

    def harsh(text: str, chance: float, rng: np.random.Generator) -> str:
        return re.sub(r"\w{4,}", "qqqq", text) if chance >= 1.0 else misspell(text, chance, rng)

    rows = emotion_classifier.examples()[::20]
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emotion_classifier, "examples", lambda: rows)
        patch.setattr(typos, "misspell", harsh)
        patch.setattr(promise, "_SPLITS", 20)
        patch.setattr(understanding, "_TEXTS", 40)
        patch.setattr(understanding, "_REPEATS", 1)
        patch.setattr(search, "_TEXTS", 40)
        patch.setattr(search, "_FILTERED", 20)
        yield
    torch.set_num_threads(threads)
