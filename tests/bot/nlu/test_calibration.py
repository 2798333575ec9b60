import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu import calibration

SHARE = 0.05


def test_softmax_gives_probabilities_also_for_huge_logits() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1e4, 0.0, -1e4], [0.0, 0.0, 0.0]])
    probabilities = calibration.softmax(logits)
    assert np.allclose(probabilities.sum(axis=1), 1.0)
    assert np.allclose(probabilities[1], [1.0, 0.0, 0.0])
    assert np.allclose(probabilities[2], 1 / 3)
    assert probabilities[0, 2] / probabilities[0, 1] == pytest.approx(np.e)


def test_a_high_temperature_flattens_and_keeps_the_order() -> None:
    logits = np.array([[1.0, 2.0, 4.0]])
    cold, hot = calibration.softmax(logits, 0.5), calibration.softmax(logits, 5.0)
    assert cold[0, 2] > hot[0, 2] > hot[0, 1] > hot[0, 0] > cold[0, 0]


@pytest.mark.parametrize("planted", [0.4, 1.0, 3.0])
def test_fitting_recovers_a_planted_temperature(planted: float) -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(scale=2.0, size=(4000, 5))
    probabilities = calibration.softmax(honest)
    targets = np.array([rng.choice(5, p=row) for row in probabilities], dtype=np.int64)
    assert calibration.fit_temperature(honest * planted, targets) == pytest.approx(planted, rel=0.1)


def test_the_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 8 + [False] * 2 + [True] * 6 + [False] * 4)
    error = calibration.expected_calibration_error(confidence, correct)
    assert error == pytest.approx(0.5 * 0.15 + 0.5 * 0.05)


def test_full_confidence_that_is_always_right_has_no_calibration_error() -> None:
    assert calibration.expected_calibration_error(np.ones(5), np.ones(5, dtype=bool)) == 0.0
    assert calibration.expected_calibration_error(np.ones(5), np.zeros(5, dtype=bool)) == 1.0


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=15),
    st.lists(st.integers(0, 5), min_size=1, max_size=15),
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    in_scope: list[int], out_of_scope: list[int]
) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in out_of_scope for b in in_scope]
    measured = calibration.auroc([float(n) for n in in_scope], [float(n) for n in out_of_scope])
    assert measured == pytest.approx(sum(pairs) / len(pairs))


def test_auroc_needs_both_kinds() -> None:
    assert calibration.auroc([], [1.0]) is None
    assert calibration.auroc([1.0], []) is None


def test_few_known_messages_are_rejected_on_validation_data() -> None:
    rng = np.random.default_rng(2)
    in_scope = rng.uniform(0.0, 0.6, 1000)
    threshold = calibration.rejection_threshold(in_scope, np.array([]))
    assert 0.03 <= float((in_scope >= threshold).mean()) <= 0.05


def test_well_separated_strangers_are_all_rejected_and_nobody_else() -> None:
    in_scope, strange = np.linspace(0.0, 0.4, 200), np.linspace(0.7, 0.9, 50)
    threshold = calibration.rejection_threshold(in_scope, strange)
    assert float((strange >= threshold).mean()) == 1.0
    assert float((in_scope >= threshold).mean()) == 0.0


def test_without_messages_nothing_is_rejected_below_certainty() -> None:
    assert calibration.rejection_threshold(np.array([]), np.array([0.3])) == 1.0


def test_too_few_answers_certify_nothing() -> None:
    none_wrong = np.zeros(58, dtype=bool)
    assert calibration.promise_threshold(np.linspace(0.5, 1, 58), none_wrong, SHARE, 0.95) is None
    none_wrong = np.zeros(59, dtype=bool)
    confidence = np.linspace(0.5, 1, 59)
    assert calibration.promise_threshold(confidence, none_wrong, SHARE, 0.95) == 0.5


def test_a_model_that_is_sure_and_wrong_certifies_nothing() -> None:
    confidence = np.linspace(0.0, 1.0, 1000)
    assert calibration.promise_threshold(confidence, confidence > 0.9, SHARE, 0.95) is None


def test_answers_below_the_threshold_are_the_wrong_ones() -> None:
    confidence = np.linspace(0.0, 1.0, 1000)
    threshold = calibration.promise_threshold(confidence, confidence < 0.5, SHARE, 0.95)
    assert threshold is not None
    assert 0.45 < threshold < 0.6


def test_equal_confidences_are_counted_whole() -> None:
    confidence = np.full(400, 0.9)
    wrong = np.zeros(400, dtype=bool)
    wrong[200:] = True  # sorted by intent, say: half of what 0.9 answers is wrong
    assert calibration.promise_threshold(confidence, wrong, SHARE, 0.95) is None


def test_the_certified_share_holds_on_simulated_data() -> None:
    """An answer at confidence c is wrong with chance .6 (1 - c), so at least t: .3 (1 - t)."""
    rng = np.random.default_rng(3)
    draws, certified, broken = 200, 0, 0
    for _ in range(draws):
        confidence = rng.uniform(0.5, 1.0, 1500)
        wrong = rng.uniform(size=1500) < 0.6 * (1.0 - confidence)
        threshold = calibration.promise_threshold(confidence, wrong, SHARE, 0.95)
        certified += threshold is not None
        broken += threshold is not None and 0.3 * (1.0 - threshold) > SHARE
    assert broken / draws <= 0.08
    assert certified / draws >= 0.5
