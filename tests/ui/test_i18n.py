"""The language a page begins with, and that every tab knows the same words in both."""

import pytest

from ui import app
from ui.i18n import CHINESE, COOKIE, ENGLISH, preferred_locale
from ui.screens.chat import texts as chat_texts
from ui.screens.live import texts as live_texts


@pytest.mark.parametrize(
    ("headers", "locale"),
    [
        ({}, ENGLISH),
        ({"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, CHINESE),
        ({"accept-language": "en-GB,zh"}, ENGLISH),
        ({"accept-language": "fr, en;q=0.3, zh-TW;q=0.6"}, CHINESE),
        ({"accept-language": "de, *;q=0.5"}, ENGLISH),
        ({"accept-language": "zh;q=0, en;q=much"}, ENGLISH),
        ({"accept-language": "zh", "cookie": f"a=1; {COOKIE}=en"}, ENGLISH),
        ({"accept-language": "en", "cookie": f"{COOKIE}=zh; b=2"}, CHINESE),
        ({"accept-language": "zh", "cookie": f"{COOKIE}=tlh"}, CHINESE),
    ],
)
def test_what_was_chosen_counts_and_else_what_the_browser_prefers(
    headers: dict[str, str], locale: str
) -> None:
    assert preferred_locale(headers) == locale


def test_both_languages_have_the_same_words() -> None:
    for texts in (app.titles, chat_texts.get_texts, live_texts.get_texts):
        english, chinese = texts(ENGLISH), texts(CHINESE)
        assert english.keys() == chinese.keys()
        assert [name for name in english if english[name] == chinese[name]] == []
