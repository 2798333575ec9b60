"""The guide's examples run."""

import re
from datetime import date
from pathlib import Path

import pytest

from bot.actions import loader
from bot.actions.runner import ActionRunner
from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import Components
from bot.core.types import Message, Understanding
from bot.dialogue import policy, templates
from bot.dialogue.policy_checks import find_unfilled_slots
from bot.dialogue.policy_file import PolicyContent
from bot.generation.answerers import ExtractiveAnswerer
from bot.nlu.entities.extractor import BUILT_IN, EntityExtractor
from bot.store.in_memory_log import MemoryLog
from tests.bot.actions import calling
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_first_example_is_short() -> None:
    assert len([line for line in EXAMPLES[0].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize(
    ("source", "action", "slots", "expected"),
    [
        (EXAMPLES[0], "action_gift_card", {"card_code": "G1"}, "Card G1 is worth 20 USD."),
        (EXAMPLES[1], "action_note", {"note": "late"}, "Noted."),
    ],
    ids=["gift card", "note"],
)
def test_the_examples_of_the_guide_run(
    tmp_path: Path, source: str, action: str, slots: dict[str, str], expected: str
) -> None:
    folder = tmp_path / loader.FOLDER
    folder.mkdir()
    (folder / "__init__.py").write_text(source, encoding="utf-8")
    for dry in (True, False):
        runner = ActionRunner(tmp_path, dry=dry)
        assert calling.templates(runner.run(calling.call(action, **slots))) == expected


class Understands:
    """Takes every message for the guide's intent, and extracts the policy's entities."""

    def __init__(self, content: PolicyContent) -> None:
        self._entities = EntityExtractor(content.entities)

    def understand(self, text: str, /, *, today: date, **context: object) -> Understanding:
        del context
        entities = self._entities.find(text, today)
        return Understanding("en", "neutral", "calm", "gift_card_balance", 0.99, (), entities)

    def explain(self, text: str, /) -> None:
        del text


def test_the_guides_action_asks_for_its_slot_and_runs(tmp_path: Path) -> None:
    policy_file, texts = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (dialog,) = re.findall(r"    > .*(?:\n    .*)+", GUIDE)
    for name, source in (
        ("actions/__init__.py", EXAMPLES[0]),
        ("policy.yml", policy_file),
        ("templates/en.yml", texts),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    rules = policy.load(tmp_path / "policy.yml")
    assert find_unfilled_slots(rules.content, BUILT_IN) == []
    bot = Assistant(
        Components(
            MemoryLog(),
            Understands(rules.content),
            rules,
            templates.load(tmp_path / "templates"),
            ExtractiveAnswerer(None),
            None,
            ActionRunner(tmp_path),
        )
    )
    lines = [line.strip() for line in dialog.splitlines()]
    for question, reply in zip(lines[::2], lines[1::2], strict=True):
        assert bot.answer(Message(question.removeprefix("> "), "c1")).reply.text == reply
