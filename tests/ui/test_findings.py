"""Problems of a text are shown in Chinese too, with their lines."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.authoring import draft_checks, editable_files
from bot.container import Home
from bot.core.settings import Settings
from ui import error_texts
from ui.i18n import CHINESE, ENGLISH
from ui.screens.workshop import views
from ui.screens.workshop.texts import get_texts

# One entry of each kind; every place in them is made wrong in turn.
POLICY: dict[str, Any] = {
    "version": 1,
    "pause": "maintenance",
    "thresholds": {"answer": 0.5},
    "routes": {
        "refund": {"route": "act", "action": "refund", "slots": ["number"], "confirm": "sure"},
        "sizes": {"route": "retrieve", "articles": ["size*"], "queue": "shop"},
        "human": "handoff",
    },
    "slots": {"number": {"entities": ["number"], "free_text": False, "given_by": ["a", "b"]}},
    "informative": ["how"],
    "queues": {"refund": "money"},
    "hours": {"time_zone": "UTC", "open": {"en": {"mon-fri": "09:00-18:00"}}},
    "patience_minutes": 5,
    "failures_before_handoff": 2,
    "entities": {
        "number": "A[0-9]+",
        "colour": {"values": {"grey": ["gray"]}},
        "product": {"file": "names.txt"},
    },
    "escalations": [{"patterns": ["lawyer"], "intent": "refund"}],
    "emergencies": [{"patterns": ["fire"], "template": "sure"}],
}
TEMPLATES: dict[str, Any] = {
    "titles": {"refund": "Refund"},
    "sure": ["Sure?"],
    "hello": {
        "text": "Hello {name}.",
        "if": {"slots": ["name"], "channel": "widget"},
        "buttons": [{"title": "Yes", "payload": "/affirm"}],
    },
}
CANNED = [{"shortcut": "hi", "en": "Hello", "zh": "您好"}]
GOOD = {"policy.yml": POLICY, "templates/en.yml": TEMPLATES, "canned.yml": CANNED}
ODD: tuple[Any, ...] = (
    None,
    "(",
    "",
    "x" * 5001,
    0.5,
    -1,
    10**9,
    [],
    [["x"]],
    {},
    {1: "x"},
    {"x": {}},
)
UNKNOWN = "内容不符合要求"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    (folder / "templates").mkdir()
    (folder / "names.txt").write_text("Dome Tent | tent\n", encoding="utf-8")
    for name, content in GOOD.items():
        (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return Home(Settings.load(folder))


def check(home: Home, path: str, text: str) -> draft_checks.DraftReport:
    return draft_checks.check(home.path, home.labels(), editable_files.read(home.path, path), text)


def problems_html(report: draft_checks.DraftReport) -> str:
    """Return what a Chinese page shows of a check."""
    problems = [
        {**vars(problem), "severity": "error" if problem.is_error else "warning"}
        for problem in report.problems
    ]
    return views.problems_html({"problems": problems}, get_texts(CHINESE), CHINESE)


def spoilt(content: Any) -> Iterator[Any]:
    """Yield a content with each of its places made wrong: odd, missing, or not known."""

    def below(value: Any) -> Iterator[tuple[Any, Any]]:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            if isinstance(value[key], dict | list):
                yield from below(value[key])

    for number in range(len([*below(content)])):
        for odd in ODD:
            changed = copy.deepcopy(content)
            parent, key = [*below(changed)][number]
            parent[key] = odd
            yield changed
        changed = copy.deepcopy(content)
        parent, key = [*below(changed)][number]
        del parent[key]
        yield changed
        if isinstance(parent, dict):
            parent["no_such_entry"] = "x"
            yield changed


@pytest.mark.parametrize("path", GOOD)
def test_whatever_is_wrong_is_told_in_chinese(home: Home, path: str) -> None:
    assert check(home, path, yaml.safe_dump(GOOD[path])).problems == ()
    count = 0
    for content in [*ODD, *spoilt(GOOD[path])]:
        report = check(home, path, yaml.safe_dump(content))
        for problem in report.problems:
            count += 1
            text = error_texts.problem_text({**vars(problem)}, CHINESE)
            assert UNKNOWN not in text, problem
            assert error_texts.problem_text({**vars(problem)}, ENGLISH) == problem.message
    assert count > 20


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        (
            "policy.yml",
            "version: 1\nroutes:\n  refund: {action: look}\n",
            "<b>第 3 行</b> routes.refund.route：缺少这一项",
        ),
        (
            "policy.yml",
            "version: 1\nroutes:\n  human: dance\n",
            "routes.human.route：只能是 &#x27;template&#x27;, &#x27;retrieve&#x27;, ",
        ),
        ("policy.yml", "thresholds:\n  answer: 7\n", "第 2 行</b> thresholds.answer：不能大于 1"),
        ("policy.yml", "hours:\n  open: {en: {mun: 9-10}}\n", "hours.open：mun 不是星期"),
        ("policy.yml", "slots: {a: {given_by: [b, c, d]}}\n", "slots.a.given_by：最多 2 项"),
        ("policy.yml", "- a\n", "文件：应为"),
        ("policy.yml", "entities:\n  colour: '('\n", "第 2 行</b> entities.colour：( 不是正则"),
        (
            "policy.yml",
            "routes:\n  a: {route: template, template: b}\n",
            "第 2 行</b> 意图 `a` 用到的模板 `b` 不存在",
        ),
        ("templates/en.yml", "sure: ok\nhello: 'It is {'\n", "第 2 行</b> 模板 `hello` 中有"),
        ("templates/en.yml", "sure: 'It is {number:.2f}'\n", "模板 `sure` 中的变量 {number}"),
        ("templates/en.yml", "human: 'I am {name}'\n", "`if: {slots: [name]}`"),
        ("canned.yml", "- shortcut: hi\n- en: Hello\n", "第 2 行</b> 1.shortcut：缺少这一项"),
        ("kb/a.md", "---\ntitle: a\nvalid_from: soon\n---\nHi\n", "第 3 行</b> valid_from 的 soon"),
        ("kb/a.md", "---\ntitle: a\n---\n", "里面没有文字"),
        ("kb/a.md", "---\nlanguage: [en, zh]\n---\nHi\n", "第 2 行</b> language 只能写一段"),
    ],
)
def test_a_finding_stands_in_chinese_with_its_line(
    home: Home, path: str, text: str, problem: str
) -> None:
    assert problem in problems_html(check(home, path, text))


def test_an_intent_the_model_does_not_know_is_worth_a_look(trained: Home) -> None:
    policy = (trained.path / "policy.yml").read_text(encoding="utf-8")
    text = policy.replace("routes:\n", "routes:\n  wash: retrieve\n")
    line = text[: text.index("  wash:")].count("\n") + 1
    report = check(trained, "policy.yml", text)
    assert report.is_fit
    warning = f"请注意：</p><ul class='findings'><li><b>第 {line} 行</b> 模型还不认识意图 `wash`"
    assert warning in problems_html(report)


def test_what_is_wrong_in_another_file_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("routes: {human: dance}\n", encoding="utf-8")
    report = check(Home(Settings.load(tmp_path)), "templates/en.yml", "human: ok\n")
    assert "<li>policy.yml：routes.human.route：只能是" in problems_html(report)
