"""Canned replies: read from the home, filled with what is known."""

from pathlib import Path

import pytest

from bot.agent_assist import canned_replies
from bot.core.types import CarelineError


def test_a_home_without_its_own_has_the_built_in_ones_in_both_languages(tmp_path: Path) -> None:
    found = canned_replies.load(tmp_path)
    assert len(found) > 3
    assert all(one.en and one.zh for one in found)


def test_what_is_known_is_filled_in_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / canned_replies.FILE).write_text(
        "- shortcut: a\n  en: 'x {order_number} {agent} {'\n", "utf-8"
    )
    (found,) = canned_replies.load(tmp_path)
    assert found.text("zh") == found.en  # the other language, rather than nothing
    values = {"order_number": "F1", "agent": None}
    assert (
        canned_replies.fill_variables("for {order_number} by {agent}", values)
        == "for F1 by {agent}"
    )
    assert canned_replies.fill_variables(found.en, values) == "x F1 {agent} {"
    assert (
        canned_replies.fill_variables("{agent.__class__} {0}", {"agent": "Ann"})
        == "{agent.__class__} {0}"
    )


@pytest.mark.parametrize("text", ["- shortcut: 'A B'", "- {shortcut: a, fr: x}", "a: [", "7"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / canned_replies.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(CarelineError, match=r"canned\.yml cannot be used"):
        canned_replies.load(tmp_path)
