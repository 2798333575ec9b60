"""Import of Rasa's conversation tests (`stories` and `test_cases`, format 3)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError
from bot.evaluation.conversation_tests.yaml_writer import GeneratedTests
from bot.integrations.rasa.files import entries, load, yaml_files
from bot.integrations.rasa.project import ANNOTATION
from bot.integrations.rasa.responses import PREFIX, language_of

_KINDS: Final = {"stories": "story", "test_cases": "test_case"}
_EVENTS: Final = frozenset({"action_listen", "action_session_start", "action_restart"})


def read(path: Path) -> GeneratedTests:
    """Read the stories of a file or folder; raise CarelineError if there are none.

    A user's text becomes the customer's; `intent` and `action` become expectations of the turn:
    `utter_x` is the template `x`, other actions are actions that run. Other steps are skipped.
    """
    files = sorted(path.rglob("*.yml")) if path.is_dir() else yaml_files(path)
    tests: dict[str, dict[str, Any]] = {}
    skipped: list[str] = []
    for file in files:
        content = load(file)
        for kind, name in _KINDS.items():
            for story in entries(content.get(kind), f"{file.name}: {kind}", []):
                test = _build_test(story, str(story.get(name) or "a story"), file.name, skipped)
                if test:
                    tests[_unique_name(test["name"], tests)] = test
    if not tests:
        message = f"{path} has no tests of Rasa: no `stories` or `test_cases` with texts of users"
        raise CarelineError(message)
    rows = tuple({**test, "name": name} for name, test in tests.items())
    return GeneratedTests(
        rows,
        ("From Rasa's tests, with their names of intents, templates and actions.",),
        tuple(skipped),
    )


def _unique_name(name: str, tests: Mapping[str, Any]) -> str:
    number, unique = 1, name
    while unique in tests:
        number += 1
        unique = f"{name} ({number})"
    return unique


def _build_test(
    story: Mapping[str, Any], name: str, file: str, skipped: list[str]
) -> dict[str, Any] | None:
    where = f"{file}: {name}"
    turns: list[dict[str, Any]] = []
    steps = story.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            _add_step(step, turns, where, skipped)
        else:
            skipped.append(f"{where}: a step is not a mapping")
    if not turns:
        skipped.append(f"{where}: it has no message of a user")
        return None
    language = language_of(" ".join(str(turn["customer"]) for turn in turns))
    return {"name": name, "language": language, "turns": turns}


def _add_step(
    step: Mapping[str, Any], turns: list[dict[str, Any]], where: str, skipped: list[str]
) -> None:
    """Add a step: a user's text begins a turn, all else is expected of the last turn."""
    if "user" in step or "intent" in step:
        turns.append(_customer_turn(step))
        return
    expected = dict(_expectations(step))
    if not expected:
        names = set(step) - {"metadata", "assertions"}
        is_ignored = {"slot_was_set", "action"} & names
        if not is_ignored or "or" in step or "checkpoint" in step:
            skipped.append(f"{where}: `{', '.join(sorted(map(str, step)))}` has no counterpart")
        return
    if not turns:
        skipped.append(f"{where}: an expectation before the first message of a user")
        return
    _merge(turns[-1].setdefault("expect", {}), expected)


def _customer_turn(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a turn; an intent without a text is a pressed button with its payload."""
    intent = str(step.get("intent") or "")
    text = ANNOTATION.sub(lambda match: match["text"], str(step.get("user") or "")).strip()
    turn: dict[str, Any] = {"customer": text or f"/{intent}"}
    if intent:
        turn["expect"] = {"intent": intent}
    return turn


def _expectations(step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    name = str(step.get("action") or step.get("utter") or "")
    if name.startswith(PREFIX) or ("utter" in step and name):
        yield "template", [name.removeprefix(PREFIX)]
    elif name and name not in _EVENTS:
        yield "action", [name]
    if text := step.get("bot"):
        yield "reply", {"contains": [str(text).strip()]}
    slots = step.get("slot_was_set")
    values: dict[str, str | None] = {}
    for slot in slots if isinstance(slots, list) else ():
        if isinstance(slot, dict):
            values.update({str(k): None if v in {"null", "~"} else str(v) for k, v in slot.items()})
    if values:
        yield "slots", values


def _merge(expect: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add expectations: of several templates or actions, any one satisfies the test."""
    for key, value in more.items():
        if key in {"template", "action"}:
            expect[key] = [*expect.get(key, ()), *value]
        elif key == "reply":
            texts = [*expect.get("reply", {}).get("contains", ()), *value["contains"]]
            expect["reply"] = {"contains": texts}
        else:
            expect[key] = {**expect.get(key, {}), **value}
