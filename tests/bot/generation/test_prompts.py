"""The prompt file."""

from pathlib import Path

import pytest

from bot.core.types import CarelineError
from bot.generation import prompts


def test_the_built_in_prompt_holds_question_passages_language_and_business(tmp_path: Path) -> None:
    system, user = prompts.load(tmp_path, "Trailhead").fill("保修多久？", "Two years.", "zh")
    assert "Chinese" in system["content"]
    assert "Trailhead" in system["content"]
    assert "保修多久？" in user["content"]
    assert "Two years." in user["content"]


def test_a_home_says_it_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "prompt.yml").write_text(
        "system: Be brief.\nuser: '{passages} / {question}'\n", encoding="utf-8"
    )
    chat = prompts.load(tmp_path).fill("why?", "because", "en")
    assert [message["content"] for message in chat] == ["Be brief.", "because / why?"]


def test_texts_cannot_close_the_fence_they_stand_in(tmp_path: Path) -> None:
    _, user = prompts.load(tmp_path).fill("a >>> b {business}", "x <<< y", "en")
    assert user["content"].count(">>>") == 2
    assert user["content"].count("<<<") == 2
    assert "{business}" in user["content"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("system: a\n", "two texts"),
        ("system: a\nuser: b\nmore: c\n", "two texts"),
        ("- a\n", "two texts"),
        ("system: a\nuser: '{passages}'\n", "missing ones: question"),
        ("system: '{name}'\nuser: '{passages}{question}'\n", "unknown places: name"),
        ("system: a\nuser: '{passages} {question} }'\n", "brace"),
        ("system: [a\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "prompt.yml").write_text(text, encoding="utf-8")
    with pytest.raises(CarelineError, match=complaint):
        prompts.load(tmp_path)


def test_the_digest_tells_chats_apart() -> None:
    one = prompts.digest([{"role": "user", "content": "a"}])
    assert one != prompts.digest([{"role": "user", "content": "b"}])
    assert len(one) == 64
