"""Amounts of money in both languages, as `USD 12.50`; a bare `$` is USD and a bare `¥` CNY."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from knowledge_base.text import numbers
from knowledge_base.text.spans import ValueSpan

_SIGNS: Final = {
    "us$": "USD", "hk$": "HKD", "nt$": "TWD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD",
    "s$": "SGD", "nz$": "NZD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "₩": "KRW",
    "₹": "INR",
}  # fmt: skip
_CODES: Final = (
    "usd", "eur", "gbp", "cny", "rmb", "hkd", "twd", "aud", "cad", "jpy", "sgd", "nzd", "chf",
    "inr", "krw",
)  # fmt: skip
_WORDS: Final = {
    "dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "quid": "GBP", "yuan": "CNY",
    "renminbi": "CNY", "yen": "JPY", "rupee": "INR",
}  # fmt: skip
_ADJECTIVES: Final = {
    "us": "USD", "american": "USD", "canadian": "CAD", "australian": "AUD", "hong kong": "HKD",
    "singapore": "SGD", "british": "GBP",
}  # fmt: skip
_CENTS: Final = {"cent": "USD", "pence": "GBP", "penny": "GBP", "p": "GBP"}
_CHINESE_NAMES: Final = {
    "人民币": "CNY", "港币": "HKD", "港元": "HKD", "港纸": "HKD", "新台币": "TWD", "台币": "TWD",
    "美元": "USD", "美金": "USD", "美刀": "USD", "刀": "USD", "欧元": "EUR", "欧": "EUR",
    "英镑": "GBP", "镑": "GBP", "日元": "JPY", "日币": "JPY", "日圆": "JPY", "澳元": "AUD",
    "澳币": "AUD", "加元": "CAD", "加币": "CAD", "新币": "SGD", "韩元": "KRW", "块钱": "CNY",
    "块": "CNY", "元": "CNY", "元钱": "CNY", "圆": "CNY",
}  # fmt: skip


def _any(names: "dict[str, str] | tuple[str, ...]") -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_NUMBER: Final = rf"(?:{numbers.DIGITS}(?: ?[km]\b|[万千百亿])?)"
_RANGE: Final = rf"(?:(?P<low>{_NUMBER}) ?[-~到至—] ?)?"
_BEFORE: Final = re.compile(
    rf"(?:(?<![A-Za-z0-9])(?P<sign>{_any(_SIGNS)})|(?<![A-Za-z])(?P<code>{_any(_CODES)})"
    rf"|(?P<name>人民币|新台币|台币|港币|美金|美元|欧元|英镑"
    rf"|日元))[ :]?{_RANGE}(?P<number>{_NUMBER}|"
    rf"(?<=币){numbers.CHINESE})(?![A-Za-z0-9%])"
    rf"(?: ?(?:(?:us )?(?:dollars?|euros?|pounds?|{_any(_CODES)})\b|块钱|块|元(?![旦素件宵])))?",
    re.IGNORECASE | re.ASCII,
)
_AFTER: Final = re.compile(
    rf"(?<![A-Za-z0-9.,:#/-]){_RANGE}(?P<number>{_NUMBER}|\b{numbers.ENGLISH})[ -]?"
    rf"(?:(?P<sign>[$€£¥₩₹])|(?P<code>{_any(_CODES)})\b|(?:(?P<which>{_any(_ADJECTIVES)}) )?"
    rf"(?P<word>{_any(_WORDS)})s?\b|(?P<cents>cent|pence|p)s?\b)"
    r"(?!-| ?(?:heavier|lighter|overweight|cake))"
    r"(?:(?<=s) and (?P<rest>[0-9]{1,2}) (?:cents|pence))?",
    re.IGNORECASE | re.ASCII,
)
_GOODS: Final = (  # `两块香皂`: a piece of something
    r"(?! ?(?:香皂|肥皂|手表|表|蛋糕|电池|屏|布|毛巾|地毯|地垫|玻璃|砖|饼干|巧克力|木板|板|硬盘"
    r"|石头|肉"
    r"|面料|瓷砖|主板|牛排|芯片|儿|充电宝))"
)
_CHINESE: Final = re.compile(
    rf"(?<![0-9A-Za-z.,几数第{'零〇一二两三四五六七八九十百千万亿'}])"
    rf"{_RANGE}(?P<number>{_NUMBER}|{numbers.CHINESE}) ?"
    rf"(?:(?P<name>{_any({n: c for n, c in _CHINESE_NAMES.items() if n != '块'})}|块{_GOODS})"
    r"(?![旦素件宵洲式])(?:(?<=[元块])(?P<rest>[1-9一二三四五六七八九半](?![0-9一二三四五六七八九十百千个件双盒折天]))"
    r"(?:(?P<angle>[毛角])(?:(?P<cent>[0-9一二三四五六七八九])分?)?)?钱?)?"
    r"|(?P<small>[毛角])(?:钱|(?![巾衣线笔笋绒发度落色质病]))|(?<!一)(?P<fen>分)钱)",
    re.IGNORECASE | re.ASCII,
)
_HINT: Final = re.compile(
    r"[$€£¥₩₹元块刀镑币毛角分圆欧金]|dollar|buck|euro|pound|quid|yuan|yen\b|rupee|cent|pence"
    r"|[0-9]p\b"
    rf"|renminbi|{_any(_CODES)}",
    re.IGNORECASE,
)
_WEIGHT: Final = re.compile(r"\b(?:weigh\w*|weight|heav\w+|lift\w*)\b[^.!?]*$", re.IGNORECASE)
_FIVE: Final = Decimal("0.5")


def find(text: str) -> Iterator[ValueSpan]:
    """Yield the amounts of money of a text."""
    if not _HINT.search(text):
        return
    for match in _BEFORE.finditer(text):
        if value := _value(match["number"], _currency(match), low=match["low"]):
            yield ValueSpan("money", value, *match.span())
    for match in _AFTER.finditer(text):
        if match["word"] == "pound" and _WEIGHT.search(text, 0, match.start()):
            continue
        if match["cents"]:
            value = _value(match["number"], _CENTS[match["cents"].lower()], Decimal("0.01"))
        else:
            rest = Decimal(match["rest"] or 0) / 100
            value = _value(match["number"], _currency(match), rest=rest, low=match["low"])
        if value:
            yield ValueSpan("money", value, *match.span())
    if not text.isascii():
        yield from _chinese(text)


def _currency(match: "re.Match[str]") -> str:
    groups = match.groupdict()
    if groups.get("which"):
        return _ADJECTIVES[groups["which"].lower()]
    if groups.get("sign"):
        return _SIGNS[groups["sign"].lower()]
    if groups.get("code"):
        code = groups["code"].upper()
        return "CNY" if code == "RMB" else str(code)
    if groups.get("name"):
        return _CHINESE_NAMES[groups["name"]]
    return _WORDS[groups["word"].lower()]


def _value(
    number: str,
    currency: str,
    factor: Decimal = Decimal(1),
    rest: Decimal = Decimal(0),
    low: str | None = None,
) -> str | None:
    amount, least = numbers.parse(number), numbers.parse(low or "")
    if amount is None:
        return None
    most = numbers.plain(amount * factor + rest)
    return f"{currency} {most}" if least is None else f"{currency} {numbers.plain(least)}-{most}"


def _chinese(text: str) -> Iterator[ValueSpan]:
    for match in _CHINESE.finditer(text):
        number = match["number"]
        if match["small"] or match["fen"]:
            if value := _value(number, "CNY", Decimal("0.1" if match["small"] else "0.01")):
                yield ValueSpan("money", value, *match.span())
            continue
        name = match["name"]
        if name == "块" and number == "一" and not match["rest"]:
            continue  # `一块` is together
        rest = Decimal(0)
        if match["rest"]:
            figure = _FIVE * 10 if match["rest"] == "半" else numbers.parse(match["rest"])
            rest = (figure or Decimal(0)) / 10
        if match["cent"]:
            rest += (numbers.parse(match["cent"]) or Decimal(0)) / 100
        if value := _value(number, _CHINESE_NAMES[name], rest=rest, low=match["low"]):
            yield ValueSpan("money", value, *match.span())
