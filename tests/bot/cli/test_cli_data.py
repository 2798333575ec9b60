"""Import, export and lint, run in a shell."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from bot.integrations import importer
from bot.integrations.rasa import home_export, yaml_export
from bot.integrations.rasa import project as rasa
from bot.training import datasets
from tests.conftest import DEMO
from tests.shell import careline, json_of

NLU = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello, you
    - hi
- intent: cancel_order
  examples: |
    - drop my [tent](gear)
- lookup: gear
  examples: |
    - tent
    - Tent
    - 帐篷
- synonym: tent
  examples: |
    - 帐篷
- regex: order_number
  examples: |
    - Z9
- regex: voucher
  examples: |
    - V-\\d+
- lookup: date
  examples: |
    - doomsday
"""
DOMAIN = """
intents: [greet, cancel_order]
responses:
  utter_greet:
  - text: "Hello: {name}"
    buttons: [{title: Say hello, payload: /greet}]
  - text: 你好
  utter_cancel_order:
  - text: Something else
"""


def bare_home(folder: Path) -> Path:
    """Return a home with the demo's content and no versions."""
    for name in ("dialogs", "templates"):
        shutil.copytree(DEMO / name, folder / name)
    shutil.copy(DEMO / "policy.yml", folder / "policy.yml")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "rasa"
    folder.mkdir()
    (folder / "nlu.yml").write_text(NLU, "utf-8")
    (folder / "domain.yml").write_text(DOMAIN, "utf-8")
    return folder


def test_a_project_is_imported_without_overwriting_anything(tmp_path: Path, project: Path) -> None:
    home = bare_home(tmp_path / "home")
    before = {
        p: p.read_text("utf-8") for p in (home / "policy.yml", *(home / "templates").iterdir())
    }
    done = json_of("import", str(project), "--home", str(home))
    assert (done["examples"], done["intents"]) == (3, 2)
    assert (done["templates"], done["entities"]) == (2, 2)
    examples = datasets.read_examples(home / "dialogs" / "rasa_import.csv")
    assert [(e.text, e.intent) for e in examples] == [
        ("hello, you", "greet"),
        ("hi", "greet"),
        ("drop my tent", "cancel_order"),
    ]
    opened = Home(Settings.load(home))
    entities = opened.policy().content.entities
    assert entities["gear"] == {"tent": ("帐篷",)}
    assert entities["voucher"] == "V-\\d+"
    texts = opened.templates().texts
    greetings = [[variant.text for variant in texts[code]["greet"]] for code in ("en", "zh")]
    assert greetings == [["Hello: {name}"], ["你好"]]
    assert opened.templates().title("greet", "en") == "Say hello"
    whys = {item["where"]: item["why"] for item in done["skipped"]}
    assert "stays" in whys["templates/en.yml: cancel_order"]
    assert "stays" in whys["policy.yml: entity order_number"]
    assert "built in" in whys["policy.yml: entity date"]
    assert any("greet: template" in note for note in done["notes"])
    for path, text in before.items():  # all lines stay, also comments
        lines = path.read_text("utf-8").splitlines()
        assert [line for line in text.splitlines() if line not in lines] == []


def test_importing_twice_changes_nothing(tmp_path: Path, project: Path) -> None:
    home = tmp_path / "home"
    first = importer.import_into(home, project)
    content = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    second = importer.import_into(home, project)
    assert (first.examples, second.examples) == (3, 0)
    assert (second.files, second.templates, second.entities) == ([], 0, 0)
    assert content == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_awkward_texts_reach_the_home_as_they_are(tmp_path: Path) -> None:
    texts = ['say "yes", then\nno', "a\r\nb", "- dash: 'x'", "press [ok](now)", "退货，😀"]
    out = tmp_path / "nlu.yml"
    examples = [datasets.Example(text, "on", "x") for text in texts]
    out.write_bytes(yaml_export.nlu_yaml(examples).encode())
    importer.import_into(tmp_path / "home", out)
    imported = datasets.read_examples(tmp_path / "home" / "dialogs" / "rasa_import.csv")
    assert [(e.text, e.intent) for e in imported] == [(text, "on") for text in texts]


def test_a_response_called_titles_does_not_break_the_templates(tmp_path: Path) -> None:
    file = tmp_path / "domain.yml"
    file.write_text(
        "responses:\n  utter_titles:\n  - text: hello\n  utter_a:\n  - text: b\n", "utf-8"
    )
    done = importer.import_into(tmp_path / "home", file)
    assert home_export.read_templates(tmp_path / "home" / "templates") == {"en": {"a": ["b"]}}
    assert [item.where for item in done.skipped] == ["templates/en.yml: titles"]


@pytest.mark.parametrize(
    ("before", "key"),
    [
        (
            "version: 1\n# kept\nentities:   # mine\n    a: x\n\n    # also kept\n    b: y\n",
            "a",
        ),
        ("version: 1\nentities: {}  # none yet\nroutes: {greet: template}\n", None),
        ("version: 1\r\nentities:\r\n  a: x\r\n", "a"),
        ("version: 1", None),
        ("", None),
    ],
)
def test_entries_are_added_without_losing_a_comment(before: str, key: str | None) -> None:
    after = importer.add_under(before, "entities", {"new": {"values": {"x": ["y"]}}})
    content = yaml.safe_load(after)
    assert content["entities"]["new"] == {"values": {"x": ["y"]}}
    if key:
        assert content["entities"][key] == "x"
    for comment in ("# kept", "# mine", "# also kept", "# none yet"):
        assert (comment in before) == (comment in after)
    rest = {k: v for k, v in (yaml.safe_load(before) or {}).items() if k != "entities"}
    assert {k: v for k, v in content.items() if k != "entities"} == rest


def test_a_file_that_cannot_be_extended_is_not_changed(tmp_path: Path, project: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    policy = home / "policy.yml"
    policy.write_text("{version: 1, entities: {order_number: 'A1'}}\n", "utf-8")
    done = importer.import_into(home, project)
    assert policy.read_text("utf-8") == "{version: 1, entities: {order_number: 'A1'}}\n"
    assert done.entities == 0
    assert any("voucher" in note and "policy.yml" in note for note in done.notes)


def test_the_demo_survives_export_and_import(tmp_path: Path) -> None:
    home = bare_home(tmp_path / "home")
    out = tmp_path / "out"
    done = json_of("rasa-export", str(out), "--home", str(home))
    files = datasets.training_files(home / "dialogs")
    examples = [e for path in files for e in datasets.read_examples(path)]
    exported = rasa.read(out)
    assert sorted((e.text, e.intent) for e in exported.examples) == sorted(
        (e.text, e.intent) for e in examples
    )
    assert done["examples"] == len(examples)
    other = tmp_path / "other"
    skipped = json_of("import", str(out), "--home", str(other))["skipped"]
    assert [item["where"] for item in skipped] == ["domain.yml: actions"]
    pairs = [(e.text, e.intent) for e in datasets.read_examples(other / "dialogs/rasa_import.csv")]
    assert sorted(pairs) == sorted((e.text.strip(), e.intent) for e in examples)
    assert home_export.read_templates(other / "templates") == home_export.read_templates(
        home / "templates"
    )
    second = careline("rasa-export", str(out), "--home", str(home))
    assert second.returncode == 1
    assert "exists already" in second.stderr


def test_valid_files_in_our_formats_are_copied(tmp_path: Path) -> None:
    home = tmp_path / "home"
    file = tmp_path / "more.csv"
    file.write_text("text,intent\nhello,greet\nbye,leave\n", "utf-8")
    assert importer.import_into(home, file).examples == 2
    assert (home / "dialogs" / "more.csv").read_bytes() == file.read_bytes()
    file.write_text("text,intent\nother,greet\n", "utf-8")
    with pytest.raises(CarelineError, match="differs"):
        importer.import_into(home, file)
    (tmp_path / "bad.jsonl").write_text('{"id": 1}\n', "utf-8")
    with pytest.raises(CarelineError, match="row 1"):
        importer.import_into(home, tmp_path / "bad.jsonl")
    assert not (home / "dialogs" / "bad.jsonl").exists()


def test_lint_reports_issues_and_writes_clean_copies(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    rows = [
        *((f"please refund my money for order {n}", "refund") for n in range(12)),
        *((f"what time does shop {n} open", "hours") for n in range(12)),
        ("what time does shop 77 open", "refund"),
        ("what time does shop 1 open", "hours"),
        ("ann@example.com wants a refund", "refund"),
    ]
    file.write_text("text,intent\n" + "".join(f"{t},{i}\n" for t, i in rows), "utf-8")
    before = file.read_bytes()
    option = ("--home", str(home.path))
    done = json_of("lint", str(file), "--fix", str(tmp_path / "clean"), *option)
    assert (done["files"], done["examples"]) == ([str(file)], 27)
    kinds = {finding["kind"]: finding for finding in done["findings"]}
    assert {"duplicate", "label_error", "personal_data"} <= set(kinds)
    wrong_label = kinds["label_error"]
    assert (wrong_label["rows"], wrong_label["suggestion"]) == (["texts.csv:26"], "hours")
    assert "ann@" not in json.dumps(done)
    assert done["fixed"]["duplicates_removed"] == 1
    assert "[email] wants" in (tmp_path / "clean" / "texts.csv").read_text("utf-8")
    assert file.read_bytes() == before
    report = careline("lint", str(file), *option)
    assert report.returncode == 0
    assert "texts.csv:26" in report.stdout
    assert "ann@" not in report.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("import", "nowhere.yml"), "nowhere.yml"),
        (("import", "pyproject.toml"), ".jsonl"),
        (("lint", "nowhere.csv"), "nowhere.csv"),
        (("lint",), "dialogs"),
        (("rasa-export", "somewhere"), "dialogs"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    done = careline(*arguments, environment={"CARELINE_HOME": str(tmp_path / "bare")})
    assert done.returncode == 1
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
