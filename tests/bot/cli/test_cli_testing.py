"""`careline test`: the command, tests recorded from the log, and tests imported from Rasa."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from bot.container import Home, build_assistant
from bot.core.types import Message, NotFoundError
from bot.evaluation.conversation_tests import cases, recorder
from bot.integrations.rasa import stories
from bot.store.handoff_desk import Agent, HandoffDesk
from bot.store.read_model import ConversationReader
from tests.shell import careline, json_of


def test_the_command_prints_one_value_and_fails_if_a_test_fails(home: Home) -> None:
    shutil.rmtree(home.path / "tests")
    (home.path / "tests" / "deep").mkdir(parents=True)
    good = "- name: hi\n  turns: [{customer: hello, expect: {reply: {not_contains: goodbye}}}]\n"
    (home.path / "tests" / "a.yml").write_text(good, encoding="utf-8")
    bad = "- name: bye\n  turns: [{customer: hello, expect: {reason: bye}}]\n"
    (home.path / "tests" / "deep" / "b.yml").write_text(bad, encoding="utf-8")
    failed = careline("test", "--json", "--home", str(home.path))
    assert failed.returncode == 1
    counts = json.loads(failed.stdout)
    assert (counts["passed"], counts["failed"]) == (1, 1)
    passed = careline("test", "-k", "hi", "--home", str(home.path))
    assert passed.returncode == 0, passed.stderr
    assert "1 passed, 0 failed" in passed.stdout
    assert "\x1b" not in passed.stdout
    none = careline("test", "-k", "no such test", "--home", str(home.path))
    assert (none.returncode, none.stdout) == (1, "")
    assert "no such test" in none.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--from", "c1", "--import", "x.yml"), "one of --from and --import"),
        (("--out", "x.yml"), "--out belongs to"),
        (("--from", "nobody"), "there is no conversation nobody"),
        (("--import", "nowhere.yml"), "there is no file"),
        ((), "holds no .yml"),
    ],
)
def test_errors_say_what_to_do(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    done = careline("test", *arguments, "--home", str(tmp_path / "bare"))
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


# Recording


def test_a_recorded_conversation_passes_as_a_test(home: Home, tmp_path: Path) -> None:
    bot = build_assistant(home)
    for text in ("where is my order A10234", "marta.lindqvist@example.com", "thanks"):
        bot.answer(Message(text, "c-recorded"))
    file = tmp_path / "recorded.yml"
    done = careline("test", "--from", "c-recorded", "--out", str(file), "--home", str(home.path))
    assert done.returncode == 0, done.stderr
    text = file.read_text(encoding="utf-8")
    assert "[email]" not in text
    assert text.startswith("# Personal data is not in the log")
    turns = yaml.safe_load(text)[0]["turns"]
    assert turns[1]["customer"] == "marta.lindqvist@example.com"
    assert turns[1]["expect"]["action"] == "action_order_status"
    run = json_of("test", str(file), "--home", str(home.path))
    assert (run["passed"], run["failed"]) == (1, 0), run["failures"]
    second = careline("test", "--from", "c-recorded", "--out", str(file), "--home", str(home.path))
    assert second.returncode == 1
    assert "exists already" in second.stderr


def test_placeholders_replace_personal_data(home: Home) -> None:
    bot = build_assistant(home)
    bot.answer(Message("reach me at ann@example.net or +1 312 555 0199", "c-private"))
    recorded = recorder.record(
        ConversationReader(home.engine), "c-private", recorder.proofs_of(home.actions(dry=True))
    )
    text = recorded.tests[0]["turns"][0]["customer"]
    assert text == "reach me at nobody@example.com or +1 202 555 0143"
    assert len(recorded.comment) == 1


def test_the_actions_of_agents_are_recorded_as_events(home: Home) -> None:
    bot = build_assistant(home)
    templates = home.templates()
    bot.answer(Message("I want to talk to a human", "c-people"))
    desk = HandoffDesk(
        home.engine, lambda n, language: templates.render(n.template, language, 0, **n.values)
    )
    desk.save_agent(Agent("a-1", "Ann"))
    ownership = desk.take("c-people", "a-1")
    desk.send("c-people", "a-1", ownership.fence, "Ann here.")
    bot.answer(Message("my boots squeak", "c-people"))
    desk.give_back("c-people", "a-1", ownership.fence)
    bot.answer(Message("thanks", "c-people"))
    recorded = recorder.record(
        ConversationReader(home.engine), "c-people", recorder.proofs_of(home.actions(dry=True))
    )
    kinds = [next(iter(turn)) for turn in recorded.tests[0]["turns"]]
    assert kinds == ["customer", "event", "agent", "customer", "event", "customer"]
    assert recorded.tests[0]["turns"][3]["expect"]["reason"] == "with_human"
    with pytest.raises(NotFoundError):
        recorder.record(
            ConversationReader(home.engine), "c-unknown", recorder.proofs_of(home.actions(dry=True))
        )


# Rasa

STORIES = """
version: "3.1"
stories:
- story: happy path
  steps:
  - action: utter_before
  - user: |
      where is [A10234](order_number)?
    intent: order_status
  - slot_was_set: [order_number: A10234, email: null]
  - action: utter_ask_email
  - action: action_listen
  - user: mine is a@b.org
  - action: action_order_status
  - checkpoint: there
- story: happy path
  steps:
  - intent: greet
- story: silent
  steps: [{action: utter_nothing}]
test_cases:
- test_case: 中文
  steps:
  - user: 你好
  - utter: utter_greet
  - bot: 您好！
"""


def test_stories_of_rasa_become_tests(tmp_path: Path) -> None:
    file = tmp_path / "test_stories.yml"
    file.write_text(STORIES, encoding="utf-8")
    imported = stories.read(file)
    first, second, chinese = imported.tests
    assert first["turns"] == [
        {
            "customer": "where is A10234?",
            "expect": {
                "intent": "order_status",
                "slots": {"order_number": "A10234", "email": None},
                "template": ["ask_email"],
            },
        },
        {"customer": "mine is a@b.org", "expect": {"action": ["action_order_status"]}},
    ]
    assert second["name"] == "happy path (2)"
    assert second["turns"] == [{"customer": "/greet", "expect": {"intent": "greet"}}]
    assert chinese["language"] == "zh"
    assert chinese["turns"][0]["expect"] == {
        "template": ["greet"],
        "reply": {"contains": ["您好！"]},
    }
    assert len(imported.skipped) == 4
    out = tmp_path / "out.yml"
    out.write_text(imported.as_yaml(), encoding="utf-8")
    assert len(cases.read([out])) == 3


def test_the_error_for_a_file_without_stories_says_so(tmp_path: Path) -> None:
    file = tmp_path / "nlu.yml"
    file.write_text("version: '3.1'\nnlu: []\n", encoding="utf-8")
    done = careline("test", "--import", str(file), "--home", str(tmp_path / "bare"))
    assert done.returncode == 1
    assert "has no tests of Rasa" in done.stderr
