import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.generation.answer_types import AnswerType, expected_types, gain
from bot.generation.statements import PassageStatement, statements
from tests.knowledge_base.fakes import passage


def cut(text: str) -> list[str]:
    return [statement.text for statement in statements(passage(text))]


def test_sentences_are_statements() -> None:
    assert cut("Boots return free. Cafés open at nine!") == [
        "Boots return free.",
        "Cafés open at nine!",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Ask Dr. Brown about it.",
        "Bring papers, e.g. a passport, with you.",
        "It costs 3.50 euros a day.",
        "We open at 9 a.m. on Mondays.",
        "《鳄鱼泪！》是一部电视剧。",
    ],
)
def test_a_full_stop_that_ends_nothing_cuts_nothing(text: str) -> None:
    assert cut(text) == [text]


def test_lines_that_were_wrapped_by_hand_are_joined() -> None:
    text = (
        "Keep your hands clean and stay at home when you do not feel well, as many\n"
        "people do. Follow the news on the pages of the health authority of your own\n"
        "country."
    )
    assert [" ".join(one.split()) for one in cut(text)] == [
        "Keep your hands clean and stay at home when you do not feel well, as many people do.",
        "Follow the news on the pages of the health authority of your own country.",
    ]


def test_items_of_a_list_are_not_taken_for_wrapped_lines() -> None:
    items = ["tent fabric that has become brittle in the sun", "boots with crumbled soles"]
    assert cut("\n".join(items)) == items


def test_items_have_their_lead_in_across_a_blank_line() -> None:
    lead, first, second = statements(passage("It does not cover:\n\nburns\ncuts"))
    assert lead.lead is None
    assert {first.lead_text, second.lead_text} == {"It does not cover:"}
    assert (first.form, first.block) == ("item", second.block)


def test_rows_have_the_first_row_as_their_lead() -> None:
    rows = statements(passage("Country | Fee\nNorway | 9 €\nJapan | 19 €"))
    assert [row.text for row in rows] == ["Norway | 9 €", "Japan | 19 €"]
    assert {row.lead_text for row in rows} == {"Country | Fee"}


def test_a_row_alone_says_something() -> None:
    assert cut("Norway | 9 €") == ["Norway | 9 €"]


def test_a_bare_answer_stays_with_what_follows() -> None:
    assert cut("No. Boots are for adults.") == ["No. Boots are for adults."]
    assert cut("不能。折扣商品不退。") == ["不能。折扣商品不退。"]


@pytest.mark.parametrize(
    "text", ["It weighs 1 kg.", "They are free.", "它重一公斤。", "这些免费。"]
)
def test_a_pronoun_at_the_beginning_refers_to_what_stands_before(text: str) -> None:
    assert statements(passage(text))[0].refers


@pytest.mark.parametrize(
    "text", ["Items are free.", "Theatres close.", "其他人付款。", "Italy pays."]
)
def test_other_beginnings_refer_to_nothing(text: str) -> None:
    assert not statements(passage(text))[0].refers


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Boots return free. ", "no full stop\n", "\n\n", "a | b\n", "Ask us:\n", "退货，",
             "免费；", "登山鞋。", "「开", "word " * 70, "字" * 120, "No. ", "1. ", "  "]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_statements_are_spans_in_order_that_lose_nothing_but_headers(parts: list[str]) -> None:
    text = "".join(parts)
    found: list[PassageStatement] = statements(passage(text))
    ends = [0]
    for statement in found:
        assert statement.text == statement.text.strip() != ""
        assert statement.start >= ends[-1]
        ends.append(statement.end)
        assert statement.form == "row" or len(statement.text.split()) <= 60
    left = text
    for statement in reversed(found):
        left = left[: statement.start] + left[statement.end :]
    assert all(" | " in line for line in left.split("\n") if line.strip())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How long does delivery take?", AnswerType.DURATION),
        ("How much is express?", AnswerType.MONEY),
        ("When do you open?", AnswerType.TIME),
        ("Where is your shop?", AnswerType.PLACE),
        ("Why was I charged?", AnswerType.REASON),
        ("Who can apply?", AnswerType.PERSON),
        ("How do I return boots?", AnswerType.WAY),
        ("Can I pay by card?", AnswerType.PERMISSION),
        ("退款要多久？", AnswerType.DURATION),
        ("运费多少钱？", AnswerType.MONEY),
        ("什么时候发货？", AnswerType.TIME),
        ("门店在哪里？", AnswerType.PLACE),
        ("有几个门店？", AnswerType.NUMBER),
        ("谁是馆长？", AnswerType.PERSON),
        ("为什么扣款？", AnswerType.REASON),
        ("怎么退货？", AnswerType.WAY),
    ],
)
def test_a_question_says_what_kind_of_answer_it_wants(question: str, kind: AnswerType) -> None:
    assert kind in expected_types(question)


def test_what_the_question_says_itself_is_no_answer_to_it() -> None:
    kinds = expected_types("How many days, 30 or more?")
    assert gain(kinds, "It is 45 days.", "How many days, 30 or more?") > 0
    assert gain(frozenset({AnswerType.NUMBER}), "It is 30.", "30 or what?") == 0
