import pytest

from bot.nlu.sentiment_lexicon import classify, score_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My order number is below.", ("neutral", "calm")),
        ("请问怎么退货", ("neutral", "calm")),
        ("I love this tent, great quality", ("positive", "happy")),
        ("太好了，我很满意", ("positive", "happy")),
        ("This is ridiculous, you are a scam", ("negative", "angry")),
        ("气死我了，你们是骗子", ("negative", "angry")),
        ("This is terrible, it broke and I am disappointed", ("negative", "frustrated")),
        ("太慢了，到了还是坏的，已经坏了", ("negative", "frustrated")),
        ("I am worried my parcel is lost", ("negative", "anxious")),
        ("我很担心包裹丢了", ("negative", "anxious")),
    ],
)
def test_sentiment_and_emotion_are_read_from_words(text: str, expected: tuple[str, str]) -> None:
    assert classify(text) == expected


@pytest.mark.parametrize("text", ["I don't understand the size chart", "我看不懂尺码表"])
def test_confusion_is_read_whatever_the_sentiment(text: str) -> None:
    assert classify(text)[1] == "confused"


def test_anger_is_negative_even_among_kind_words() -> None:
    assert classify("Great, thanks, wonderful, what a useless shop") == ("negative", "angry")


def test_shouting_makes_a_complaint_angry() -> None:
    assert classify("where is my parcel, it is late") != ("negative", "angry")
    assert classify("WHERE IS MY PARCEL, IT IS LATE") == ("negative", "angry")
    assert classify("还没收到！！！") == ("negative", "angry")


def test_short_codes_in_capitals_are_no_shouting() -> None:
    assert classify("A10234 USB") == ("neutral", "calm")


@pytest.mark.parametrize("text", ["我对这次服务很不满意", "我不喜欢这个颜色", "不太满意"])
def test_a_denied_kind_word_is_not_kind(text: str) -> None:
    sentiment, emotion = classify(text)
    assert sentiment != "positive"
    assert emotion != "happy"


def test_being_dissatisfied_is_negative() -> None:
    assert classify("我对这次服务很不满意")[0] == "negative"


def test_a_quality_that_is_not_bad_is_good() -> None:
    assert classify("质量不错，谢谢")[0] == "positive"


def test_a_thank_you_is_positive_and_calm() -> None:
    assert classify("谢谢") == ("positive", "calm")


@pytest.mark.parametrize("text", ["", "👍", "123"])
def test_texts_without_words_are_neutral(text: str) -> None:
    assert classify(text)[1] in {"calm", "happy"}
    assert classify(text)[0] != "negative"


@pytest.mark.parametrize(
    "text", ["I love it!", "太好了！", "terrible", "坏了", "ok", "", "🎒", "A10234"]
)
def test_the_opinion_of_words_is_a_probability_of_each_sentiment(text: str) -> None:
    found = score_words(text)
    assert sum(found.opinion) == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 for share in found.opinion)
    assert len(found.features) == 7


@pytest.mark.parametrize(("bad", "good"), [("it is terrible", "it is great"), ("坏了", "太好了")])
def test_words_lean_the_way_they_sound_in_both_languages(bad: str, good: str) -> None:
    negative, positive = score_words(bad), score_words(good)
    assert negative.opinion[0] > 0.3 > negative.opinion[2]
    assert positive.opinion[2] > 0.3 > positive.opinion[0]
    assert negative.features[0] < 0 < positive.features[0]


def test_many_bad_words_are_no_more_than_certain() -> None:
    assert score_words("坏了，失望，太慢，错了，破损").opinion == (1.0, 0.0, 0.0)


def test_marks_and_shouting_are_features_of_their_own() -> None:
    assert score_words("is it late?").features[4:] == (0.0, 1.0, 0.0)
    assert score_words("还没到！！！").features[4:] == (1.0, 0.0, 1.0)
    assert score_words("到了吗？").features[4:] == (0.0, 1.0, 0.0)
    assert score_words("WHERE IS MY PARCEL NOW").features[4:] == (0.0, 0.0, 1.0)
