"""Sentiment and emotion from word lists, without a model."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_NEGATIVE: Final = -0.3
_POSITIVE: Final = 0.3
_ANGRY_EN = re.compile(
    r"\b(?:furious|outrag\w+|ridiculous|disgust\w+|scam\w*|unacceptable|pathetic|useless|"
    r"fed up|sick of|worst|wtf|bullshit|crap|damn|idiots?|liars?|joke of|never again|lawyer|sue)\b",
    re.IGNORECASE,
)
_ANGRY_ZH = re.compile(
    r"气死|火大|垃圾|骗子|骗人|坑人|无语|太过分|投诉|差评|恶心|忍无可忍|什么破|滚|有病|气愤|愤怒|"
    r"垃圾|騙|過分|投訴|離譜|离谱|要疯|受够"
)
_ANXIOUS = re.compile(
    r"\b(?:worried|worry|anxious|scared|afraid|urgent\w*|asap|panic\w*|nervous)\b|"
    r"担心|擔心|着急|著急|急用|害怕|很急|焦虑|慌",
    re.IGNORECASE,
)
_CONFUSED = re.compile(
    r"\b(?:confus\w+|don'?t (?:understand|get it)|not sure|no idea|unclear|lost here|"
    r"makes no sense)\b"
    r"|不明白|不懂|看不懂|搞不清|糊涂|不清楚|怎么回事",
    re.IGNORECASE,
)
_HAPPY = re.compile(
    r"\b(?:love|great|awesome|perfect|excellent|wonderful|amazing|brilliant|happy|delighted)\b|"
    r"太好了|很棒|非常好|(?<!不)(?<!不太)(?<!不是很)(?:满意|喜欢|开心)|完美|點讚|给力",
    re.IGNORECASE,
)
_BAD_ZH = re.compile(
    r"没到|没收到|坏了|不能用|不行|失败|太慢|太久|错了|破损|裂|差|失望|不满|不太满意|不喜欢|不开心|等了|还没|怎么还|丢|"
    r"拒绝|扣了两|重复扣|盗|没人|不理|糟|烂|麻烦死|壞|還沒|錯"
)
_GOOD_ZH = re.compile(
    r"谢谢|感谢|太好了|很棒|非常好|(?<!不)(?<!不太)(?<!不是很)(?:满意|喜欢|开心)|完美|不错|給力|给力|謝謝|赞"
)
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class LexiconEntry:
    """The result of the word lists for a text: features for a head, and an opinion."""

    features: tuple[float, ...]
    opinion: tuple[float, float, float]  # negative, neutral, positive


def score_words(text: str) -> LexiconEntry:
    """Score a text by word lists: VADER's in English, a short one in Chinese."""
    if _HAN.search(text):
        score = max(-1.0, min(1.0, _chinese(text)))
        parts = (max(-score, 0.0), max(score, 0.0), 1.0 - abs(score))
    else:
        scores = _vader().polarity_scores(text)
        score, parts = scores["compound"], (scores["neg"], scores["pos"], scores["neu"])
    marks = (float("!" in text or "！" in text), float("?" in text or "？" in text))
    opinion = (max(-score, 0.0), 1.0 - abs(score), max(score, 0.0))
    return LexiconEntry((score, *parts, *marks, float(_shouting(text))), opinion)


def classify(text: str) -> tuple[str, str]:
    """Return (sentiment, emotion).

    Sentiment is negative, neutral or positive; emotion is calm, confused, frustrated, angry,
    anxious or happy. English uses VADER's compound score, Chinese a short lexicon.
    """
    score = _chinese(text) if _HAN.search(text) else compound(text)
    if _shouting(text):
        score -= 0.4
    angry = bool(_ANGRY_EN.search(text) or _ANGRY_ZH.search(text))
    if angry:
        score = min(score, -0.5)
    sentiment = "neutral"
    if score <= _NEGATIVE:
        sentiment = "negative"
    elif score >= _POSITIVE:
        sentiment = "positive"
    return sentiment, _emotion(text, sentiment, angry=angry)


def _emotion(text: str, sentiment: str, *, angry: bool) -> str:
    if angry:
        return "angry"
    if _ANXIOUS.search(text):
        return "anxious"
    if _CONFUSED.search(text):
        return "confused"
    if sentiment == "negative":
        return "angry" if _shouting(text) else "frustrated"
    if sentiment == "positive" and _HAPPY.search(text):
        return "happy"
    return "calm"


def _shouting(text: str) -> bool:
    letters = [character for character in text if character.isascii() and character.isalpha()]
    loud = len(letters) > 12 and sum(c.isupper() for c in letters) > 0.8 * len(letters)  # noqa: PLR2004
    return loud or "!!!" in text or "！！！" in text


def compound(text: str) -> float:
    """Return VADER's compound score of an English text, −1 to 1."""
    return float(_vader().polarity_scores(text)["compound"])


def _chinese(text: str) -> float:
    return 0.4 * len(_GOOD_ZH.findall(text)) - 0.4 * len(_BAD_ZH.findall(text))


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
