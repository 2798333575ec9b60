"""Scopes that limit a statement: its place, weekdays, payment method and so on."""

import re
from typing import Final, TypeAlias

from knowledge_base.text import measures

Scopes: TypeAlias = dict[str, frozenset[str]]

_DAYS: Final = {
    "mon": ("monday", "周一", "星期一"), "tue": ("tuesday", "周二", "星期二"),
    "wed": ("wednesday", "周三", "星期三"), "thu": ("thursday", "周四", "星期四"),
    "fri": ("friday", "周五", "星期五"), "sat": ("saturday", "周六", "星期六"),
    "sun": ("sunday", "周日", "星期日", "星期天"),
}  # fmt: skip
_DAY_NAMES: Final = {name: day for day, names in _DAYS.items() for name in names}
_DAY: Final = "|".join(sorted(_DAY_NAMES, key=len, reverse=True))
_WEEKDAY = re.compile(
    rf"(?P<a>{_DAY})s?(?:\s?(?:-|to|through|至|到)\s?(?P<b>{_DAY}))?"
    r"|(?P<all>\bdaily\b|every day|each day|all (?:other )?days|每天|每日|天天)"
    r"|(?P<weekend>weekends?|周末)",
    re.IGNORECASE,
)
# The values of one scope exclude each other: texts with two of them are about two things.
_PLACES: Final = (
    ("us", r"\bUS\b|\bU\.S\.A?\b|\bUSA\b|United States|美国"), ("canada", r"Canad|加拿大"),
    ("mexico", r"Mexic|墨西哥"), ("europe", r"Europe\b|\bEU\b|欧洲|欧盟"),
    ("uk", r"\bUK\b|United Kingdom|Britain|英国"), ("germany", r"German|德国"),
    ("france", r"\bFrance|法国"), ("norway", r"Norway|挪威"), ("japan", r"Japan|日本"),
    ("korea", r"Korea|韩国"), ("singapore", r"Singapore|新加坡"),
    ("australia", r"Australia|澳大利亚|澳洲"), ("india", r"\bIndia\b|印度"),
    ("china", r"[Mm]ainland|\bChina\b|中国大陆|中国内地|中国(?!香港|台湾)"),
    ("hong kong", r"Hong Kong|香港"), ("taiwan", r"Taiwan|台湾"), ("macau", r"Macau|澳门"),
    ("new york", r"New York|纽约"), ("london", r"London|伦敦"),
    ("elsewhere", r"(?:all |any )?other countries|rest of the world|其他国家|其它国家"),
)  # fmt: skip
_CONTRASTS: Final = {
    "payment": (
        ("gift card", r"gift cards?|礼品卡"), ("wallet", r"wallets?|Apple Pay|Google Pay|钱包"),
        ("transfer", r"bank transfers?|银行转账|转账"),
        ("card", r"(?:credit|debit) (?:or debit )?cards?|信用卡|借记卡"),
        ("paypal", r"PayPal"), ("alipay", r"Alipay|支付宝"), ("wechat", r"WeChat|微信"),
        ("credit", r"store credit|店内余额|购物金"), ("instalments", r"instal?lments?|分期"),
    ),
    "speed": (("standard", r"\bstandard\b|标准|普通"), ("express", r"\bexpress\b|特快|快递|加急"),
              ("overnight", r"overnight|next[- ]day|次日")),
    "moment": (("before", r"\bbefore (?:pack|the order is packed|ship)|打包前|发货前"),
               ("after", r"\b(?:after (?:pack|ship)|packed)|打包后|发货后")),
    "amount": (("over", r"\b(?:from|over|above|at least) (?=[$€£\d])|满"),
               ("below", r"\b(?:below|under|less than) (?=[$€£\d])|低于|不满|不足")),
    "buyer": (("students", r"students?|学生"),
              ("companies", r"compan|business customers|企业|公司"),
              ("members", r"\bmembers?\b|会员"), ("first", r"first orders?|首单|首次")),
    "channel": (("phone", r"\bphone\b|\bcall\b|电话"), ("email", r"e-?mail|邮件|邮箱"),
                ("chat", r"\bchat\b|聊天|在线"), ("post", r"\bletter\b|信件")),
}  # fmt: skip
_LINES: Final = {"place": _PLACES, **_CONTRASTS}
_PATTERNS: Final = {
    line: re.compile(
        "|".join(f"(?P<g{n}>{pattern})" for n, (_, pattern) in enumerate(members)),
        0 if line == "place" else re.IGNORECASE,
    )
    for line, members in _LINES.items()
}


def find_scopes(text: str) -> Scopes:
    """Return the values of each scope that a text names: `{"place": {"us", "canada"}}`."""
    scopes: Scopes = {}
    for scope, pattern in _PATTERNS.items():
        names = {
            _LINES[scope][int(match.lastgroup[1:])][0]
            for match in pattern.finditer(text)
            if match.lastgroup
        }
        if names:
            scopes[scope] = frozenset(names)
    return scopes


def find_weekdays(text: str) -> frozenset[str]:
    """Return the weekdays a text names, including those in ranges and `daily`."""
    order = list(_DAYS)
    days: set[str] = set()
    for match in _WEEKDAY.finditer(measures.plain(text)):
        if match["all"]:
            days |= set(order)
        elif match["weekend"]:
            days |= {"sat", "sun"}
        else:
            first = order.index(_DAY_NAMES[match["a"].lower()])
            last = order.index(_DAY_NAMES[match["b"].lower()]) if match["b"] else first
            span = range(first, last + 1 if last >= first else last + 8)
            days |= {order[n % 7] for n in span}
    return frozenset(days)
