"""The texts of the console in English and Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ui import term_texts
from ui.i18n import CHINESE

_EN: Final = {
    "present": "Available",
    "leave": "Sign out",
    "busy": "{name} ({role}) · {busy} of {capacity} conversations · {waiting} waiting",
    "show": "Show",
    "everything": "All",
    "waiting": "Waiting",
    "mine": "Mine",
    "mood": "Mood",
    "intent": "Intent",
    "language": "Language",
    "longer": "Waiting at least",
    "minutes": "{n} min",
    "queue": "Queue",
    "columns": "Waiting|Agent|Last customer message|Intent|Mood|Lang.|Labels|Conversation",
    "queue_empty": "No one is waiting.",
    "transcript": "Conversation",
    "choose": "Select a conversation from the queue.",
    "take": "Take over",
    "return": "Return to bot",
    "close": "Close",
    "pass": "Transfer",
    "pass_to": "Transfer to",
    "a_queue": "Queue: {name}",
    "suggestions": "Suggested replies",
    "canned": "Canned replies",
    "reply": "Your reply (Enter sends, Shift+Enter starts a new line, /shortcut inserts a canned "
    "reply)",
    "send": "Send",
    "why": "Why the bot replied this way",
    "why_hint": "Click a reply of the bot to see how it came about.",
    "moods": "Mood over time",
    "notes": "Internal notes",
    "note": "Write a note…",
    "labels": "Labels",
    "search": "Search the knowledge base",
    "template": "template",
    "passage": "article",
    "past": "earlier reply",
    "queued": "waiting",
    "human": "with {agent}",
    "bot": "with the bot",
    "returned": "returned to the bot",
    "closed": "closed",
    "over": "⚠ ",
    "first": "waiting for an agent",
    "asked": "waiting for a reply",
    "answered": "answered",
    "asked_for": "Questions",
    "tried": "Tried",
    "nothing_found": "No results.",
    "channel": "Channel",
    "contact": "Contact",
    "customer": "Customer",
    "assistant": "Bot",
    "agent": "Agent",
    "route": "Route",
    "reason": "Reason",
    "records": "Customer records",
    "records_elsewhere": "The records are in another system.",
    "records_first": "Take over the conversation to see the records.",
    "records_look": "Look up",
    "right_intent": "Correct intent",
    "right_article": "Correct article",
    "right_answer": "Correct answer",
    "right_write": "What the bot should have replied",
    "right_save": "Save answer",
    "right_kept": "{what} (by {author})",
    "right_hint": "Corrections are saved for training.",
}
_ZH: Final = {
    "present": "在线",
    "leave": "退出登录",
    "busy": "{name}（{role}）· 会话 {busy}/{capacity} · {waiting} 人等待",
    "show": "显示",
    "everything": "全部",
    "waiting": "等待中",
    "mine": "我的",
    "mood": "情绪",
    "intent": "意图",
    "language": "语言",
    "longer": "等待时长不少于",
    "minutes": "{n} 分钟",
    "queue": "队列",
    "columns": "等待时长|客服|顾客最新消息|意图|情绪|语言|标签|会话",
    "queue_empty": "当前没有顾客在等待。",
    "transcript": "会话",
    "choose": "请在队列中选择一个会话。",
    "take": "接管",
    "return": "交还机器人",
    "close": "关闭",
    "pass": "转接",
    "pass_to": "转接给",
    "a_queue": "队列：{name}",
    "suggestions": "推荐回复",
    "canned": "快捷回复",
    "reply": "输入回复（Enter 发送，Shift+Enter 换行，/快捷词 插入快捷回复）",
    "send": "发送",
    "why": "回复的依据",
    "why_hint": "点击机器人的一条回复，查看其依据。",
    "moods": "情绪变化",
    "notes": "内部备注",
    "note": "添加备注…",
    "labels": "标签",
    "search": "搜索知识库",
    "template": "模板",
    "passage": "文章",
    "past": "历史回复",
    "queued": "等待中",
    "human": "{agent} 接待中",
    "bot": "机器人接待中",
    "returned": "已交还机器人",
    "closed": "已关闭",
    "over": "⚠ ",
    "first": "等待人工",
    "asked": "等待回复",
    "answered": "已回复",
    "asked_for": "顾客的问题",
    "tried": "已尝试",
    "nothing_found": "没有找到相关内容。",
    "channel": "渠道",
    "contact": "联系方式",
    "customer": "顾客",
    "assistant": "机器人",
    "agent": "客服",
    "route": "处理方式",
    "reason": "原因",
    "records": "顾客记录",
    "records_elsewhere": "记录保存在其他系统中。",
    "records_first": "接管会话后才能查看记录。",
    "records_look": "查询",
    "right_intent": "正确意图",
    "right_article": "正确文章",
    "right_answer": "正确回答",
    "right_write": "机器人应该怎样回答",
    "right_save": "保存回答",
    "right_kept": "{what}（{author}）",
    "right_hint": "更正会保存下来，用于改进模型。",
}


def get_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale."""
    return _ZH if locale == CHINESE else _EN


@dataclass(frozen=True)
class ConsoleTexts:
    """Texts of a locale: those of the console by name, the server's terms, titles of intents.

    `titles` has the titles of each intent in `en` and `zh`.
    """

    locale: str
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Return the console's text of a name."""
        return get_texts(self.locale)[name]

    def term(self, value: str | None) -> str:
        """Return a term of the server; an unknown one as it is."""
        return (
            (term_texts.TERMS.get(value or "") if self.locale == CHINESE else None) or value or ""
        )

    def text(self, texts: Mapping[str, str]) -> str:
        """Return a text of the home in this locale, or else in a language that it has."""
        language = "zh" if self.locale == CHINESE else "en"
        return texts.get(language) or next(iter(texts.values()), "")

    def state(self, value: str | None) -> str:
        """Return the state of a conversation."""
        return (
            (term_texts.STATES.get(value or "") if self.locale == CHINESE else None) or value or ""
        )

    def reason(self, value: str | None) -> str:
        """Return the reason of a decision, with the title of the intent in it."""
        kind, _, intent = (value or "").partition(":")
        if self.locale != CHINESE:
            return value or ""
        text = term_texts.REASONS.get(kind, value or "")
        return f"{text}：{self.title(intent)}" if intent and kind in term_texts.REASONS else text

    def flaw(self, value: str | None) -> str:
        """Return why a statement, or the text of a language model, was rejected."""
        if self.locale != CHINESE:
            return value or ""
        kind, _, names = (value or "").partition(": ")
        details = "、".join(term_texts.FLAWS.get(name, name) for name in names.split(", ") if name)
        text = term_texts.FLAWS.get(kind, kind)
        return f"{text}（{details}）" if details else text

    def title(self, intent: str | None) -> str:
        """Return the title of an intent, or else its name."""
        titles = self.titles.get(intent or "", {})
        return titles.get("zh" if self.locale == CHINESE else "en") or intent or ""

    def intent(self, title: str) -> str:
        """Return the intent that has a title."""
        return next((name for name in self.titles if self.title(name) == title), title)
