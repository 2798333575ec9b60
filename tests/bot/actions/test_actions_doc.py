"""The guide's examples run."""

import re
from pathlib import Path

import pytest
import yaml

from bot.actions import loader
from bot.actions.runner import ActionRunner
from bot.dialogue.policy import PolicyContent
from tests.bot.actions.calling import call, templates
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_first_example_is_short() -> None:
    assert len([line for line in EXAMPLES[0].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize(
    ("source", "action", "slots", "expected"),
    [
        (EXAMPLES[0], "action_greet", {"first_name": "Ada"}, "Hello Ada!"),
        (EXAMPLES[1], "action_note", {"note": "late"}, "Noted."),
    ],
    ids=["greet", "note"],
)
def test_the_examples_of_the_guide_run(
    tmp_path: Path, source: str, action: str, slots: dict[str, str], expected: str
) -> None:
    folder = tmp_path / loader.FOLDER
    folder.mkdir()
    (folder / "__init__.py").write_text(source, encoding="utf-8")
    for dry in (True, False):
        runner = ActionRunner(tmp_path, dry=dry)
        assert templates(runner.run(call(action, **slots))) == expected


def test_the_policy_of_the_guide_is_one() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    content = PolicyContent.model_validate(yaml.safe_load(block))
    assert content.routes["greet_me"].action == "action_greet"
