import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

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


def test_without_messages_nothing_is_rejected() -> None:
    assert calibration.rejection_threshold(np.array([]), np.array([0.3])) == calibration.NEVER


def test_the_quantile_of_a_few_easy_messages_is_not_trusted() -> None:
    in_scope = np.linspace(-1.0, 0.5, 99)
    assert calibration.rejection_threshold(in_scope, np.array([])) == 2.0
    assert calibration.rejection_threshold(in_scope + 5.0, np.array([])) > 5.0
    assert calibration.rejection_threshold(np.linspace(-1.0, 0.5, 100), np.array([])) < 0.5


def test_a_few_strangers_say_nothing_about_a_rate() -> None:
    in_scope = np.linspace(0.0, 1.0, 200)
    alone = calibration.rejection_threshold(in_scope, np.array([]))
    assert calibration.rejection_threshold(in_scope, np.full(19, 5.0)) == alone
    assert calibration.rejection_threshold(in_scope, np.full(20, 5.0)) == 5.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(100, 300), st.integers(0, 60), st.floats(-2, 4))
def test_strangers_never_cost_more_than_a_few_known_messages(
    seed: int, known: int, strangers: int, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    in_scope, strange = rng.normal(size=known), rng.normal(size=strangers) + shift
    threshold = calibration.rejection_threshold(in_scope, strange)
    assert float((in_scope >= threshold).mean()) <= 0.04 + 1 / known


def test_reliability_has_one_row_for_each_bin_that_is_not_empty() -> None:
    confidence = np.array([0.01, 0.02, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0])
    correct = np.array([False, False, True, False, True, True, True, True])
    said, true, sizes = calibration.reliability(confidence, correct)
    assert said.tolist() == pytest.approx([0.015, 0.5, 1.0])
    assert true.tolist() == [0.0, 0.5, 1.0]
    assert sizes.tolist() == [0.25, 0.25, 0.5]


def test_without_messages_there_is_nothing_to_calibrate() -> None:
    nothing, none = np.array([]), np.array([], dtype=bool)
    assert [len(part) for part in calibration.reliability(nothing, none)] == [0, 0, 0]
    assert calibration.expected_calibration_error(nothing, none) == 0.0


def test_the_log_loss_is_that_of_the_true_class() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]))
    expected = -(np.log(0.2) + np.log(0.8)) / 2
    assert calibration.log_loss(logits, np.array([1, 2])) == pytest.approx(expected)
    certain = np.array([[1e4, 0.0]])
    assert calibration.log_loss(certain, np.array([0])) == 0.0
    assert 20.0 < calibration.log_loss(certain, np.array([1])) < 30.0  # finite


def test_a_fitted_temperature_has_the_least_log_loss() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(300, 4)) * 3.0
    targets = np.where(rng.uniform(size=300) < 0.7, logits.argmax(axis=1), 0)
    best = calibration.fit_temperature(logits, targets)
    least = calibration.log_loss(logits, targets, best)
    assert all(calibration.log_loss(logits, targets, best * f) >= least for f in (0.9, 1.1))


def test_a_few_examples_that_are_all_right_give_no_infinite_confidence() -> None:
    logits = np.eye(3)
    assert calibration.fit_temperature(logits, np.arange(3)) == pytest.approx(0.3, abs=0.01)


def test_a_true_intent_is_offered_nine_times_in_ten() -> None:
    """Over many draws, of a model that is overconfident: conformal prediction needs no honesty."""
    rng = np.random.default_rng(5)

    def draw(count: int) -> tuple[calibration.Array, NDArray[np.int64]]:
        logits = rng.normal(size=(count, 6))
        honest = calibration.softmax(logits)
        targets = np.array([rng.choice(6, p=row) for row in honest], dtype=np.int64)
        return calibration.softmax(3.0 * logits), targets

    shares = []
    for _ in range(60):
        probabilities, targets = draw(150)
        asked = probabilities.max(axis=1) < 0.9
        threshold = calibration.candidate_threshold(probabilities, targets, asked)
        fresh, truth = draw(300)
        chosen = fresh.max(axis=1) < 0.9
        shares.append((fresh[np.arange(300), truth] >= threshold)[chosen].mean())
    assert 0.9 <= float(np.mean(shares)) <= 0.96


def test_where_little_is_known_everything_is_offered() -> None:
    probabilities = np.full((11, 2), 0.5)
    targets = np.zeros(11, dtype=np.int64)
    everyone = np.ones(11, dtype=bool)
    assert calibration.candidate_threshold(probabilities, targets, everyone) == 0.0
    assert calibration.candidate_threshold(probabilities, targets, ~everyone) == 0.0


def needed(share: float = SHARE, certainty: float = 0.95) -> int:
    """Return how many answers without a mistake certify: (1 - share)^n at half of the error."""
    return int(np.ceil(np.log((1.0 - certainty) / 2) / np.log(1.0 - share)))


def test_too_few_answers_certify_nothing_and_say_how_many_it_takes() -> None:
    assert needed() == 72
    few = np.linspace(0.5, 1, 71)
    refused = calibration.certify(few, np.zeros(71, dtype=bool), SHARE, 0.95)
    assert (refused.threshold, refused.coverage) == (None, 0.0)
    assert refused.reason == "71 held-out messages; 72 are needed even without a mistake"
    enough = np.linspace(0.5, 1, 72)
    kept = calibration.certify(enough, np.zeros(72, dtype=bool), SHARE, 0.95)
    assert (kept.threshold, kept.coverage, kept.reason) == (0.5, 1.0, None)


def test_no_answers_at_all_certify_nothing() -> None:
    nothing = calibration.certify(np.array([]), np.array([], dtype=bool), SHARE, 0.95)
    assert nothing.threshold is None
    assert nothing.reason is not None
    assert nothing.reason.startswith("0 held-out messages")


def test_a_model_that_is_sure_and_wrong_certifies_nothing_and_says_how_wrong_it_is() -> None:
    confidence = np.linspace(0.0, 1.0, 1000)
    refused = calibration.certify(confidence, confidence > 0.9, SHARE, 0.95)
    assert refused.threshold is None
    assert refused.reason == (
        "of the surest 250 held-out messages 40.0% are wrong: too many to promise 5.0%"
    )


def test_answers_below_the_threshold_are_the_wrong_ones() -> None:
    confidence = np.linspace(0.0, 1.0, 1000)
    kept = calibration.certify(confidence, confidence < 0.5, SHARE, 0.95)
    assert kept.threshold is not None
    assert 0.45 < kept.threshold < 0.51
    assert kept.coverage == pytest.approx(float((confidence >= kept.threshold).mean()))


def test_a_mistake_among_the_surest_is_no_end() -> None:
    """The second sequence begins lower, where a few mistakes at the top weigh less."""
    confidence = np.linspace(0.0, 1.0, 1000)
    wrong = confidence > 1.0 - 0.0125  # 13: 5 % of a quarter, 2.6 % of a half
    kept = calibration.certify(confidence, wrong, SHARE, 0.95)
    assert kept.threshold is not None
    assert kept.coverage > 0.9


def test_testing_ends_at_the_first_threshold_that_fails() -> None:
    """Further down the mistakes would be few enough again: looking on there breaks the promise."""
    confidence = np.linspace(1.0, 0.0, 1000)
    wrong = np.zeros(1000, dtype=bool)
    wrong[300:330] = True
    kept = calibration.certify(confidence, wrong, SHARE, 0.95)
    assert calibration.upper_bound(30, 1000, 0.025) < SHARE
    assert 0.25 <= kept.coverage <= 0.32


def test_equal_confidences_are_counted_whole() -> None:
    confidence = np.full(400, 0.9)
    wrong = np.zeros(400, dtype=bool)
    wrong[200:] = True  # sorted by intent, say: half of what 0.9 answers is wrong
    assert calibration.certify(confidence, wrong, SHARE, 0.95).threshold is None


@pytest.mark.parametrize("count", [101, 399, 1001])
def test_equal_confidences_that_are_all_right_are_certified(count: int) -> None:
    kept = calibration.certify(np.full(count, 0.9), np.zeros(count, dtype=bool), SHARE, 0.95)
    assert (kept.threshold, kept.coverage) == (0.9, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 20), st.integers(0, 19)), min_size=80, max_size=300))
def test_a_certificate_is_about_all_that_its_threshold_answers(
    rows: list[tuple[int, int]],
) -> None:
    confidence = np.array([row[0] / 20 if row[0] >= 0 else -1.0 for row in rows])
    wrong = np.array([row[1] == 0 for row in rows])
    kept = calibration.certify(confidence, wrong, 0.1, 0.9)
    if kept.threshold is None:
        assert kept.reason
        return
    answered = confidence >= kept.threshold
    assert kept.threshold >= 0
    assert kept.coverage == pytest.approx(answered.mean())
    bound = calibration.upper_bound(int(wrong[answered].sum()), int(answered.sum()), 0.05)
    assert bound <= 0.1


def test_messages_that_are_never_answered_count_for_coverage_alone() -> None:
    confidence = np.concatenate([np.linspace(0.5, 1.0, 200), np.full(800, -1.0)])
    wrong = confidence < 0  # would be wrong if they were answered
    kept = calibration.certify(confidence, wrong, SHARE, 0.95)
    assert (kept.threshold, kept.coverage) == (0.5, 0.2)
    never = calibration.certify(np.full(500, -1.0), np.zeros(500, dtype=bool), SHARE, 0.95)
    assert never.threshold is None
    assert never.reason is not None
    assert never.reason.startswith("0 held-out messages")


def test_the_upper_bound_is_clopper_and_pearsons() -> None:
    assert calibration.upper_bound(0, 59, 0.05) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert calibration.upper_bound(5, 100, 0.05) == pytest.approx(0.1023, abs=1e-3)
    assert calibration.upper_bound(7, 7, 0.05) == 1.0


DRAWS = 400


@pytest.mark.parametrize("digits", [None, 2], ids=["all different", "many equal"])
@pytest.mark.parametrize(("steepness", "possible"), [(0.18, 0.1), (0.3, 0.5), (0.4, 0.3)])
def test_the_promise_is_broken_in_at_most_one_draw_of_twenty(
    steepness: float, possible: float, digits: int | None
) -> None:
    """An answer at confidence c is wrong with chance s (1 - c): what is promised can be checked."""
    rng = np.random.default_rng(6)

    def draw(count: int) -> tuple[calibration.Array, calibration.Array]:
        exact = rng.uniform(0.4, 1.0, count)
        return exact if digits is None else np.round(exact, digits), steepness * (1.0 - exact)

    many, risks = draw(200_000)
    certified = broken = 0
    for _ in range(DRAWS):
        confidence, chance = draw(1500)
        kept = calibration.certify(confidence, rng.uniform(size=1500) < chance, SHARE, 0.95)
        if kept.threshold is not None:
            certified += 1
            broken += float(risks[many >= kept.threshold].mean()) > SHARE
    noise = 2.0 * np.sqrt(0.05 * 0.95 / DRAWS)
    assert broken / DRAWS <= 0.05 + noise
    assert certified / DRAWS >= possible


def test_a_model_that_is_never_good_enough_is_seldom_certified() -> None:
    """Every certificate is a broken promise here: one answer in twenty is wrong, and a little."""
    rng = np.random.default_rng(7)
    certified = 0
    for _ in range(DRAWS):
        confidence, wrong = rng.uniform(0.4, 1.0, 800), rng.uniform(size=800) < 0.0505
        certified += calibration.certify(confidence, wrong, SHARE, 0.95).threshold is not None
    assert 0 < certified / DRAWS <= 0.05 + 2.0 * np.sqrt(0.05 * 0.95 / DRAWS)
