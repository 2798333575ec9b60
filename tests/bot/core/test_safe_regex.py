"""A business's own patterns: refused when they cannot end, and searched for in bounded time."""

import pytest

from bot.core import safe_regex
from bot.dialogue import policy_file


def test_a_pattern_is_found_in_whatever_case_and_where_it_stands() -> None:
    assert safe_regex.pattern_matches(safe_regex.validate_pattern(r"\bfire\b"), "the FIRE is out")
    assert not safe_regex.pattern_matches(r"\bfire\b", "fireworks")
    assert list(safe_regex.find_spans("着火|火灾", "着火了，是火灾")) == [(0, 2), (5, 7)]


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a regular expression"):
        safe_regex.validate_pattern("(")


@pytest.mark.parametrize("source", [r"(.*a){12}$", r"([a-z]+)*\d"])
def test_a_pattern_without_an_end_is_refused_and_how_to_mend_it_said(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_regex, "_PATIENCE", 0.1)
    with pytest.raises(ValueError, match="take out repetitions"):
        safe_regex.validate_pattern(source)


def test_a_policy_with_such_a_pattern_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_regex, "_PATIENCE", 0.1)
    with pytest.raises(ValueError, match=r"b\{12\}"):
        policy_file.EscalationRule(patterns=(r"(.*b){12}$", r"(.*a)b{12}$"))


def test_a_search_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_regex, "_SECONDS", 0.05)
    with pytest.raises(safe_regex.SlowPatternError, match="simpler"):
        safe_regex.pattern_matches(r"(.*z){12}$", "z" * 3000 + "!")
    with pytest.raises(safe_regex.SlowPatternError, match="simpler"):
        list(safe_regex.find_spans(r"(.*z){12}$", "z" * 3000 + "!"))
