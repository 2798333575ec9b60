"""Conversation tests: the demo's own, and what runs, records, imports and counts them."""

import ast
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.container import Home, build_assistant
from bot.core.settings import Settings
from bot.dialogue import templates as texts
from bot.dialogue.policy_file import PolicyContent
from bot.evaluation.conversation_tests import cases, coverage, runner
from bot.evaluation.conversation_tests import results as report
from bot.evaluation.conversation_tests.cases import ConversationTestError, LocatedTest
from bot.evaluation.conversation_tests.runner import TestResult, TestRunner
from bot.evaluation.conversation_tests.test_clock import TestActions, open_hour
from bot.store.in_memory_log import MemoryLog
from tests.conftest import CONTENT, DEMO, ROOT
from tests.told import told, without_articles

# Texts that no conversation brings about: for a question without options, for what went wrong, and
# one that is only suggested to agents.
UNSPOKEN = {"clarify_open", "error", "order_status"}
ALL = cases.read(cases.files_of(DEMO))


def name_of(test: LocatedTest) -> str:
    return f"{test.file.relative_to(DEMO / 'tests')}: {test.case.name}"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home with the demo's content and nothing that is built."""
    folder = tmp_path_factory.mktemp("content") / "home"
    folder.mkdir()
    for item in CONTENT:
        source = DEMO / item
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / item)
    return Home(Settings.load(folder))


@pytest.fixture
def prepared(content: Home) -> TestRunner:
    """Return a runner without a model and without knowledge."""
    return of(content)


def of(home: Home) -> TestRunner:
    parts = build_assistant(home, MemoryLog()).components
    parts = replace(parts, policy=replace(parts.policy, has_knowledge=True))
    actions = TestActions(home.path, home.actions(dry=True))
    labels = set(parts.policy.content.routes)
    return TestRunner(parts, actions.at, actions.names(), sorted(labels))


@pytest.fixture(scope="module")
def played(content: Home) -> tuple[dict[str, TestResult], TestRunner]:
    """Run all of the demo's tests with parts that are told what each expects."""
    prepared = of(content)
    parts = prepared.parts
    results = {}
    for test in ALL:
        prepared.parts = told(parts, test)
        results[name_of(test)] = prepared.run(without_articles(test))
    return results, prepared


@pytest.mark.parametrize("name", list(map(name_of, ALL)))
def test_the_demo_talks_as_its_tests_say(
    played: tuple[dict[str, TestResult], TestRunner], name: str
) -> None:
    result = played[0][name]
    assert result.passed, "\n".join(line.text for line in report.conversation(result))


def test_the_demos_tests_touch_all_there_is(
    played: tuple[dict[str, TestResult], TestRunner],
) -> None:
    found = played[1].coverage.as_json()
    missing = {kind: set(row["missing"]) for kind, row in found.items()}
    assert missing == {"intents": set(), "templates": UNSPOKEN, "actions": set(), "rules": set()}


def test_there_are_enough_tests_in_both_languages() -> None:
    languages = Counter(test.case.language for test in ALL)
    assert len(ALL) >= 130
    assert min(languages["en"], languages["zh"]) >= 50


def test_every_test_says_something_about_every_turn_of_the_customer() -> None:
    bare = [
        name_of(test)
        for test in ALL
        for step in test.case.turns
        if step.customer is not None and not step.expect.model_fields_set
    ]
    assert bare == []


def test_the_guides_examples_are_tests(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "conversation-tests.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) >= 3
    assert all(cases.read([written(tmp_path, block)]) for block in blocks)


def test_the_guide_names_every_key() -> None:
    guide = (ROOT / "docs" / "conversation-tests.md").read_text(encoding="utf-8")
    kinds = (
        cases.ConversationTest,
        cases.TestStep,
        cases.TurnExpectation,
        cases.ReplyExpectation,
        cases.OwnerExpectation,
    )
    keys = {key for kind in kinds for key in kind.model_fields}
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []


# The rules that are counted


def reasons_in(path: Path) -> Iterator[str]:
    """Yield the reasons a module can give: constants where a decision names its rule."""
    places = {
        "Decision": 1, "_handoff": 0, "_to_person": 0, "_search": 0, "_unclear": 0, "next": 2,
        "_confirmation": 2,
    }  # fmt: skip
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = places.get(name)
            given = [k.value for k in node.keywords if k.arg == "reason"]
            if place is not None:
                yield from constants(*node.args[place : place + 1], *given)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "reason":
            yield from constants(node.value)


def constants(*nodes: ast.expr) -> Iterator[str]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.JoinedStr):
                yield str(getattr(part.values[0], "value", ""))
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def test_every_reason_of_the_policy_is_counted_and_no_other() -> None:
    folder = ROOT / "bot" / "dialogue"
    found = {r for name in ("policy", "forms") for r in reasons_in(folder / f"{name}.py")}
    assert found == coverage.REASONS | coverage.ENTRIES | coverage.PREFIXES


def test_a_promise_is_a_rule_only_where_one_was_given() -> None:
    content = PolicyContent()
    assert "promise" in coverage.rules_of(content, promises=True)
    assert "promise" not in coverage.rules_of(content, promises=False)


# Running


def written(folder: Path, text: str) -> Path:
    file = folder / "tests.yml"
    file.write_text(text, encoding="utf-8")
    return file


def run_text(prepared: TestRunner, folder: Path, text: str) -> list[TestResult]:
    parts = prepared.parts
    results = []
    for test in cases.read([written(folder, text)]):
        prepared.parts = told(parts, test)
        results.append(prepared.run(test))
    prepared.parts = parts
    return results


WRONG = """
- name: all of it is wrong
  turns:
    - customer: Where is my order?
      expect:
        intent: order_status
        route: template
        reason: [confirm, corrected]
        template: greeting
        action: action_order_status
        slots: {order_number: A10234}
        reply:
          contains: [nowhere, [order, never]]
          not_contains: order
          cites: en/a.md
          equals: Hi
        buttons: [/affirm]
        handoff: {state: queued, queue: support, position: 1}
        language: zh
        form: null
        requests: [{}, {intent: thanks}]
    - event: give_back
"""


def test_whatever_is_not_as_expected_is_found(prepared: TestRunner, tmp_path: Path) -> None:
    text = WRONG.replace("requests: [{}, {intent: thanks}]", "")
    result = run_text(prepared, tmp_path, text)[0]
    assert not result.passed
    assert [d.what for d in result.played[0].differences] == [
        *("route", "reason", "language", "template", "action"),
        *("reply contains", "reply does not contain", "reply equals", "reply cites", "buttons"),
        *("slots.order_number", "form", "handoff.state", "handoff.queue", "handoff.position"),
    ]
    found = {d.what: (d.expected, d.found) for d in result.played[0].differences}
    assert found["reason"] == ("confirm | corrected", "missing_slot")
    assert found["slots.order_number"] == ("A10234", "nothing")
    assert found["reply contains"][0] == "nowhere"
    refused = result.played[1].differences[0]
    assert refused.what == "turn"
    assert "not yours" in refused.found


def test_a_request_that_is_missing_is_found(prepared: TestRunner, tmp_path: Path) -> None:
    test = cases.read([written(tmp_path, WRONG)])[0]
    prepared.parts = told(prepared.parts, ALL[0])
    found = [d.what for d in prepared.run(test).played[0].differences]
    assert "requests.1" in found


def test_one_test_does_nothing_to_the_next(prepared: TestRunner, tmp_path: Path) -> None:
    one = """
- name: %s
  turns:
    - customer: cancel my order A20415, devon.a@example.org
      expect: {intent: cancel_order, reason: confirm}
    - customer: yes
      expect: {intent: cancel_order, template: cancel_done, action: action_cancel_order}
"""
    results = run_text(prepared, tmp_path, one % "first" + one % "second")
    assert [result.passed for result in results] == [True, True]


def test_a_test_may_change_the_policy_for_itself_alone(
    prepared: TestRunner, tmp_path: Path
) -> None:
    text = """
- name: a shop on holiday
  policy: {pause: maintenance, thresholds: {answer: 0.9}, routes: {thanks: retrieve}}
  turns: [{customer: hello, expect: {reason: maintenance}}]
- name: the shop
  turns: [{customer: hello, expect: {intent: greeting, reason: smalltalk}}]
"""
    assert all(result.passed for result in run_text(prepared, tmp_path, text))
    change = PolicyContent.model_validate(
        {"thresholds": {"answer": 0.9}, "routes": {"thanks": "retrieve"}}
    )
    old = prepared.parts.policy.content
    changed = runner.apply_changes(old, change)
    assert (changed.thresholds.answer, changed.thresholds.seeks) == (0.9, old.thresholds.seeks)
    assert changed.routes["thanks"].route == "retrieve"
    assert changed.routes["greeting"] == old.routes["greeting"]


def test_results_do_not_depend_on_todays_date(prepared: TestRunner, tmp_path: Path) -> None:
    text = """
- name: early
  at: 2026-03-02T15:00:00Z
  turns:
    - customer: where is my order A10234, marta.lindqvist@example.com
      expect: {intent: order_status, reply: {contains: "2026-03-04"}}
- name: late, the zone of a time without one is UTC
  at: 2027-07-01 15:00:00
  turns:
    - customer: where is my order A10234, marta.lindqvist@example.com
      expect: {intent: order_status, reply: {contains: "2027-07-03"}}
"""
    assert [result.passed for result in run_text(prepared, tmp_path, text)] == [True, True]


def test_without_a_time_a_test_begins_when_people_answer(content: Home) -> None:
    policy = content.policy()
    for language in ("en", "zh"):
        assert policy.is_open(open_hour(policy, language), language)


def test_all_faults_of_the_files_are_told_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
- name: wrong key
  turns: [{customer: hi, expect: {reson: smalltalk}}]
- name: two voices
  turns: [{customer: hi, agent: hello}]
- name: no time
  turns: [{event: wait}]
- name: elsewhere
  turns: [{event: take, queue: support}]
- name: without what
  without: [gravity]
  turns: [{customer: hi}]
- name: twice
  turns: [{customer: hi}]
- name: twice
  turns: [{customer: 12345}, {customer: yes}, {customer: no}]
- just text
""",
    )
    with pytest.raises(ConversationTestError) as caught:
        cases.read([file])
    said = str(caught.value)
    assert f"{file}: test `wrong key`: the key `turns.0.expect.reson` is unknown" in said
    assert "test `two voices`: turns.0: a turn has one of `customer`, `agent`, `event`" in said
    assert "`minutes` belongs to `event: wait`" in said
    assert "`queue` belongs to `event: transfer`" in said
    assert "test `without what`: without.0" in said
    assert "2 tests are called `twice`" in said
    assert "test `8`" in said


@pytest.mark.parametrize("text", ["a: [", "name: one", "- name: x\n  turns: []\n"])
def test_what_is_no_list_of_tests_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConversationTestError, match=r"tests\.yml"):
        cases.read([written(tmp_path, text)])


def test_words_that_yaml_takes_for_values_are_words(tmp_path: Path) -> None:
    text = "- name: no\n  turns: [{customer: yes}, {customer: 12345}, {event: wait, minutes: 6}]\n"
    test = cases.read([written(tmp_path, text)])[0].case
    assert test.name == "no"
    assert [step.customer for step in test.turns] == ["yes", "12345", None]


def test_files_are_those_given_or_the_homes(tmp_path: Path) -> None:
    assert len(cases.files_of(DEMO)) == len(list((DEMO / "tests").rglob("*.yml")))
    assert cases.files_of(DEMO, [DEMO / "tests" / "zh"]) == sorted((DEMO / "tests/zh").glob("*"))
    one = DEMO / "tests" / "en" / "orders.yml"
    assert cases.files_of(DEMO, [one]) == [one]
    assert len(cases.read([one], "CANCELLED")) < len(cases.read([one]))
    with pytest.raises(ConversationTestError, match=r"holds no \.yml"):
        cases.files_of(tmp_path)
    with pytest.raises(ConversationTestError, match="there is no file"):
        cases.files_of(DEMO, [tmp_path / "nowhere"])


# Coverage and reports


def test_a_template_that_nothing_says_is_missing(content: Home, tmp_path: Path) -> None:
    prepared = of(content)
    before = prepared.coverage.as_json()["templates"]
    assert before["touched"] == 0
    text = "- {name: hello, turns: [{customer: hello, expect: {intent: greeting}}]}\n"
    assert run_text(prepared, tmp_path, text)[0].passed
    after = prepared.coverage.as_json()["templates"]
    assert set(before["missing"]) - set(after["missing"]) == {"greeting"}
    assert after["of"] == len(texts.load(DEMO / "templates").names)


def test_a_failure_is_shown_as_a_conversation(prepared: TestRunner, tmp_path: Path) -> None:
    results = run_text(prepared, tmp_path, WRONG.replace("requests: [{}, {intent: thanks}]", ""))
    done = runner.TestRun(tuple(results), prepared.coverage, 1.0)
    shown = [line.text for line in report.lines(done)]
    assert shown[0].startswith("FAILED")
    assert shown[0].endswith("all of it is wrong")
    assert "  customer: Where is my order?" in shown
    assert any(line.startswith("  bot: ") and "missing_slot" in line for line in shown)
    place = shown.index("    reason")
    assert shown[place + 1].split() == ["expected", "confirm", "|", "corrected"]
    assert shown[place + 2].split() == ["found", "missing_slot"]
    assert shown[-1] == "0 passed, 1 failed, 1.0 s"
    body = report.as_json(done)
    assert (body["passed"], body["failed"]) == (0, 1)
    assert body["failures"][0]["turns"][0]["said"] == "customer: Where is my order?"
    assert set(body["coverage"]) == {"intents", "templates", "actions", "rules"}


def test_the_run_stops_at_the_first_failure_where_that_is_wanted(
    prepared: TestRunner, tmp_path: Path
) -> None:
    text = """
- {name: one, turns: [{event: give_back}]}
- {name: two, turns: [{event: take}, {agent: hello}, {event: close}]}
"""
    tests = cases.read([written(tmp_path, text)])
    seen: list[TestResult] = []
    assert len(runner.run(prepared, tests, fail_fast=True, each=seen.append).results) == 1
    done = runner.run(prepared, tests)
    assert [result.passed for result in done.results] == [False, True]
    assert len(seen) == 1
