"""Import, export and lint, as a shell runs them."""

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
    """Return the demo's content without what is built."""
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


def test_a_project_is_imported_beside_what_is_there(tmp_path: Path, project: Path) -> None:
    home = bare_home(tmp_path / "home")
    before = {
        p: p.read_text("utf-8") for p in (home / "policy.yml", *(home / "templates").iterdir())
    }
    done = json_of("import", str(project), "--home", str(home))
    assert (done["examples"], done["intents"]) == (3, 2)
    assert (done["templates"], done["entities"]) == (2, 2)
    written = datasets.read_examples(home / "dialogs" / "rasa_import.csv")
    assert [(e.text, e.intent) for e in written] == [
        ("hello, you", "greet"),
        ("hi", "greet"),
        ("drop my tent", "cancel_order"),
    ]
    place = Home(Settings.load(home))
    entities = place.policy().content.entities
    assert entities["gear"] == {"tent": ("帐篷",)}
    assert entities["voucher"] == "V-\\d+"
    texts = place.templates().texts
    greetings = [[one.text for one in texts[code]["greet"]] for code in ("en", "zh")]
    assert greetings == [["Hello: {name}"], ["你好"]]
    assert place.templates().title("greet", "en") == "Say hello"
    whys = {item["where"]: item["why"] for item in done["skipped"]}
    assert "stays" in whys["templates/en.yml: cancel_order"]
    assert "stays" in whys["policy.yml: entity order_number"]
    assert "built in" in whys["policy.yml: entity date"]
    assert any("greet: template" in note for note in done["notes"])
    for path, text in before.items():  # every line is still there, comments too
        lines = path.read_text("utf-8").splitlines()
        assert [line for line in text.splitlines() if line not in lines] == []


def test_importing_twice_changes_nothing(tmp_path: Path, project: Path) -> None:
    home = tmp_path / "home"
    first = importer.import_into(home, project)
    content = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    again = importer.import_into(home, project)
    assert (first.examples, again.examples) == (3, 0)
    assert (again.files, again.templates, again.entities) == ([], 0, 0)
    assert content == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_awkward_texts_reach_the_home_as_they_are(tmp_path: Path) -> None:
    texts = ['say "yes", then\nno', "a\r\nb", "- dash: 'x'", "press [ok](now)", "退货，😀"]
    out = tmp_path / "nlu.yml"
    examples = [datasets.Example(text, "on", "x") for text in texts]
    out.write_bytes(yaml_export.nlu_yaml(examples).encode())
    importer.import_into(tmp_path / "home", out)
    read = datasets.read_examples(tmp_path / "home" / "dialogs" / "rasa_import.csv")
    assert [(e.text, e.intent) for e in read] == [(text, "on") for text in texts]


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
    read = yaml.safe_load(after)
    assert read["entities"]["new"] == {"values": {"x": ["y"]}}
    if key:
        assert read["entities"][key] == "x"
    for comment in ("# kept", "# mine", "# also kept", "# none yet"):
        assert (comment in before) == (comment in after)
    rest = {k: v for k, v in (yaml.safe_load(before) or {}).items() if k != "entities"}
    assert {k: v for k, v in read.items() if k != "entities"} == rest


def test_a_file_nothing_can_be_added_to_is_left_alone(tmp_path: Path, project: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    policy = home / "policy.yml"
    policy.write_text("{version: 1, entities: {order_number: 'A1'}}\n", "utf-8")
    done = importer.import_into(home, project)
    assert policy.read_text("utf-8") == "{version: 1, entities: {order_number: 'A1'}}\n"
    assert done.entities == 0
    assert any("voucher" in note and "policy.yml" in note for note in done.notes)


def test_the_demo_survives_the_way_to_rasa_and_back(tmp_path: Path) -> None:
    home = bare_home(tmp_path / "home")
    out = tmp_path / "out"
    done = json_of("rasa-export", str(out), "--home", str(home))
    files = datasets.training_files(home / "dialogs")
    examples = [e for path in files for e in datasets.read_examples(path)]
    read = rasa.read(out)
    assert sorted((e.text, e.intent) for e in read.examples) == sorted(
        (e.text, e.intent) for e in examples
    )
    assert done["examples"] == len(examples)
    fresh = tmp_path / "fresh"
    skipped = json_of("import", str(out), "--home", str(fresh))["skipped"]
    assert [item["where"] for item in skipped] == ["domain.yml: actions"]
    pairs = [(e.text, e.intent) for e in datasets.read_examples(fresh / "dialogs/rasa_import.csv")]
    assert sorted(pairs) == sorted((e.text.strip(), e.intent) for e in examples)
    assert home_export.read_templates(fresh / "templates") == home_export.read_templates(
        home / "templates"
    )
    again = careline("rasa-export", str(out), "--home", str(home))
    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_our_own_formats_are_copied_when_they_can_be_read(tmp_path: Path) -> None:
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


def test_lint_says_what_is_wrong_and_writes_clean_copies(home: Home, tmp_path: Path) -> None:
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
    place = ("--home", str(home.path))
    done = json_of("lint", str(file), "--fix", str(tmp_path / "clean"), *place)
    assert (done["files"], done["examples"]) == ([str(file)], 27)
    kinds = {finding["kind"]: finding for finding in done["findings"]}
    assert {"duplicate", "label_error", "personal_data"} <= set(kinds)
    accused = kinds["label_error"]
    assert (accused["rows"], accused["suggestion"]) == (["texts.csv:26"], "hours")
    assert "ann@" not in json.dumps(done)
    assert done["fixed"]["duplicates_removed"] == 1
    assert "[email] wants" in (tmp_path / "clean" / "texts.csv").read_text("utf-8")
    assert file.read_bytes() == before
    report = careline("lint", str(file), *place)
    assert report.returncode == 0
    assert "texts.csv:26" in report.stdout
    assert "ann@" not in report.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "nowhere.yml"), "nowhere.yml"),
        (("import", "pyproject.toml"), ".jsonl"),
        (("lint", "nowhere.csv"), "nowhere.csv"),
        (("lint",), "dialogs"),
        (("rasa-export", "somewhere"), "dialogs"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = careline(*words, environment={"CARELINE_HOME": str(tmp_path / "bare")})
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
