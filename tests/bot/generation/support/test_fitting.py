"""The shipped weights come from the demo's articles, and from nothing else."""

from pathlib import Path

import numpy as np
import pytest

from bot.generation.support import SupportCheck, fitting
from bot.generation.support.features import NAMES, SIGNS
from bot.generation.support.scoring import DEFAULT, WORDS, Scorer
from knowledge_base.documents import Document
from knowledge_base.sources import loader
from tests.conftest import ROOT

KB: Path = ROOT / "data" / "kb"


@pytest.fixture(scope="module")
def made() -> list[fitting.Example]:
    read = [document for document in loader.load([KB]) if isinstance(document, Document)]
    return fitting.examples(sorted(read, key=lambda document: document.id), most=500)


def test_examples_are_made_of_both_kinds_and_the_same_each_time(
    made: list[fitting.Example],
) -> None:
    assert 0.35 < np.mean([example.supported for example in made]) < 0.65
    read = [document for document in loader.load([KB]) if isinstance(document, Document)]
    again = fitting.examples(sorted(read, key=lambda document: document.id), most=500)
    assert again == made


def test_a_fit_on_a_sample_says_what_the_shipped_scorer_says(made: list[fitting.Example]) -> None:
    features, supported = fitting.measured(SupportCheck(None), made)
    anew = fitting.fit(features, supported)
    apart = [abs(anew.score(row) - WORDS.score(row)) for row in features]
    assert np.mean(apart) < 0.08
    right = [(anew.score(f) >= 0.5) == s for f, s in zip(features, supported, strict=True)]
    assert np.mean(right) > 0.85
    wrong = fitting.fit(features, [not said for said in supported])
    assert np.mean([abs(wrong.score(row) - WORDS.score(row)) for row in features]) > 0.3


def test_no_weight_has_the_wrong_sign() -> None:
    for scorer in (DEFAULT, WORDS):
        assert all(w * sign >= 0 for w, sign in zip(scorer.weights, SIGNS, strict=True))


def test_weights_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match=f"needs {len(NAMES)} weights, not 2"):
        Scorer((1.0, 2.0), 0.0)
