"""Drafts are read as the server reads them; each issue has its line and says what to do."""

import shutil
from pathlib import Path

import pytest

from bot.authoring import draft_checks, editable_files
from bot.authoring.draft_checks import DraftIssue, DraftReport
from bot.authoring.yaml_source import YamlSource
from bot.container import Home
from bot.core.settings import Settings
from tests.conftest import DEMO

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
FRONT = "---\ntitle: Kites\nlanguage: en\n---\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("content")
    shutil.copytree(DEMO / "templates", folder / "templates")
    shutil.copy(DEMO / "policy.yml", folder / "policy.yml")
    return Home(Settings.load(folder))


def check(home: Home, path: str, text: str) -> DraftReport:
    return draft_checks.check(home.path, home.labels(), editable_files.read(home.path, path), text)


def first_error(report: DraftReport) -> DraftIssue:
    assert not report.is_fit
    return next(issue for issue in report.problems if issue.is_error)


@pytest.mark.parametrize("path", ["policy.yml", "templates/en.yml", "templates/zh.yml"])
def test_the_files_of_the_demo_have_no_issues(home: Home, path: str) -> None:
    text = (home.path / path).read_text(encoding="utf-8")
    assert check(home, path, text).problems == ()


@pytest.mark.parametrize(
    ("path", "text", "line", "words"),
    [
        ("policy.yml", "version: 1\nroutes: [a, b\n", 3, "not YAML"),
        ("policy.yml", "version: 1\nroutes:\n  human: dance\n", 3, "routes.human"),
        ("policy.yml", "version: 1\nsurprise: 1\n", 2, "surprise"),
        ("policy.yml", "version: 1\nthresholds:\n  clarify: 0.2\n  answer: 7\n", 4, "answer"),
        ("policy.yml", "version: 1\nroutes:\n  a: {route: act}\n", 3, "names no action"),
        ("policy.yml", "version: 1\nroutes:\n  a: {route: template, template: b}\n", 3, "`b`"),
        ("policy.yml", "version: 1\nabuse: ['(']\n", 2, "regular expression"),
        ("policy.yml", "version: 1\nversion: 1\n", 2, "twice"),
        ("policy.yml", "a: &a [*a]\n", 1, "itself"),
        ("policy.yml", BOMB, None, "aliases"),
        ("policy.yml", "a: " + "[" * 3000, None, "nested"),
        (
            "policy.yml",
            "version: 1\nentities:\n  word: {file: ../../../etc/passwd}\n",
            3,
            "outside the home",
        ),
        ("policy.yml", "version: 1\nentities:\n  w: {file: /etc/passwd}\n", 3, "outside the home"),
        (
            "policy.yml",
            "version: 1\nentities:\n  w: {file: .secrets.json}\n",
            3,
            "outside the home",
        ),
        ("templates/en.yml", "- a\n- b\n", None, "map template names"),
        ("templates/en.yml", "human:\n  - ''\n", 1, "`human`"),
        ("templates/en.yml", "human: ok\nthanks: 'It is {price:.2f}'\n", 2, "not a name"),
        ("templates/en.yml", "human: ok\nthanks: 'It is {'\n", 2, "brace"),
        ("templates/en.yml", "human: 'Hello {name}'\n", 1, "not always known"),
        ("templates/en.yml", "x: !!python/object/apply:os.system ['true']\n", 1, "not YAML"),
        ("templates/en.yml", "human: ok\nthanks: 2026-13-45\n", 2, "not YAML"),
        ("policy.yml", "version: 1\npause: 2026-13-45\n", 2, "not YAML"),
        ("canned.yml", "- shortcut: hi\n  en: 2026-13-45\n", 2, "not YAML"),
        ("canned.yml", "- shortcut: !!python/name:os.system x\n", 1, "not YAML"),
        ("canned.yml", '- shortcut: hi\n  en: "\\ud800"\n', 2, "not text"),
        ("policy.yml", 'entities:\n  w: {file: "\\0"}\n', 2, "not text"),
        ("policy.yml", f"entities:\n  w: {{file: {'x' * 5000}}}\n", 2, "cannot read"),
        ("policy.yml", f"hours:\n  time_zone: {'x' * 5000}\n", 2, "not a time zone"),
        ("templates/en.yml", "human: {text: a, if: {slots: [[b]]}}\n", 1, "if.slots"),
        ("canned.yml", "- shortcut: hi\n  en: Hello\n- shortcut: A b\n", 3, "shortcut"),
        ("canned.yml", "- shortcut: hi\n  fr: Bonjour\n", 2, "fr"),
        ("kb/a.md", "---\nlanguage: [en\n---\nHello\n", 2, "not YAML"),
        ("kb/a.md", "---\ntitle: a\nvalid_from: soon\n---\nHello\n", 3, "not a date"),
        ("kb/a.md", "---\ntitle: a\n---\n", None, "no text"),
        ("kb/a.md", "", None, "empty"),
        ("kb/a.md", "a\x00b", None, "not text"),
        ("kb/a.md", "x" * (editable_files.MAX_CHARACTERS + 1), None, "split it"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_issue_has_its_line(
    home: Home, path: str, text: str, line: int | None, words: str
) -> None:
    issue = first_error(check(home, path, text))
    assert words in issue.message
    assert issue.line == line
    assert "careline-draft-" not in issue.message


def test_a_policy_and_templates_are_checked_against_each_other(home: Home) -> None:
    policy = (home.path / "policy.yml").read_text(encoding="utf-8")
    wrong = policy.replace("routes:\n", "routes:\n  wash: {route: template, template: washing}\n")
    issue = first_error(check(home, "policy.yml", wrong))
    assert issue.message == "template `washing` of intent `wash` does not exist"
    assert issue.line
    assert wrong.splitlines()[issue.line - 1].startswith("  wash:")


def test_existing_issues_are_warnings_and_new_ones_errors(tmp_path: Path) -> None:
    home = Home(Settings.load(tmp_path))
    (tmp_path / "policy.yml").write_text(
        "version: 1\nroutes:\n  a: {route: template, template: b}\n", encoding="utf-8"
    )
    report = check(home, "templates/en.yml", "c: Hello\n")
    assert report.is_fit
    assert [issue.is_error for issue in report.problems] == [False]
    worse = "version: 1\nroutes:\n  a: {route: template, template: b}\n  c: {route: act}\n"
    errors = [issue.is_error for issue in check(home, "policy.yml", worse).problems]
    assert sorted(errors) == [False, True]


def test_the_repair_of_a_broken_home_can_be_checked(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("routes: [", encoding="utf-8")
    home = Home(Settings.load(tmp_path))
    assert check(home, "policy.yml", "version: 1\n").is_fit


def test_an_issue_of_another_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    broken = tmp_path / "templates" / "zh.yml"
    broken.write_text("human: '您好 {'\n", encoding="utf-8")
    home = Home(Settings.load(tmp_path))
    issue = first_error(check(home, "policy.yml", "version: 1\nqueues: {human: b}\n"))
    assert issue.message.startswith("templates/zh.yml: `human` has a brace")
    assert (issue.line, issue.reason) == (None, "lone_brace")
    assert issue.facts["file"] == "templates/zh.yml"
    broken.unlink()
    (tmp_path / "policy.yml").write_text("routes: {human: dance}\n", encoding="utf-8")
    issue = first_error(check(home, "templates/en.yml", "human: ok\n"))
    assert issue.message.startswith("policy.yml: routes.human.route: ")
    assert (issue.line, issue.reason) == (None, "not_one_of")


def test_an_entity_file_in_the_home_is_read(tmp_path: Path) -> None:
    (tmp_path / "colours.txt").write_text("red | 红\n", encoding="utf-8")
    home = Home(Settings.load(tmp_path))
    good = "version: 1\nentities:\n  colour: {file: colours.txt}\n"
    assert check(home, "policy.yml", good).is_fit
    missing = first_error(check(home, "policy.yml", good.replace("colours", "colors")))
    assert "cannot read colors.txt" in missing.message
    folder = first_error(check(home, "policy.yml", good.replace("colours.txt", "''")))
    assert "careline-draft-" not in f"{folder.message}{folder.facts}"


def test_an_article_is_cut_into_the_passages_of_its_ingestion(home: Home) -> None:
    text = FRONT + "# Kites\n## Wind\nFrom 12 km/h.\n## 价格\n风筝 20 美元。\n"
    report = check(home, "kb/kites.md", text)
    assert report.problems == ()
    assert [(passage.heading, passage.text) for passage in report.passages] == [
        ("Kites › Wind", "From 12 km/h."),
        ("Kites › 价格", "风筝 20 美元。"),
    ]


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("title: a\n", None, "has no language"),
        ("language: en\naudience: staff\n", 3, "for staff"),
        ("language: en\nvalid_from: 2999-01-01\n", 3, "before 2999-01-01"),
        ("language: en\nvalid_until: 2001-01-01\n", 3, "2001-01-01"),
    ],
)
def test_a_limited_article_gets_a_warning(
    home: Home, front: str, line: int | None, words: str
) -> None:
    report = check(home, "kb/a.md", f"---\n{front}---\nHello there.\n")
    assert report.is_fit
    assert [(words in issue.message, issue.line) for issue in report.problems] == [(True, line)]


def test_a_draft_with_the_reminder_cannot_be_published(home: Home) -> None:
    text = FRONT + "# Kites\n\nWrite here what customers need to know, then publish it in the "
    issue = first_error(check(home, "kb/kites.md", text + "workshop.\n"))
    assert (issue.line, issue.message) == (7, "write the article, then delete this line")


def test_a_few_aliases_are_allowed() -> None:
    assert YamlSource("a: &a [1, 2]\nb: *a\n").issues == []
    text = "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: {<<: *a, y: 2}\n"
    tree = YamlSource(text)
    tree.build(text)
    assert tree.issues == []
