"""The texts of the chat in English and Chinese."""

from typing import Final

from ui.i18n import CHINESE

_EN: Final = {
    "conversation": "Conversation",
    "box": "Write as a customer would, in English or 中文…",
    "send": "Send",
    "again": "New conversation",
    "intents": "Intent",
    "nothing": "Explanation of the last reply",
    "for_and_against": "Words <mark class='for'>for</mark> and <mark "
    "class='against'>against</mark> the intent",
    "similar": "Most similar training examples",
    "found": "Search results",
    "passage": "Passage",
    "meaning": "Semantic",
    "words": "Keyword",
    "score": "Score",
    "model": "Language model",
    "version": "Version: {kind}",
    "tokens": "{prompt} + {completion} tokens",
    "counted": "counted locally",
    "cost": "cost {cost}",
    "fell_back": "output not fully used ({why})",
    "prompt": "prompt {sha}",
    "comma": ", ",
    "route": "Route",
    "reason": "Reason",
    "intent": "Intent",
    "language": "Language",
    "sentiment": "Sentiment",
    "handoff": "Hand-off",
    "handed": "{state}, queue {queue}",
    "place": ", position {n}",
}
_ZH: Final = {
    "conversation": "会话",
    "box": "请像顾客一样提问，中文或 English…",
    "send": "发送",
    "again": "开始新会话",
    "intents": "意图",
    "nothing": "最近一次回复的说明",
    "for_and_against": "<mark class='for'>支持</mark>和<mark class='against'>不支持</mark>该意图的"
    "词语",
    "similar": "最相似的训练样本",
    "found": "检索结果",
    "passage": "段落",
    "meaning": "语义",
    "words": "关键词",
    "score": "得分",
    "model": "语言模型",
    "version": "版本：{kind}",
    "tokens": "{prompt} + {completion} 个 token",
    "counted": "本地计数",
    "cost": "费用 {cost}",
    "fell_back": "输出未全部采用：{why}",
    "prompt": "提示词 {sha}",
    "comma": "，",
    "route": "处理方式",
    "reason": "原因",
    "intent": "意图",
    "language": "语言",
    "sentiment": "情绪",
    "handoff": "转人工",
    "handed": "{state}（{queue}）",
    "place": "，第 {n} 位",
}


def get_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale."""
    return _ZH if locale == CHINESE else _EN
