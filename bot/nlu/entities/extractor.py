"""Extraction of entities: a home's own by pattern and by list, and built-in kinds.

Built-in kinds: email, url, date, time, phone, money, quantity. Values are normalised: ISO dates,
`USD 12.50`, the digits of a phone number, the number of a quantity.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from bot.core.safe_regex import find_spans
from bot.core.types import Entity
from bot.nlu.entities.gazetteer import Gazetteer
from knowledge_base.text import dates, dates_zh, money, quantities, times
from knowledge_base.text.chinese import simplified
from knowledge_base.text.spans import ValueSpan, narrow

BUILT_IN: Final = ("email", "url", "date", "time", "phone", "money", "quantity")
_ASCII: Final = re.IGNORECASE | re.ASCII
_EMAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9\-]+"
    r"(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}",
    re.ASCII,
)
_URL: Final = re.compile(r"\b(?:https?://|www\.)[!-~]*[A-Za-z0-9/=_#-]", _ASCII)
_PHONE: Final = re.compile(
    r"(?<![A-Za-z0-9_.$€£¥#/-])(?:\+|00)?\(?[0-9](?:[ ()\-./]{0,2}[0-9]){6,14}"
    r"(?![A-Za-z0-9_%]|[ .,/-]?[0-9])",
    re.ASCII,
)
_CALLED: Final = re.compile(
    r"(?:phone|call|\btel|mobile|\bcell|\btext|my number|whatsapp|contact|reach|\bring|\bfax|\bsms"
    r"|电话|手机|座机|联系|致电|打|拨|热线|短信|微信)",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    r"(?:order|tracking|invoice|\bref\w*|ticket|case|item|sku|parcel|package|serial|account|card|code"
    r"|policy|member|claim|confirmation|loyalty|routing|bank|\bid\b|\bpin\b"
    r"|订单|单号|运单|快递|编号|序列号|卡号|账号|发票)[^.!?。！？]*$",
    re.IGNORECASE,
)
_CHINESE_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86)?1[3-9][0-9]{9}")
_GROUPS: Final = re.compile(r"[ ()\-.]")
_CARD: Final = re.compile(r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}(?![0-9])")
_DOTTED: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|.*\.[0-9]\..*")  # addresses, versions
_BARE: Final = range(10, 12)  # digits of a number that is written without separators
_GROUPED: Final = range(9, 16)
_SHORT: Final = 7
_CONTEXT: Final = 30


class EntityExtractor:
    """Extracts entities by the home's patterns and lists, and those of built-in kinds."""

    def __init__(
        self,
        patterns: Mapping[str, str | Mapping[str, Sequence[str]]],
        *,
        day_first: bool = False,
    ) -> None:
        """Set the home's entities: name → pattern, or name → canonical value → its other names.

        They take precedence over overlapping built-in ones, and replace a built-in kind of the same
        name. `day_first` reads `3/5/2026` as the third of May.
        """
        self._patterns = {
            name: pattern for name, pattern in patterns.items() if isinstance(pattern, str)
        }
        lists = {name: v for name, v in patterns.items() if not isinstance(v, str)}
        self._lookup = Gazetteer(lists) if lists else None
        self._built_in = frozenset(BUILT_IN) - set(patterns)
        self._day_first = day_first

    def find(self, text: str, today: date | None = None) -> tuple[Entity, ...]:
        """Return the entities of a message in order; dates are relative to `today`."""
        plain = narrow(text)  # one character for one, so that offsets stay valid
        taken: list[ValueSpan] = []
        for span in self._own(plain):
            _take(taken, span)
        normalised = simplified(plain)
        if self._lookup:
            for span in self._lookup.find(normalised):
                _take(taken, span)
        own = [span.start for span in taken]
        for span in self._built_in_spans(normalised, today or date.today()):  # noqa: DTZ011 - local day
            _take(taken, span)
        if "quantity" in self._built_in:
            for count in quantities.find(normalised, own):
                if not _take(taken, count.span) and count.number_end < count.span.end:
                    _take(taken, count.span._replace(end=count.number_end))
        return tuple(
            Entity(span.kind, span.value, text[span.start : span.end], span.start, span.end)
            for span in sorted(taken, key=lambda span: span.start)
        )

    def _own(self, text: str) -> Iterator[ValueSpan]:
        for name, pattern in self._patterns.items():
            for start, end in find_spans(pattern, text):
                if start < end:
                    yield ValueSpan(name, re.sub(r"\s+", "", text[start:end]).upper(), start, end)

    def _built_in_spans(self, text: str, today: date) -> Iterator[ValueSpan]:
        kinds = self._built_in
        if "email" in kinds and "@" in text:
            for match in _EMAIL.finditer(text):
                yield ValueSpan("email", match[0].lower(), *match.span())
        if "url" in kinds and ("://" in text or "www." in text.lower()):
            for match in _URL.finditer(text):
                yield ValueSpan("url", match[0], *match.span())
        if "date" in kinds:
            if not text.isascii():
                yield from dates_zh.find(text, today)
            yield from dates.find(text, today, day_first=self._day_first)
        if "phone" in kinds:
            yield from _phones(text)
        if "time" in kinds:
            yield from times.find(text)
        if "money" in kinds:
            yield from money.find(text)


def _take(taken: list[ValueSpan], span: ValueSpan) -> bool:
    """Add a span unless it overlaps an earlier one; return whether it was added."""
    free = all(span.end <= other.start or span.start >= other.end for other in taken)
    if free:
        taken.append(span)
    return free


def _phones(text: str) -> Iterator[ValueSpan]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"[^0-9]", "", match[0])
        plus = match[0].startswith("+")
        if _is_phone(text, match, digits, international=plus or digits.startswith("00")):
            yield ValueSpan("phone", "+" * plus + digits, *match.span())


def _is_phone(text: str, match: "re.Match[str]", digits: str, *, international: bool) -> bool:
    """Return whether digits are a phone number, and not another long number of a shop."""
    before = text[max(0, match.start() - _CONTEXT) : match.start()]
    called, numbered = _CALLED.search(before), _NUMBERED.search(before)
    if _CARD.match(match[0]) or _DOTTED.fullmatch(match[0]):
        return False
    if international:
        return len(digits) >= _BARE.start
    if numbered and not (called and called.start() > numbered.start()):
        return False
    if _CHINESE_MOBILE.fullmatch(digits) or (called and len(digits) >= _SHORT):
        return True
    return len(digits) in (_GROUPED if _GROUPS.search(match[0]) else _BARE)
