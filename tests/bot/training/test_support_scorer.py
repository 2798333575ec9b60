"""The shipped weights come from the demo's articles, and from nothing else."""

from pathlib import Path

import numpy as np
import pytest

from bot.generation.verification import SupportCheck
from bot.generation.verification.features import NAMES, SIGNS
from bot.generation.verification.scorer import DEFAULT, WORDS, SupportScorer
from bot.training import support_scorer
from knowledge_base.documents import Document
from knowledge_base.sources import loader
from tests.conftest import ROOT

KB: Path = ROOT / "data" / "kb"


@pytest.fixture(scope="module")
def made() -> list[support_scorer.SupportExample]:
    read = [document for document in loader.load([KB]) if isinstance(document, Document)]
    return support_scorer.examples(sorted(read, key=lambda document: document.id), most=500)


def test_examples_are_made_of_both_kinds_and_the_same_each_time(
    made: list[support_scorer.SupportExample],
) -> None:
    assert 0.35 < np.mean([example.supported for example in made]) < 0.65
    read = [document for document in loader.load([KB]) if isinstance(document, Document)]
    again = support_scorer.examples(sorted(read, key=lambda document: document.id), most=500)
    assert again == made


def test_a_fit_on_a_sample_says_what_the_shipped_scorer_says(
    made: list[support_scorer.SupportExample],
) -> None:
    features, supported = support_scorer.measure_features(SupportCheck(None), made)
    anew = support_scorer.fit(features, supported)
    apart = [abs(anew.score(row) - WORDS.score(row)) for row in features]
    assert np.mean(apart) < 0.08
    right = [(anew.score(f) >= 0.5) == s for f, s in zip(features, supported, strict=True)]
    assert np.mean(right) > 0.85
    wrong = support_scorer.fit(features, [not said for said in supported])
    assert np.mean([abs(wrong.score(row) - WORDS.score(row)) for row in features]) > 0.3


def test_no_weight_has_the_wrong_sign() -> None:
    for scorer in (DEFAULT, WORDS):
        assert all(w * sign >= 0 for w, sign in zip(scorer.weights, SIGNS, strict=True))


def test_weights_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match=f"needs {len(NAMES)} weights, not 2"):
        SupportScorer((1.0, 2.0), 0.0)
