"""The texts of the console in English and Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ui import term_texts
from ui.i18n import CHINESE

_EN: Final = {
    "present": "I am here",
    "leave": "Sign out",
    "busy": "{name} ({role}) · {busy} of {capacity} conversations · {waiting} waiting",
    "show": "Show",
    "everything": "all",
    "waiting": "waiting",
    "mine": "mine",
    "mood": "Mood",
    "intent": "Intent",
    "language": "Language",
    "longer": "Waiting longer than",
    "minutes": "{n} min",
    "queue": "Queue",
    "columns": "Clock|With|Last said by the customer|Intent|Mood|Lang.|Labels|Conversation",
    "queue_empty": "Nobody waits.",
    "transcript": "Conversation",
    "choose": "Choose a conversation in the queue.",
    "take": "Take over",
    "return": "Hand back to the bot",
    "close": "Close",
    "pass": "Transfer",
    "pass_to": "Transfer to",
    "a_queue": "queue: {name}",
    "suggestions": "Suggested replies",
    "insert": "Insert",
    "canned": "Canned replies",
    "reply": "Your reply (Enter sends, Shift+Enter breaks the line, /shortcut inserts)",
    "send": "Send",
    "about": "About",
    "summary": "Summary",
    "why": "Why the bot said this",
    "why_hint": "Choose a reply of the bot in the conversation.",
    "moods": "Mood over time",
    "notes": "Notes for colleagues",
    "note": "Write a note",
    "labels": "Labels",
    "search": "Search the knowledge",
    "template": "template",
    "passage": "article",
    "past": "past answer",
    "queued": "waiting",
    "human": "with {agent}",
    "bot": "with the bot",
    "returned": "with the bot again",
    "closed": "closed",
    "over": "⚠ ",
    "first": "waits for a person",
    "asked": "waits for an answer",
    "answered": "answered",
    "asked_for": "Asked",
    "tried": "Tried",
    "open": "Open",
    "nothing_found": "Nothing was found.",
    "channel": "Channel",
    "contact": "Contact",
    "customer": "Customer",
    "assistant": "Bot",
    "agent": "Agent",
    "route": "Route",
    "reason": "Reason",
    "records": "Records of the customer",
    "records_elsewhere": "Records are kept in another system.",
    "records_first": "Take the conversation over to see records.",
    "records_look": "Look up",
    "right_intent": "Right intent",
    "right_article": "Right article",
    "right_answer": "Right answer",
    "right_write": "What the bot should have said",
    "right_save": "Keep this answer",
    "right_kept": "{author} corrected: {what}",
    "right_hint": "What you correct is kept to learn from.",
}
_ZH: Final = {
    "present": "我在线",
    "leave": "退出",
    "busy": "{name}（{role}）· 会话 {busy}/{capacity} · 等待 {waiting}",
    "show": "显示",
    "everything": "全部",
    "waiting": "等待中",
    "mine": "我的",
    "mood": "情绪",
    "intent": "意图",
    "language": "语言",
    "longer": "等待超过",
    "minutes": "{n} 分钟",
    "queue": "队列",
    "columns": "计时|接待|顾客最近的话|意图|情绪|语言|标签|会话",
    "queue_empty": "没有人在等待。",
    "transcript": "会话",
    "choose": "请在队列中选择一个会话。",
    "take": "接管",
    "return": "交还机器人",
    "close": "关闭",
    "pass": "转接",
    "pass_to": "转接给",
    "a_queue": "队列：{name}",
    "suggestions": "建议回复",
    "insert": "插入",
    "canned": "常用回复",
    "reply": "您的回复（回车发送，Shift+回车换行，/快捷词 插入）",
    "send": "发送",
    "about": "概况",
    "summary": "摘要",
    "why": "机器人为何这样回答",
    "why_hint": "请在会话中点选一条机器人回复。",
    "moods": "情绪变化",
    "notes": "同事备注",
    "note": "写备注",
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
    "asked_for": "问题",
    "tried": "已尝试",
    "open": "未完成",
    "nothing_found": "没有找到相关内容。",
    "channel": "渠道",
    "contact": "联系方式",
    "customer": "顾客",
    "assistant": "机器人",
    "agent": "客服",
    "route": "去向",
    "reason": "原因",
    "records": "顾客的记录",
    "records_elsewhere": "记录保存在其他系统中。",
    "records_first": "接管会话后才能查看记录。",
    "records_look": "查询",
    "right_intent": "正确的意图",
    "right_article": "正确的文章",
    "right_answer": "正确的回答",
    "right_write": "机器人本应这样回答",
    "right_save": "保存此回答",
    "right_kept": "{author} 已更正：{what}",
    "right_hint": "您的更正会保存下来供系统学习。",
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
