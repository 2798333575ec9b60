"""Proper names, codes, links and addresses of a statement, and where they must stand. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from bot.generation.verification.sentences import ParsedSentence, stem
from bot.generation.verification.verdicts import SupportIssue
from knowledge_base.text import scope_constraints

_LINK: Final = re.compile(
    r"https?://[!-~]{1,500}|\bwww\.[!-~]{1,500}"
    r"|(?<![\w.+%-])[\w.+%-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}"
    r"|(?<![a-z0-9-])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,5}\.(?:com|org|net|io|cn|de|uk|eu|info|shop|example)\b(?:/[!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*(?:[-’'&][A-Za-z0-9]+)*")
_CODE: Final = re.compile(
    r"(?<![A-Za-z0-9-])(?=[A-Za-z-]{0,30}[0-9])(?=[0-9-]{0,30}[A-Za-z])[A-Za-z0-9-]{3,40}(?![A-Za-z0-9-])"
)
_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ '-][A-Za-z0-9]+)*")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_NO_NAMES: Final = frozenset(
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "i",
        "ok",
        "am",
        "pm",
        "a",
        "the",
        "yes",
        "no",
    ]
)


# Of these, too, one excludes the others, as with the places and payments of `scopes`.
_LINES: Final = {
    "channel": (
        r"e-?mails?\b|邮件|邮箱", r"text messages?\b|\bSMS\b|短信",
        r"\bby post\b|\bletters?\b|信件|邮寄", r"\bphone\b|\bcall\b|电话", r"\bfax\b|传真",
        r"\bapp\b|应用程序",
    ),
    "payer": (
        r"\bby us\b|由我们|我们承担",
        r"\bby (?:you|the (?:customer|buyer|recipient))\b|由[您客顾]|(?:您|买家|客户)(?:自行)?承担",
    ),
    "colour": (
        r"\bred\b|红色", r"\bblue\b|蓝色", r"\bgreen\b|绿色", r"\bblack\b|黑色", r"\bwhite\b|白色",
        r"\byellow\b|黄色", r"\bgr[ae]y\b|灰色",
    ),
    "season": (
        r"\bspring\b|春季|春天", r"\bsummer\b|夏季|夏天", r"\bautumn\b|秋季|秋天",
        r"\bwinter\b|冬季|冬天",
    ),
    "meal": (
        r"breakfast\b|早餐", r"\blunch\b|午餐|中餐", r"\bdinner\b|\bsupper\b|晚餐",
    ),
    "person": (
        r"\badults?\b|成人|成年", r"\bchild(?:ren)?\b|\bkids?\b|儿童|小孩", r"\bstudents?\b|学生",
        r"\bseniors?\b|老人|老年",
    ),
}  # fmt: skip
_LINED: Final = {
    line: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for line, patterns in _LINES.items()
}


def _on_line(text: str) -> dict[str, frozenset[int]]:
    found = {
        line: frozenset(n for n, pattern in enumerate(patterns) if pattern.search(text))
        for line, patterns in _LINED.items()
    }
    return {line: numbers for line, numbers in found.items() if numbers}


def links(text: str) -> frozenset[str]:
    """Return the links and e-mail addresses of a text, without what merely ends a sentence."""
    found = (link.rstrip(".,;:!?)/'\"").lower() for link in _LINK.findall(text))
    return frozenset(re.sub(r"^(?:https?://)?(?:www\.)?", "", link) for link in found)


def flaws(
    sentence: ParsedSentence,
    support: Sequence[ParsedSentence],
    known: tuple[frozenset[str], frozenset[str]],
) -> set[SupportIssue]:
    """Return the flaws of a sentence's names and links against what it leans on.

    Links and codes may stand anywhere: `known` are those of the passages. Names must stand in the
    supporting sentences.
    """
    found: set[SupportIssue] = set()
    if not links(sentence.text) <= known[0]:
        found.add(SupportIssue.LINK)
    bare = _LINK.sub(" ", sentence.text)
    there = " ".join(other.text for other in support)
    if not codes(bare) <= known[1]:
        found.add(SupportIssue.NAME)
    said = frozenset(word for word in re.split(r"[^\w]+", there.lower()) if word)
    stems = frozenset(stem(word) for word in said if word.isascii())
    if any(name not in said and stem(name) not in stems for name in proper(bare)):
        found.add(SupportIssue.NAME)
    if _other_scope(bare, there):
        found.add(SupportIssue.NAME)
    return found


def codes(text: str) -> frozenset[str]:
    """Return the codes of a text: letters and digits in one word, such as WELCOME10."""
    return frozenset(
        code.lower() for code in _CODE.findall(_LINK.sub(" ", text)) if not code[0].isdigit()
    )


def proper(text: str) -> set[str]:
    """Return the words of proper names: capitals inside a sentence, Latin letters in Chinese."""
    if _HAN.search(text):
        runs = _LATIN.findall(text)
        return {word.lower() for run in runs for word in re.split(r"[ '-]", run) if len(word) > 1}
    found: set[str] = set()
    for match in _NAME.finditer(text):
        word = match[0]
        first = not re.search(r"\w", text[: match.start()])
        after = text[: match.start()].rstrip()[-1:] in {":", "|", ".", "•", "-", "“", '"'}
        mixed = len(word) > 1 and (word.isupper() or word[1:].lower() != word[1:])
        if (first or after) and not mixed:
            continue  # any word begins with a capital there
        parts = re.split(r"[-’'&]", word.removesuffix("'s").removesuffix("’s"))
        found |= {part.lower() for part in parts if len(part) > 1}
    return found - _NO_NAMES


def _other_scope(text: str, there: str) -> bool:
    """Return whether a text names a place, a way of paying and so on, and its support another."""
    mine, theirs = _on_line(text), _on_line(there)
    if any(not numbers <= theirs[line] for line, numbers in mine.items() if line in theirs):
        return True
    own, other = scope_constraints.find_scopes(text), scope_constraints.find_scopes(there)
    return any(
        not names <= other[line]
        for line, names in own.items()
        if line in other and line not in {"moment", "amount"}
    )
