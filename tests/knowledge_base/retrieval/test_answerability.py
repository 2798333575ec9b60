"""Whether what was found answers the question."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.documents import AnswerEvidence, KnowledgeError, SearchFeature
from knowledge_base.retrieval import answerability
from knowledge_base.retrieval.answerability import AnswerabilityModel, extract_features, learn
from knowledge_base.retrieval.search import Candidates, KnowledgeBase, ScoreBreakdown
from knowledge_base.retrieval.search_evaluation import JudgedQuery
from tests.knowledge_base.fakes import knowledge, passage

ARTICLES = "abcdefg"


def look(*lists: list[float]) -> ScoreBreakdown:
    near = np.array(lists[:-1], dtype=np.float32)
    covered = np.array(lists[-1], dtype=np.float32)
    return ScoreBreakdown(near, near[0], covered, covered)


def found(*looks: ScoreBreakdown) -> Candidates:
    return Candidates(np.arange(looks[0].near.shape[1]), looks)


def signs(candidates: Candidates, best: str = "a") -> tuple[SearchFeature, ...]:
    return extract_features(candidates, lambda row: ARTICLES[row], best)


def test_a_sign_says_how_near_the_article_is_and_how_far_ahead() -> None:
    meaning, english, words = signs(found(look([0.9, 0.3, 0.1], [0.8, 0.6, 0.6], [0.5, 0.5, 0.3])))
    assert (meaning.name, english.name, words.name) == ("meaning", "english", "words")
    assert meaning.level == pytest.approx(0.9)
    assert meaning.lead == pytest.approx(0.7)
    assert english.lead == pytest.approx(0.2)
    assert words.lead == pytest.approx(0.1)


def test_only_the_five_next_articles_are_compared_with() -> None:
    near = [0.9, 0.5, 0.5, 0.5, 0.5, 0.5, -9.0]
    assert signs(found(look(near, near)))[0].lead == pytest.approx(0.4)


def test_an_articles_other_passages_are_no_rivals() -> None:
    near = [0.9, 0.8, 0.2]
    sign, *_ = extract_features(found(look(near, near)), lambda row: "aab"[row], "a")
    assert sign.lead == pytest.approx(0.7)


def test_an_article_that_another_one_beats_has_a_negative_lead_and_no_strength_below_zero() -> None:
    sign, *_ = signs(found(look([0.1, 0.9], [0.1, 0.9])))
    assert sign.lead < 0
    assert sign.strength == 0.0


def test_what_the_english_encoder_cannot_see_the_other_one_speaks_for() -> None:
    nan = float("nan")
    meaning, english, _ = signs(found(look([0.9, 0.3], [nan, 0.5], [0.5, 0.5])))
    assert (english.level, english.lead) == (meaning.level, meaning.lead)
    meaning, english, _ = signs(found(look([0.9, 0.3], [0.5, 0.5])))
    assert (english.level, english.lead) == (meaning.level, meaning.lead)


def test_the_question_together_with_the_one_before_counts_more() -> None:
    alone, together = look([0.0, 0.0], [0.0, 0.0]), look([1.0, 0.0], [1.0, 0.0])
    assert signs(found(alone, together))[0].level == pytest.approx(0.7)


def test_few_passages_are_read_to_rate() -> None:
    asked: list[int] = []

    def article(row: int) -> str:
        asked.append(row)
        return str(row)

    near = list(np.linspace(1, 0, 100))
    extract_features(found(look(near, near)), article, "0")
    assert len(asked) <= 12


def chance(*strengths: float) -> float:
    return float(AnswerabilityModel().score(np.array([strengths]))[0])


def test_the_chance_grows_with_every_sign_and_lies_between_0_and_1() -> None:
    base = chance(0.5, 0.5, 0.5)
    assert 0 < chance(0, 0, 0) < base < 1
    for place in range(3):
        more = [0.5, 0.5, 0.5]
        more[place] = 0.9
        assert chance(*more) > base


def test_one_list_that_is_sure_weighs_more_than_three_that_are_not() -> None:
    assert chance(1.2, 0.0, 0.0) > chance(0.4, 0.4, 0.4)


PASSAGES = [
    passage(f"The {word} is kept in room {number}.", article=f"{word}.md", title=word)
    for number, word in enumerate(f"{a}{b}" for a in ("bla", "gru", "fep") for b in "xyzuvw")
]


@pytest.fixture(scope="module")
def base() -> KnowledgeBase:
    return knowledge(PASSAGES)


def rate(base: KnowledgeBase, text: str) -> AnswerEvidence:
    candidates = base.candidates(text)
    assert candidates is not None
    best = base.search(text, 1)[0].chunk.article
    return AnswerabilityModel().rate(candidates, lambda row: base.chunks[row].article, best)


def test_a_question_that_is_answered_has_the_better_chance(base: KnowledgeBase) -> None:
    answered, missing = rate(base, "Where is the blax kept?"), rate(base, "Where is my pony?")
    assert answered.article == "blax.md"
    assert answered.score > missing.score + 0.2
    assert len(answered.signs) == 3


def queries(count: int) -> list[JudgedQuery]:
    names = [chunk.title for chunk in PASSAGES]
    return [
        JudgedQuery(
            f"Where is the {names[n % len(names)]}?", frozenset({f"{names[n % len(names)]}.md"})
        )
        for n in range(count)
    ]


def test_from_few_questions_nothing_is_learnt(base: KnowledgeBase) -> None:
    assert learn(base, queries(100)) is None


def test_weights_that_refuse_no_more_than_the_built_in_ones_are_not_kept(
    base: KnowledgeBase,
) -> None:
    assert learn(base, queries(220)) is None


def test_weights_of_its_own_are_kept_where_they_refuse_more(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = replace(AnswerabilityModel(), weights=(0.0, 0.0, 0.0))
    monkeypatch.setattr(answerability, "_BUILT_IN", deaf)
    learnt = learn(base, queries(220))
    assert learnt is not None
    assert max(learnt.weights) > 0


def test_questions_without_relevant_articles_teach_nothing(base: KnowledgeBase) -> None:
    assert learn(base, [JudgedQuery("pony?", frozenset())] * 300) is None


def test_the_threshold_lets_nine_in_ten_pass() -> None:
    there = np.arange(100) / 100
    assert answerability.threshold(there) == pytest.approx(0.1)
    assert (there >= answerability.threshold(there)).mean() == pytest.approx(0.9)
    assert answerability.refusal_rate(there, np.array([0.0, 0.05, 0.5, 0.9])) == pytest.approx(0.5)


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert AnswerabilityModel.load(tmp_path) == AnswerabilityModel()
    model = AnswerabilityModel((1.0, 2.0, 3.0), -4.0)
    model.save(tmp_path)
    assert AnswerabilityModel.load(tmp_path) == model


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / answerability.FILE).write_text('{"weights": [1]}', encoding="utf-8")
    with pytest.raises(KnowledgeError, match=answerability.FILE):
        AnswerabilityModel.load(tmp_path)
