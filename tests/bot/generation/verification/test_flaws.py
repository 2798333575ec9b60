"""Each flaw is found where it is planted, and not where a sentence says the same."""

import pytest

from bot.generation.verification import SupportCheck, SupportIssue

CHECK = SupportCheck(None)


def flaws(statement: str, passage: str) -> tuple[SupportIssue, ...]:
    found = CHECK.check(statement, [passage]).flaws
    return tuple(flaw for flaw in found if flaw is not SupportIssue.MEANING)


@pytest.mark.parametrize(
    ("passage", "statement", "flaw"),
    [
        ("Returns within 14 days; exchanges within 30 days.", "Returns within 30 days.",
         SupportIssue.NUMBER),
        ("Adults pay $10, children pay $5.", "Adults pay $5.", SupportIssue.MONEY),
        ("Backpacks | 5 years\nTents | 2 years", "Backpacks | 2 years", SupportIssue.NUMBER),
        ("The code has 16 digits.", "The code has 18 digits.", SupportIssue.NUMBER),
        ("We open at 9:00.", "We open at 10:00.", SupportIssue.DATE),
        ("The offer ends on 12 March.", "The offer ends on 13 March.", SupportIssue.DATE),
        ("Closed on Mondays.", "Closed on Tuesdays.", SupportIssue.DATE),
        ("It weighs 2 kg.", "It weighs 2 pounds.", SupportIssue.UNIT),
        ("Ask in our shop in Portland.", "Ask in our shop in Boston.", SupportIssue.NAME),
        ("Use the code WELCOME10 once.", "Use the code WELCOME20 once.", SupportIssue.NAME),
        ("Pay with PayPal.", "Pay with Alipay.", SupportIssue.NAME),
        ("Write to a@b.example.", "Write to c@b.example.", SupportIssue.LINK),
        ("See https://b.example/returns.", "See https://b.example/refunds.", SupportIssue.LINK),
        ("Gift cards cannot be returned.", "Gift cards can be returned.", SupportIssue.NEGATION),
        ("Sale items can be returned.", "Sale items can't be returned.", SupportIssue.NEGATION),
        ("The return label is free.", "The return label is not free.", SupportIssue.NEGATION),
        ("The tent comes with pegs.", "The tent comes without pegs.", SupportIssue.NEGATION),
        ("The item must be unused.", "The item must be used.", SupportIssue.NEGATION),
        ("You may cancel before packing.", "You may cancel after packing.", SupportIssue.CONDITION),
        ("Return it within 9 days.", "Return it after 9 days.", SupportIssue.CONDITION),
        ("Take at least 3 pegs.", "Take at most 3 pegs.", SupportIssue.CONDITION),
        ("You can return it if the tag is on.", "You can return it unless the tag is on.",
         SupportIssue.CONDITION),
        ("You can return it if the tag is on.", "You can return it.", SupportIssue.CONDITION),
        ("Members only can book a guide.", "Members can book a guide.", SupportIssue.CONDITION),
        ("We ship to all states except Hawaii.", "We ship to all states.", SupportIssue.CONDITION),
        ("You can return it.", "You can return it only with a receipt.", SupportIssue.CONDITION),
        ("打包之前可以修改订单。", "打包之后可以修改订单。", SupportIssue.CONDITION),
        ("如果吊牌完整，可以退货。", "可以退货。", SupportIssue.CONDITION),
        ("礼品卡不能退货。", "礼品卡能退货。", SupportIssue.NEGATION),
        ("退货标签免费。", "退货标签收费。", SupportIssue.NEGATION),
        ("门店周日休息。", "门店周日营业。", SupportIssue.NEGATION),
        ("重量约8公斤。", "重量约8克。", SupportIssue.UNIT),
        ("请联系波特兰门店的王敏。", "请联系波特兰门店的李强。", SupportIssue.NAME),
        ("送达后 60 天内可以退货。", "送达后三十天内可以退货。", SupportIssue.NUMBER),
    ],
)  # fmt: skip
def test_what_is_planted_is_named(passage: str, statement: str, flaw: SupportIssue) -> None:
    assert flaw in flaws(statement, passage)


@pytest.mark.parametrize(
    ("passage", "statement"),
    [
        ("Returns within 14 days; exchange within 30 days.", "Exchange within 30 days."),
        ("Adults pay $10, children pay $5.", "Children pay $5 and adults pay $10."),
        ("You choose any amount from $25 to $500.", "Choose any amount between $25 and $500."),
        ("Delivery takes 3–5 business days.", "Delivery takes up to 5 business days."),
        ("Gift cards cannot be returned.", "Gift cards can't be returned."),
        ("Gift cards cannot be returned.", "It is not possible to return gift cards."),
        ("The shop is closed on Sundays.", "The shop is not open on Sundays."),
        ("The label is free of charge.", "There is no charge for the label."),
        ("If the tag is on, you can return it.", "You can return it as long as the tag is on."),
        ("Pets are not allowed, with the exception of guide dogs.",
         "Pets are not allowed except guide dogs."),
        ("Open Monday to Friday.", "We are open on Wednesday."),
        ("We ship to the US and Canada.", "We ship to Canada and the US."),
        ("礼品卡不能退货。", "礼品卡不可以退货。"),
        ("退货标签免费。", "退货标签不收费。"),
        ("如果吊牌完整，可以退货。", "只要吊牌完整，就可以退货。"),
        ("门店周日休息。", "门店星期天不营业。"),
        ("送达后 60 天内可以退货。", "您可以在送达后六十天内退货。"),
        ("工作日下午两点前下单当天发货。", "工作日14:00前下单，当天发货。"),
    ],
)  # fmt: skip
def test_the_same_in_other_words_has_no_flaw(passage: str, statement: str) -> None:
    assert flaws(statement, passage) == ()
