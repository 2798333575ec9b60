"""Check of a statement's proper names, codes, links and addresses against its support. Pure."""

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


# As with the places and payments of `scope_constraints`, one value of these excludes the others.
_SCOPES: Final = {
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
_SCOPE_PATTERNS: Final = {
    scope: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for scope, patterns in _SCOPES.items()
}


def _find_scopes(text: str) -> dict[str, frozenset[int]]:
    values = {
        scope: frozenset(n for n, pattern in enumerate(patterns) if pattern.search(text))
        for scope, patterns in _SCOPE_PATTERNS.items()
    }
    return {scope: numbers for scope, numbers in values.items() if numbers}


def find_links(text: str) -> frozenset[str]:
    """Return the links and e-mail addresses of a text, without the sentence's punctuation."""
    matches = (link.rstrip(".,;:!?)/'\"").lower() for link in _LINK.findall(text))
    return frozenset(re.sub(r"^(?:https?://)?(?:www\.)?", "", link) for link in matches)


def find_issues(
    sentence: ParsedSentence,
    support: Sequence[ParsedSentence],
    passages: tuple[frozenset[str], frozenset[str]],
) -> set[SupportIssue]:
    """Return the issues of a sentence's names and links against its support.

    Links and codes may be anywhere: `passages` are those of all passages. Names must be in the
    supporting sentences.
    """
    issues: set[SupportIssue] = set()
    if not find_links(sentence.text) <= passages[0]:
        issues.add(SupportIssue.LINK)
    bare = _LINK.sub(" ", sentence.text)
    there = " ".join(other.text for other in support)
    if not find_codes(bare) <= passages[1]:
        issues.add(SupportIssue.NAME)
    words = frozenset(word for word in re.split(r"[^\w]+", there.lower()) if word)
    stems = frozenset(stem(word) for word in words if word.isascii())
    if any(name not in words and stem(name) not in stems for name in find_names(bare)):
        issues.add(SupportIssue.NAME)
    if _other_scope(bare, there):
        issues.add(SupportIssue.NAME)
    return issues


def find_codes(text: str) -> frozenset[str]:
    """Return the codes of a text: letters and digits in one word, such as WELCOME10."""
    return frozenset(
        code.lower() for code in _CODE.findall(_LINK.sub(" ", text)) if not code[0].isdigit()
    )


def find_names(text: str) -> set[str]:
    """Return the words of proper names: capitals inside a sentence, Latin letters in Chinese."""
    if _HAN.search(text):
        runs = _LATIN.findall(text)
        return {word.lower() for run in runs for word in re.split(r"[ '-]", run) if len(word) > 1}
    names: set[str] = set()
    for match in _NAME.finditer(text):
        word = match[0]
        first = not re.search(r"\w", text[: match.start()])
        after = text[: match.start()].rstrip()[-1:] in {":", "|", ".", "•", "-", "“", '"'}
        mixed = len(word) > 1 and (word.isupper() or word[1:].lower() != word[1:])
        if (first or after) and not mixed:
            continue  # any word begins with a capital there
        parts = re.split(r"[-’'&]", word.removesuffix("'s").removesuffix("’s"))
        names |= {part.lower() for part in parts if len(part) > 1}
    return names - _NO_NAMES


def _other_scope(text: str, there: str) -> bool:
    """Return whether a text names a place, a payment method and so on, and its support another."""
    mine, theirs = _find_scopes(text), _find_scopes(there)
    if any(not values <= theirs[scope] for scope, values in mine.items() if scope in theirs):
        return True
    own, other = scope_constraints.find_scopes(text), scope_constraints.find_scopes(there)
    return any(
        not names <= other[scope]
        for scope, names in own.items()
        if scope in other and scope not in {"moment", "amount"}
    )
