import pytest

from knowledge_base.quality import claims, contradictions
from knowledge_base.quality.contradictions import Contradiction
from tests.knowledge_base.fakes import passage


def between(first: str, second: str, headings: float | None = None) -> list[Contradiction]:
    one, other = (claims.extract_claims(passage(text, title="")) for text in (first, second))
    return contradictions.find_contradictions(one, other, {}, headings=headings)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("Returns are free for 30 days.", "You can return free of charge for 60 days.", "figure"),
        ("The label costs $7.95.", "The label costs 9.95 dollars.", "figure"),
        ("Students get 15 % off.", "Students get 10 per cent off.", "figure"),
        ("保修期为 5 年。", "保修期为三年。", "figure"),
        ("保固期為 5 年。", "保固期为 3 年。", "figure"),
        ("优惠码最多用一个。", "优惠码最多用两个。", "figure"),
        ("Gift cards cannot be returned.", "You can return gift cards to us.", "denial"),
        ("The shop is open on Sundays.", "The shop is closed on Sundays.", "denial"),
        ("我们不寄送电池。", "我们可以寄送电池。", "denial"),
        ("We ship batteries to the US only.", "We ship batteries to the US and Canada.", "scope"),
        ("电池只能寄美国。", "电池可以寄美国和加拿大。", "scope"),
        ("Way | Time\nMail | 2 days", "Way | Time\nMail | 4 days", "figure"),
    ],
)
def test_two_answers_to_one_question_contradict(first: str, second: str, why: str) -> None:
    assert [c.why for c in between(first, second)] == [why]
    assert [c.why for c in between(second, first)] == [why]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Return it within 14 days.", "Return it within two weeks."),
        ("Shipping to Canada costs $12.", "Shipping to Norway costs $19."),
        ("Card refunds take 5 days by credit card.", "Refunds take 2 days to a wallet."),
        ("Standard shipping takes 5 days.", "Express shipping takes 2 days."),
        ("The Cirrus jacket weighs 300 g.", "The Nimbus jacket weighs 400 g."),
        ("Open on Saturday from 10:00.", "Open on Sunday from 12:00."),
        ("You can cancel until it is packed.", "Once it is packed, you cannot cancel."),
        ("For example, a return of $50 costs $5.", "A return of $80 costs $8."),
        ("Reset links are valid for 30 minutes.", "Accounts are locked for 15 minutes."),
        ("Repairs take 10 days.", "Repairs outside the warranty take 15 days."),
        ("Way | Time\nMail | 2 days", "Way | Time\nChat | 4 days"),
        ("Item | Price\nTent | $289", "Item | Deposit\nTent | $100"),
        ("We do not ship to PO boxes.", "We do not ship to PO boxes."),
        ("香港门店 11:00 开门。", "伦敦门店 10:00 开门。"),
        ("- gift cards", "Gift cards cannot be returned."),
        ("", "Gift cards cannot be returned."),
    ],
)
def test_agreement_and_other_subjects_are_no_contradiction(first: str, second: str) -> None:
    assert between(first, second) == []


def test_a_conflict_quotes_both_figures() -> None:
    (found,) = between("The label costs $7.95.", "The label costs $9.95.")
    assert found.figures == ("$7.95", "$9.95")
    assert found.score > contradictions.FIGURES


def test_each_sentence_is_held_against_its_own_counterpart() -> None:
    first = "Mail is answered within 2 days. Calls are answered within 5 minutes."
    second = "Calls are answered within 5 minutes. Mail is answered within 3 days."
    (found,) = between(first, second)
    assert found.figures == ("2 days", "3 days")


def test_one_word_in_common_needs_headings_in_common() -> None:
    one, other = "It is valid for 21 days.", "It is valid for 24 hours."
    assert between(one, other, headings=0.2) == []
    assert [c.why for c in between(one, other, headings=1.0)] == ["figure"]


def test_one_article_must_say_nearly_the_same_to_contradict_itself() -> None:
    one = claims.extract_claims(passage("100 points are worth $5."))
    other = claims.extract_claims(passage("A tent for $289 gives 289 points."))
    inside = contradictions.find_contradictions(one, other, {}, headings=0.5, one_article=True)
    assert inside == []
