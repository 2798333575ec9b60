from pathlib import Path

import pytest

from bot.dialogue import policy
from bot.dialogue.policy import PolicyError


def load(folder: Path, text: str) -> policy.Policy:
    path = folder / "policy.yml"
    path.write_text(text, encoding="utf-8")
    return policy.load(path)


def test_an_entity_is_a_pattern_a_list_or_a_file(tmp_path: Path) -> None:
    names = "# what we sell\nDome Tent | tent | 帐篷\n\nHeadlamp  # one name\n"
    (tmp_path / "products.txt").write_text(names, encoding="utf-8")
    text = (
        "entities:\n  order: 'A\\d+'\n  colour: {values: {grey: [gray, 灰色], black: }}\n"
        "  product: {file: products.txt}\n"
    )
    assert load(tmp_path, text).content.entities == {
        "order": r"A\d+",
        "colour": {"grey": ("gray", "灰色"), "black": ()},
        "product": {"Dome Tent": ("tent", "帐篷"), "Headlamp": ()},
    }


def test_the_version_tells_of_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("one\n", encoding="utf-8")
    text = "entities: {thing: {file: names.txt}}\n"
    before = load(tmp_path, text).version
    assert load(tmp_path, text).version == before
    (tmp_path / "names.txt").write_text("one\ntwo\n", encoding="utf-8")
    assert load(tmp_path, text).version != before


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("colour: '('", "colour: ( is not a regular expression"),
        ("colour: 7", "colour: "),
        ("colour: {values: {grey: gray}}", "colour.values.grey"),
        ("colour: {values: {}}", "colour: the list is empty"),
        ("colour: {value: {grey: [gray]}}", "colour.value"),
        ("colour: {file: none.txt}", "colour: cannot read"),
        ("colour: {}", "colour: give"),
        ("colour: {values: {grey: []}, file: none.txt}", "colour: give"),
        ("colour: {values: {grey: [ash], white: [Ash]}}", "Ash is a name of both grey and white"),
        ("colour: {values: {grey: ['']}}", "colour.grey: a name is empty"),
    ],
)
def test_a_wrong_entity_is_named(tmp_path: Path, entry: str, named: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, f"entities:\n  {entry}\n")
    assert named in str(caught.value)
    assert "policy.yml" in str(caught.value)


def test_entities_that_are_a_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="entities"):
        load(tmp_path, "entities: [a, b]\n")
