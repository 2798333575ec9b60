"""The texts of the chat in English and Chinese."""

from typing import Final

from ui.i18n import CHINESE

_EN: Final = {
    "conversation": "Conversation",
    "box": "Write as a customer would, in English or 中文 …",
    "send": "Send",
    "again": "New conversation",
    "intents": "Intent",
    "nothing": "The last reply is explained here.",
    "for_and_against": "Each word speaks <mark class='for'>for</mark> or "
    "<mark class='against'>against</mark> the intent",
    "similar": "Nearest training examples",
    "found": "What was found",
    "passage": "Passage",
    "meaning": "Meaning",
    "words": "Words",
    "score": "Score",
    "model": "Model",
    "version": "Version: {kind}",
    "tokens": "{prompt} + {completion} tokens",
    "counted": "counted here",
    "cost": "cost {cost}",
    "fell_back": "its words were not all used ({why})",
    "prompt": "prompt {sha}",
    "comma": ", ",
    "route": "Route",
    "reason": "Reason",
    "intent": "Intent",
    "language": "Language",
    "sentiment": "Sentiment",
    "handoff": "Hand-off",
    "handed": "{state} in {queue}",
    "place": ", number {n}",
}
_ZH: Final = {
    "conversation": "会话",
    "box": "像顾客一样写，中文或 English …",
    "send": "发送",
    "again": "新会话",
    "intents": "意图",
    "nothing": "这里解释最近一次回复。",
    "for_and_against": "每个词<mark class='for'>支持</mark>或"
    "<mark class='against'>不支持</mark>该意图",
    "similar": "最接近的训练样本",
    "found": "找到的内容",
    "passage": "段落",
    "meaning": "语义",
    "words": "词语",
    "score": "得分",
    "model": "语言模型",
    "version": "版本：{kind}",
    "tokens": "{prompt} + {completion} 个 token",
    "counted": "本地计数",
    "cost": "费用 {cost}",
    "fell_back": "其文字未全部采用：{why}",
    "prompt": "提示词 {sha}",
    "comma": "，",
    "route": "去向",
    "reason": "原因",
    "intent": "意图",
    "language": "语言",
    "sentiment": "情感",
    "handoff": "转人工",
    "handed": "{state}（{queue}）",
    "place": "，第 {n} 位",
}


def get_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale."""
    return _ZH if locale == CHINESE else _EN
