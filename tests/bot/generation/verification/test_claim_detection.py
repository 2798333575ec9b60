"""What states something, and what merely talks."""

import pytest

from bot.generation.verification import has_claim


@pytest.mark.parametrize(
    "text",
    [
        "Hello!", "Hi, thanks for reaching out.", "Good morning!",
        "I'm happy to help you with that.", "I can help with that.",
        "Is there anything else I can do for you?", "You're welcome!", "Which order is it about?",
        "Sorry to hear that.", "Yes.", "Sure, of course!", "👋",
        "Please let me know if you have more questions.", "Have a nice day!",
        "Thank you very much.", "I understand how frustrating this is.",
        "We apologize for the inconvenience.", "您好！", "很高兴为您服务。",
        "请问您的订单号是多少？", "谢谢您的耐心等待。", "不客气！", "好的。",
        "如果您还有其他问题，请随时联系我们。", "非常抱歉给您带来不便。", "祝您生活愉快！", "",
    ],
)  # fmt: skip
def test_talk_states_nothing(text: str) -> None:
    assert not has_claim(text)


@pytest.mark.parametrize(
    "text",
    [
        "You can return it within 60 days.", "Sorry, but we cannot refund it.",
        "Returns are free.", "Hello! The label is free.", "Yes, gift cards expire.",
        "Sorry, we are closed on Sundays.", "No, that is not possible.",
        "I'm happy to confirm that returns are free.", "Did you get the e-mail with 20 % off?",
        "Write to care@fernway.example.", "送达后60天内可以退货。", "抱歉，礼品卡不能退货。",
        "好的，退货是免费的。", "您好！退货标签免费。", "可以，打包之前都能修改。",
    ],
)  # fmt: skip
def test_a_statement_states_something_whatever_stands_before_it(text: str) -> None:
    assert has_claim(text)
