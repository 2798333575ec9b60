"""Rasa's conversation tests (`stories` and `test_cases`, format 3) → tests of ours."""

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
    """Read a file of stories, or all those of a folder; raise CarelineError where there are none.

    A user's words become the customer's, `intent` and `action` what is expected of the turn:
    `utter_x` the template `x`, others an action that runs. What has no counterpart is named.
    """
    files = sorted(path.rglob("*.yml")) if path.is_dir() else yaml_files(path)
    tests: dict[str, dict[str, Any]] = {}
    skipped: list[str] = []
    for file in files:
        content = load(file)
        for kind, name in _KINDS.items():
            for story in entries(content.get(kind), f"{file.name}: {kind}", []):
                test = _test(story, str(story.get(name) or "a story"), file.name, skipped)
                if test:
                    tests[_fresh(test["name"], tests)] = test
    if not tests:
        message = f"{path} holds no tests of Rasa: no `stories` or `test_cases` with users' words"
        raise CarelineError(message)
    rows = tuple({**test, "name": name} for name, test in tests.items())
    return GeneratedTests(
        rows,
        ("From Rasa's tests; names of intents, templates and actions are its.",),
        tuple(skipped),
    )


def _fresh(name: str, taken: Mapping[str, Any]) -> str:
    number, fresh = 1, name
    while fresh in taken:
        number += 1
        fresh = f"{name} ({number})"
    return fresh


def _test(
    story: Mapping[str, Any], name: str, file: str, skipped: list[str]
) -> dict[str, Any] | None:
    where = f"{file}: {name}"
    turns: list[dict[str, Any]] = []
    steps = story.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            _take(step, turns, where, skipped)
        else:
            skipped.append(f"{where}: a step that is no mapping")
    if not turns:
        skipped.append(f"{where}: nothing in it is said by a user")
        return None
    spoken = language_of(" ".join(str(turn["customer"]) for turn in turns))
    return {"name": name, "language": spoken, "turns": turns}


def _take(
    step: Mapping[str, Any], turns: list[dict[str, Any]], where: str, skipped: list[str]
) -> None:
    """Add a step: a user's words begin a turn, all else is expected of the last one."""
    if "user" in step or "intent" in step:
        turns.append(_customer(step))
        return
    expected = dict(_expected(step))
    if not expected:
        names = set(step) - {"metadata", "assertions"}
        unless = {"slot_was_set", "action"} & names and not expected
        if not unless or "or" in step or "checkpoint" in step:
            skipped.append(f"{where}: `{', '.join(sorted(map(str, step)))}` has no counterpart")
        return
    if not turns:
        skipped.append(f"{where}: what is expected before a user says anything")
        return
    _add(turns[-1].setdefault("expect", {}), expected)


def _customer(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a turn; an intent without words is what a button with its payload says."""
    intent = str(step.get("intent") or "")
    text = ANNOTATION.sub(lambda match: match["text"], str(step.get("user") or "")).strip()
    turn: dict[str, Any] = {"customer": text or f"/{intent}"}
    if intent:
        turn["expect"] = {"intent": intent}
    return turn


def _expected(step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    name = str(step.get("action") or step.get("utter") or "")
    if name.startswith(PREFIX) or ("utter" in step and name):
        yield "template", [name.removeprefix(PREFIX)]
    elif name and name not in _EVENTS:
        yield "action", [name]
    if said := step.get("bot"):
        yield "reply", {"contains": [str(said).strip()]}
    slots = step.get("slot_was_set")
    found: dict[str, str | None] = {}
    for one in slots if isinstance(slots, list) else ():
        if isinstance(one, dict):
            found.update({str(k): None if v in {"null", "~"} else str(v) for k, v in one.items()})
    if found:
        yield "slots", found


def _add(expect: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add to what is expected: of several templates or actions, any may be said or run."""
    for key, value in more.items():
        if key in {"template", "action"}:
            expect[key] = [*expect.get(key, ()), *value]
        elif key == "reply":
            said = [*expect.get("reply", {}).get("contains", ()), *value["contains"]]
            expect["reply"] = {"contains": said}
        else:
            expect[key] = {**expect.get(key, {}), **value}
