"""Canned replies: read from the home, and filled with values."""

from pathlib import Path

import pytest

from bot.agent_assist import canned_replies
from bot.core.types import CarelineError


def test_a_home_without_canned_replies_uses_the_built_in_ones(tmp_path: Path) -> None:
    replies = canned_replies.load(tmp_path)
    assert len(replies) > 3
    assert all(reply.en and reply.zh for reply in replies)


def test_only_variables_with_a_value_are_filled(tmp_path: Path) -> None:
    (tmp_path / canned_replies.FILE).write_text(
        "- shortcut: a\n  en: 'x {order_number} {agent} {'\n", "utf-8"
    )
    (reply,) = canned_replies.load(tmp_path)
    assert reply.text("zh") == reply.en  # the other language if one is missing
    values = {"order_number": "F1", "agent": None}
    assert (
        canned_replies.fill_variables("for {order_number} by {agent}", values)
        == "for F1 by {agent}"
    )
    assert canned_replies.fill_variables(reply.en, values) == "x F1 {agent} {"
    assert (
        canned_replies.fill_variables("{agent.__class__} {0}", {"agent": "Ann"})
        == "{agent.__class__} {0}"
    )


@pytest.mark.parametrize("text", ["- shortcut: 'A B'", "- {shortcut: a, fr: x}", "a: [", "7"])
def test_the_error_for_an_invalid_file_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / canned_replies.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(CarelineError, match=r"canned\.yml cannot be used"):
        canned_replies.load(tmp_path)
