"""The texts of the live conversations in English and Chinese."""

from typing import Final

from ui.i18n import CHINESE

_EN: Final = {
    "hint": "Recently active conversations. Select a row to read along.",
    "refresh": "Refresh",
    "columns": "Conversation|Last activity (UTC)|With|Queue|Language|Channel|Messages|Last "
    "sender|Last message",
    "transcript": "Transcript",
    "trace": "Trace of the last reply",
    "files": "Files from the customer:",
    "file": "[file] {name}",
    "agent": "Agent: ",
    "action": "Action: ",
    "unread": "The conversations cannot be loaded: {why}",
}
_ZH: Final = {
    "hint": "最近活跃的会话，点击一行查看内容。",
    "refresh": "刷新",
    "columns": "会话|最近活动（UTC）|接待方|队列|语言|渠道|消息数|最后发送方|最后一条消息",
    "transcript": "会话内容",
    "trace": "最近一次回复的处理记录",
    "files": "顾客发来的文件：",
    "file": "[文件] {name}",
    "agent": "客服：",
    "action": "操作：",
    "unread": "无法加载会话列表：{why}",
}


def get_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale."""
    return _ZH if locale == CHINESE else _EN
