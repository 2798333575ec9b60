"""Sentences of passages with a planted error that the passage does not support. Pure.

They are made for `careline bench support`; the word lists are this module's own, so that the lists
of the check do not decide what is tested.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from knowledge_base.chunking import sentences

KINDS: Final = ("number", "date", "unit", "negation", "condition", "name")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_MIN_CHARACTERS: Final = 12  # of a sentence that gets an error
_MAX_CHARACTERS: Final = 300
_DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SWAPS: Final = {
    "unit": {
        "en": [
            ("days", "weeks"), ("day", "month"), ("weeks", "days"), ("hours", "days"),
            ("hour", "week"), ("minutes", "hours"), ("years", "months"), ("year", "week"),
            ("months", "years"), ("kg", "lb"), ("g", "kg"), ("cm", "mm"), ("mm", "cm"),
            ("litres", "millilitres"), ("km", "miles"), ("m", "km"), ("lumens", "watts"),
            ("%", "$"), ("°C", "°F"), ("$", "€"),
        ],
        "zh": [
            ("天", "周"), ("小时", "天"), ("分钟", "小时"), ("个月", "年"), ("周", "个月"),
            ("公里", "米"), ("公斤", "克"), ("千克", "克"), ("厘米", "米"), ("毫米", "厘米"),
            ("美元", "欧元"), ("元", "美元"), ("平方公里", "公顷"), ("英里", "公里"),
            ("米", "公里"), ("吨", "公斤"), ("升", "毫升"), ("年", "个月"), ("%", "元"),
            ("人", "户"), ("岁", "个月"), ("流明", "瓦"), ("克", "公斤"), ("万", "亿"),
        ],
    },
    "condition": {
        "en": [
            (r"\bif\b", "unless"), (r"\bIf\b", "Unless"), (r"\bunless\b", "if"), (r"\bonly ", ""),
            (r"\bbefore\b", "after"), (r"\bafter\b", "before"), (r"\bwithin\b", "after"),
            (r"\buntil\b", "from"), (r"\bup to\b", "at least"), (r"\bat least\b", "at most"),
            (r"\bexcept\b", "including"), (r"\bwithout\b", "with"),
            (r"\bmore than\b", "less than"), (r"\bbelow\b", "above"), (r"\bunder\b", "over"),
            (r"\bIf [^,.]{5,80}, (?=[a-z])", ""), (r"\bWhen [^,.]{5,80}, (?=[a-z])", ""),
            (",? if [^,.]{5,80}(?=[.])", ""), (",? unless [^,.]{5,80}(?=[.])", ""),
            ("(?<=[a-z])(?=[.]$)", " if you have an account"),
            ("(?<=[a-z])(?=[.]$)", ", but only for members"),
        ],
        "zh": [
            ("如果", "除非"), ("除非", "如果"), ("之前", "之后"), ("以前", "以后"),
            ("之后", "之前"), ("以后", "以前"), ("以内", "以外"), ("之内", "之外"),
            ("天内", "天后"), ("至少", "最多"), ("最多", "至少"), ("超过", "不足"),
            ("以上", "以下"), ("只有", "不仅"), ("只能", "也能"), ("仅", "不仅"), ("只", "不只"),
            ("如果[^，。]{3,40}，", ""), ("除了?[^，。]{2,20}[之以]?外，", ""),
            (r"(?<=[\u4e00-\u9fff])(?=。$)", "，除非另有约定"),
            (r"^(?=[\u4e00-\u9fff])", "只有在周末，"), ("直到", "早在"), ("低于", "高于"),
        ],
    },
    "negation": {
        "en": [
            (r"\bcan\b(?! not|not)", "cannot"), (r"\bcannot\b", "can"),
            (r"\b(is|are|was) not\b", r"\1"), (r"\b(do|does) not (\w+)", r"\2"),
            (r"\b(is|are|was|were)\b(?! not)", r"\1 not"),
            (r"\b(will|must|may|should)\b(?! not)", r"\1 not"), (r"\bno\b", "a"),
            (r"\bnever\b", "always"), (r"\balways\b", "never"),
            (r"\bYou have\b", "You do not have"), (r"\bfree\b", "charged extra"),
            (r"\b(We) (send|refund|repair|keep|accept|reply)\b", r"\1 never \2"),
            (r"\bworks\b", "does not work"), (r"\bopen\b", "closed"),
        ],
        "zh": [
            ("不可以", "可以"), ("(?<!不)可以", "不可以"), ("不能", "能"),
            ("(?<![不可只])能(?!量|力|源)", "不能"), ("不会", "会"), ("没有", "有"),
            ("(?<!没)(?<![所具拥还])有(?!限|关|效|些|时|名)", "没有"), ("无法", "可以"),
            ("(?<![不总还但可只凡于])是(?!否)", "不是"), ("必须", "不必"), ("免费", "收费"),
            ("(?<!不)需要", "不需要"), ("未", "已"), ("(?<![不])支持", "不支持"),
            ("(?<!不)会(?=[一-鿿])(?!员|议|长)", "不会"), ("曾", "从未"), ("成为", "没有成为"),
            ("不得", "可以"),
        ],
    },
}  # fmt: skip
_FIGURE: Final = re.compile(
    r"(?<![A-Za-z0-9.:/-])[0-9]{1,3}(?:,[0-9]{3})+|(?<![A-Za-z0-9.:,/-])[0-9]+(?:\.[0-9]+)?"
)
_HAN_FIGURE: Final = re.compile(
    r"(?<![第一二三四五六七八九十百千])[二三四五六七八九两](?=[个位名人次条座种部天年件张])"
)
_CLOCK: Final = re.compile(r"\b([0-9]{1,2}):([0-9]{2})\b")
_DATE_ZH: Final = re.compile(r"([0-9]+)(?=年|月|日)")
_YEAR: Final = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_NAME: Final = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*|\b[A-Z]{2,}[0-9]*\b")
_NAME_ZH: Final = re.compile(
    r"(?<=《)[^《》]{2,12}(?=》)|(?<=“)[^“”]{2,8}(?=”)|[A-Z][A-Za-z]{2,}(?: [A-Z][A-Za-z]+)*"
    r"|(?<=[在于是为往从到由])[\u4e00-\u9fff]{2,3}(?=[省市县州区]|大学|公司)"
    r"|(?:香港|台湾|日本|美国|英国|法国|德国|北京|上海|广州|韩国|加拿大|波特兰|纽约|伦敦|中国)"
)


@dataclass(frozen=True)
class PlantingSource:
    """A passage, and the other passages of the same prompt."""

    text: str
    beside: tuple[str, ...]

    @property
    def chinese(self) -> bool:
        """Return whether it is in Chinese."""
        return _HAN.search(self.text) is not None


@dataclass(frozen=True)
class PlantedError:
    """A sentence with a planted error, its kind, and the passages that do not support it."""

    kind: str
    before: str
    text: str
    passages: tuple[str, ...]


def plant(sources: Sequence[PlantingSource], most: int, seed: int = 0) -> list[PlantedError]:
    """Return up to `most` errors, kinds balanced as far as the sentences allow; deterministic."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    names = _names(sources)
    by_kind: dict[str, list[PlantedError]] = {kind: [] for kind in KINDS}
    for source in rng.sample(list(sources), len(sources)):
        for start, end in sentences(source.text):
            sentence = source.text[start:end]
            if (
                not _MIN_CHARACTERS
                <= len(sentence) * (2 if source.chinese else 1)
                <= _MAX_CHARACTERS
            ):
                continue
            for kind in KINDS:
                flip = _flip(kind, sentence, source, names, rng)
                if flip:
                    by_kind[kind].append(flip)
    return _balance(by_kind, most, rng)


def _balance(
    by_kind: dict[str, list[PlantedError]], most: int, rng: random.Random
) -> list[PlantedError]:
    """Take the same number from each kind, or more of others if one has too few."""
    sample: list[PlantedError] = []
    remaining = {kind: rng.sample(errors, len(errors)) for kind, errors in by_kind.items()}
    while len(sample) < most and any(remaining.values()):
        for errors in remaining.values():
            if errors and len(sample) < most:
                sample.append(errors.pop())
    return sample


def _flip(
    kind: str, sentence: str, source: PlantingSource, names: Sequence[str], rng: random.Random
) -> PlantedError | None:
    ways: dict[str, Callable[[], Iterator[str]]] = {
        "number": lambda: _numbers(sentence, source, rng),
        "date": lambda: _dates(sentence, source, rng),
        "unit": lambda: _units(sentence, source),
        "name": lambda: _other_names(sentence, source, names, rng),
    }
    language = "zh" if source.chinese else "en"
    variants = list(ways[kind]()) if kind in ways else list(_swap(kind, language, sentence))
    support = " ".join((source.text, *source.beside))
    variants = [text for text in variants if text != sentence and text not in support]
    if not variants:
        return None
    return PlantedError(kind, sentence, rng.choice(variants), (source.text, *source.beside))


def _numbers(sentence: str, source: PlantingSource, rng: random.Random) -> Iterator[str]:
    """Insert another number, often one from elsewhere in the passage."""
    candidates = sorted(set(_FIGURE.findall(source.text)) - set(_FIGURE.findall(sentence)))
    for match in _FIGURE.finditer(sentence):
        if sentence[match.end() : match.end() + 1] in {":", "年", "月", "日"}:
            continue
        value = match[0].replace(",", "")
        new = str(int(float(value)) + rng.choice([1, 2, 5, 10]))
        if candidates and rng.random() < 0.5:  # noqa: PLR2004 - half of them
            new = rng.choice(candidates)
        yield sentence[: match.start()] + new + sentence[match.end() :]
    for match in _HAN_FIGURE.finditer(sentence):
        new = rng.choice(
            [c for c in "二三四五六七八九" if c != match[0] and {c, match[0]} != {"二", "两"}]
        )
        yield sentence[: match.start()] + new + sentence[match.end() :]


def _dates(sentence: str, source: PlantingSource, rng: random.Random) -> Iterator[str]:
    if source.chinese:
        for match in _DATE_ZH.finditer(sentence):
            new = str(int(match[1]) + rng.choice([1, 2, 3]))
            yield sentence[: match.start()] + new + sentence[match.end() :]
    for names in (_DAYS, _MONTHS):
        for match in re.finditer(rf"\b(?:{'|'.join(names)})\b", sentence):
            new = rng.choice([n for n in names if n != match[0]])
            yield sentence[: match.start()] + new + sentence[match.end() :]
    for match in re.finditer(r"(?<=周|期)[一二三四五六日](?!年)", sentence):
        new = rng.choice([c for c in "一二三四五六日" if c != match[0]])
        yield sentence[: match.start()] + new + sentence[match.end() :]
    for match in _CLOCK.finditer(sentence):
        new = f"{(int(match[1]) + rng.choice([1, 2, 3])) % 24}:{match[2]}"
        yield sentence[: match.start()] + new + sentence[match.end() :]
    if not source.chinese:
        for match in _YEAR.finditer(sentence):
            yield sentence[: match.start()] + str(int(match[0]) + 1) + sentence[match.end() :]


def _units(sentence: str, source: PlantingSource) -> Iterator[str]:
    chinese = source.chinese
    for old, new in _SWAPS["unit"]["zh" if chinese else "en"]:
        if old == "$":
            pattern = r"\$(?=[0-9])"
        else:
            edge = r"\b" if old[-1].isalpha() and not chinese else ""
            after = r"(?![份代初末级轻])(?=[^0-9]|$)" if chinese else ""
            pattern = rf"(?<=[0-9])( ?){re.escape(old)}{edge}{after}"
        for match in re.finditer(pattern, sentence):
            gap = match[1] if match.lastindex else ""
            if old == "年" and re.search(r"[0-9]{4}$", sentence[: match.start()]):
                continue
            yield sentence[: match.start()] + gap + new + sentence[match.end() :]


def _swap(kind: str, language: str, sentence: str) -> Iterator[str]:
    for pattern, replacement in _SWAPS[kind][language]:
        match = re.search(pattern, sentence)
        if match:
            text = sentence[: match.start()] + match.expand(replacement) + sentence[match.end() :]
            yield text[:1].upper() + text[1:]


def _names(sources: Sequence[PlantingSource]) -> list[str]:
    names: set[str] = set()
    for source in sources:
        names |= {match[0] for match in _pattern(source).finditer(source.text)}
    return sorted(names)


def _pattern(source: PlantingSource) -> re.Pattern[str]:
    return _NAME_ZH if source.chinese else _NAME


def _other_names(
    sentence: str, source: PlantingSource, names: Sequence[str], rng: random.Random
) -> Iterator[str]:
    for match in _pattern(source).finditer(sentence):
        latin = match[0].isascii()
        candidates = [n for n in names if n.isascii() == latin and n not in sentence]
        candidates = [n for n in candidates if n not in match[0] and match[0] not in n]
        if not candidates:
            continue
        new = rng.choice(candidates)
        inside = [n for n in candidates if n in source.text]
        new = rng.choice(inside) if inside and rng.random() < 0.3 else new  # noqa: PLR2004
        yield sentence[: match.start()] + new + sentence[match.end() :]
