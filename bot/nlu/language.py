"""Language detection of messages (en, zh, mixed or other): script first, then statistics."""

import re
import unicodedata
from functools import cache
from typing import Any, Final

from bot.nlu.function_words import ENGLISH, FOREIGN, WEAK
from knowledge_base.text.scripts import detect_script, to_script

__all__ = ["detect", "detect_script", "reply_language", "to_script"]

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(
    r"[a-zà-öø-ÿ\u0100-\u024f\u1ea0-\u1eff]{2,}(?:['’][a-zà-ÿ]+)?", re.IGNORECASE
)
# Codes, addresses and units are the same in every language.
_NEUTRAL = re.compile(
    r"https?://[!-~]+|[!-~]+@[!-~]+|\[[a-z]+\]|\b[a-z]*\d\w*\b|\b(?:ok|app|vip|usb|pdf|email|wifi|vat|id|sms)\b",
    re.IGNORECASE | re.ASCII,
)
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
# Titles and brands in a Chinese sentence do not make it mixed; these words do.
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
_FUNCTION_WORDS: Final = frozenset(
    {
        "my", "it", "i've", "i'm", "you", "your", "and", "not", "have", "has", "was", "do", "does",
        "can", "will", "would", "me", "we", "they", "about", "need", "want", "but", "if", "no",
        "yes",
    }
)  # fmt: skip
_MIN_FUNCTION_WORDS: Final = 2
_MIN_PROBABILITY: Final = 0.9
_MIN_WORDS: Final = 4
_MOSTLY_ENGLISH: Final = 0.4  # share of English words from which statistics are not needed
_MAX_NAME: Final = 4  # this few Chinese characters among English words are a name
# Limiting the identifier to the languages that customers of such shops write makes it far better on
# short texts.
_LATIN_LANGUAGES: Final = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "vi", "id", "cs", "ro", "fi", "da",
)  # fmt: skip
_SPANISH_MARKS: Final = re.compile(r"[¿¡]")
# Letters that are in neither English nor its loanwords.
_FOREIGN_LETTERS: Final = re.compile(r"[ßãõøåąęłśżźćńşğıřůőűđœæșțơưạ-ỹ]")
_SPEAKER: Final = re.compile(r"\b(?:[Ii]|my|me|you|can|please)\b", re.ASCII)
_KANA: Final = re.compile(r"[ぁ-ねは-ゖァ-ヺ]")  # without の, which is common in Chinese brands
_CHINESE_ONLY: Final = re.compile(r"[的了吗呢吧我你您们这那没嗎們這沒麼么]")


def detect(text: str, context: str | None = None) -> str:
    """Return en, zh, mixed or other; `context` (the conversation's) decides texts without words."""
    bare = _NEUTRAL.sub(" ", text)
    han = len(_HAN.findall(bare))
    words = _LATIN_WORD.findall(bare)
    if not bare.isascii() and _japanese_or_korean(bare, han):
        return "other"
    if han:
        return "mixed" if _is_mixed(bare, words, han) else "zh"
    if words:
        return "other" if _is_foreign(bare, words) else "en"
    letters = sum(1 for character in bare if unicodedata.category(character).startswith("L"))
    if letters > 1:
        return "other"
    return context or "en"


def reply_language(language: str, text: str) -> str:
    """Return the language of the reply: the message's, or for a mixture the prevailing one."""
    if language != "mixed":
        return language
    return "zh" if len(_HAN.findall(text)) >= len(_LATIN_WORD.findall(text)) else "en"


def _japanese_or_korean(text: str, han: int) -> bool:
    if len(_KANA_OR_HANGUL.findall(text)) * 2 > han:
        return True
    return len(_KANA.findall(text)) > 1 and not _CHINESE_ONLY.search(text)


def _is_mixed(text: str, words: list[str], han: int) -> bool:
    if any(word in _TALK for word in words):
        return True
    small = sum(word in _FUNCTION_WORDS for word in words)
    if small >= _MIN_FUNCTION_WORDS:
        return True
    return han <= _MAX_NAME and _SPEAKER.search(text) is not None


def _is_foreign(text: str, words: list[str]) -> bool:
    """Return whether Latin text is certainly not English; typing errors do not make it foreign."""
    if _SPANISH_MARKS.search(text):
        return True
    lowered = [word.lower().replace("’", "'") for word in words]
    english = sum(word in ENGLISH for word in lowered)
    strong = sum(word in FOREIGN or bool(_FOREIGN_LETTERS.search(word)) for word in lowered)
    weak = sum(word in WEAK for word in lowered)
    if strong and strong + weak / 2 > english:
        return True
    if len(words) < _MIN_WORDS or english >= len(words) * _MOSTLY_ENGLISH:
        return False
    code, probability = _identifier().classify(text)
    return bool(code != "en" and probability >= _MIN_PROBABILITY)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LATIN_LANGUAGES))
    identifier._full_model = None  # noqa: SLF001 — frees 27 MB of languages that are not used
    return identifier
