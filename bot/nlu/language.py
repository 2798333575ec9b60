"""The language of a message: en, zh, mixed or other. Script first, statistics second."""

import re
import unicodedata
from functools import cache
from typing import Any, Final

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[a-zà-öø-ÿ]{2,}(?:['’][a-z]+)?", re.IGNORECASE)
# Codes, addresses and units are the same in every language and say nothing about it.
_NEUTRAL = re.compile(
    r"https?://[!-~]+|[!-~]+@[!-~]+|\[[a-z]+\]|\b[a-z]*\d\w*\b|\b(?:ok|app|vip|usb|pdf|email|wifi|vat|id|sms)\b",
    re.IGNORECASE | re.ASCII,
)
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
# Titles and brands inside a Chinese sentence do not make it mixed; these words, small, do.
_TALK: Final = frozenset(
    {
        "order", "package", "parcel", "refund", "return", "cancel", "delivery", "shipping", "help",
        "please", "track", "tracking", "item", "size", "address", "invoice", "payment", "card",
        "coupon", "code", "account", "password", "login", "customer", "service", "human", "agent",
        "broken", "damaged", "wrong", "money", "receipt", "change", "exchange", "label", "late",
        "urgent", "where", "when", "how", "what", "why", "can't", "cannot", "still", "received",
        "thanks", "thank", "hello", "sorry",
    }
)  # fmt: skip
_SMALL: Final = frozenset(
    {
        "my", "it", "i've", "i'm", "you", "your", "and", "not", "have", "has", "was", "do", "does",
        "can", "will", "would", "me", "we", "they", "about", "need", "want", "but", "if", "no",
        "yes",
    }
)  # fmt: skip
_SMALL_ENOUGH: Final = 2
_SURE: Final = 0.9
_ENOUGH_WORDS: Final = 4
# Restricting the identifier to languages customers of such shops write makes it far better on
# short texts than its full list.
_LATIN_LANGUAGES: Final = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "vi", "id", "cs", "ro", "fi", "da",
)  # fmt: skip


def detect(text: str, context: str | None = None) -> str:
    """Return en, zh, mixed or other; `context` (the conversation's) decides texts without words."""
    bare = _NEUTRAL.sub(" ", text)
    han = len(_HAN.findall(bare))
    words = _LATIN_WORD.findall(bare)
    if len(_KANA_OR_HANGUL.findall(bare)) * 2 > han:
        return "other"
    if han:
        talk = any(word in _TALK for word in words)
        small = sum(word in _SMALL for word in words)
        return "mixed" if talk or small >= _SMALL_ENOUGH else "zh"
    if words:
        return "other" if _is_foreign(bare, len(words)) else "en"
    letters = sum(1 for character in bare if unicodedata.category(character).startswith("L"))
    if letters > 1:
        return "other"
    return context or "en"


def reply_language(language: str, text: str) -> str:
    """Return the language to answer in: the message's, and Chinese where Han leads a mixture."""
    if language != "mixed":
        return language
    return "zh" if len(_HAN.findall(text)) >= len(_LATIN_WORD.findall(text)) else "en"


def _is_foreign(text: str, words: int) -> bool:
    """Tell whether Latin text is surely not English; short texts get the benefit of the doubt."""
    if words < _ENOUGH_WORDS:
        return False
    code, probability = _identifier().classify(text)
    return bool(code != "en" and probability >= _SURE)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LATIN_LANGUAGES))
    return identifier
