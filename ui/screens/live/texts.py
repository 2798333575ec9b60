"""The texts of the live conversations in English and Chinese."""

from typing import Final

from ui.i18n import CHINESE

_EN: Final = {
    "hint": "Conversations that moved last. Choose a row to read along.",
    "refresh": "Refresh",
    "columns": "Conversation|Last moved (UTC)|With|Queue|Language|Channel|Messages|Last by|"
    "Last said",
    "transcript": "Transcript",
    "trace": "Trace of the last reply",
    "files": "Files the customer sent:",
    "file": "[file] {name}",
    "agent": "Colleague: ",
    "action": "Action: ",
    "unread": "The list of conversations could not be read: {why}",
}
_ZH: Final = {
    "hint": "最近有动静的会话。点一行即可旁听。",
    "refresh": "刷新",
    "columns": "会话|最近动静（UTC）|接待|队列|语言|渠道|消息数|最后发言|最后的话",
    "transcript": "会话内容",
    "trace": "最近一次回复的记录",
    "files": "顾客发来的文件：",
    "file": "[文件] {name}",
    "agent": "同事：",
    "action": "操作：",
    "unread": "无法读取会话列表：{why}",
}


def get_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale."""
    return _ZH if locale == CHINESE else _EN
