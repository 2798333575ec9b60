"""Rasa projects: reading, reported items, and an export and import without loss."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.types import CarelineError
from bot.integrations.rasa import project as rasa
from bot.integrations.rasa import yaml_export
from bot.training.datasets import Example

NLU = r"""
version: "3.1"
nlu:
- intent: greet   # said first
  examples: |
    - hello
    - - hi: there
    - 你好，[小张](name)
    no dash
- intent: book
  metadata: {sentiment: neutral}
  examples:
  - text: |
      from [berlin]{"entity": "city", "value": "Berlin", "role": "from"} to [Rome](city:Roma)
    metadata: {sentiment: neutral}
  - text: "[LA][{\"entity\": \"city\", \"role\": \"to\"}, {\"entity\": \"code\"}] please"
  - text: a [b]{no json} c
- intent: on
  examples: |
    - lights on
- intent: faq/price
  examples: |
    - what does it cost
- synonym: Los Angeles
  examples: |
    - LA
    - city of angels
- synonym: nowhere
  examples: |
    - limbo
- regex: order
  examples: |
    - A\d{5}
    - B\d{4}
- regex: broken
  examples: |
    - (
- lookup: city
  examples: |
    - Oslo
- lookup: shop
  examples: shops.txt
- lookup: lost
  examples: |
    - lost.txt
"""
DOMAIN = """
version: "3.1"
intents:
- greet
- book: {use_entities: []}
entities: [city, order, mood]
slots:
  town: {type: text, mappings: [{type: from_entity, entity: city}]}
responses:
  utter_greet:
  - text: "Hello {name}, a brace: { and"
  - text: 你好！
  - text: Hey
    condition: [{type: slot, name: vip, value: "true"}]
  - text: Yo
    channel: slack
  utter_book:
  - text: "Where to?"
    buttons:
    - {title: Book it, payload: /book}
    - {title: To Rome, payload: '/book{"city": "Rome"}'}
    translation: {zh: 去哪里？, fr: Où ?}
  utter_picture:
  - image: https://example.com/a.png
rules:
- rule: greet
  steps: []
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text(NLU, "utf-8")
    (tmp_path / "data" / "shops.txt").write_text("Main Street\n\nHarbour\n", "utf-8")
    (tmp_path / "domain.yml").write_text(DOMAIN, "utf-8")
    (tmp_path / "config.yml").write_text("pipeline: []\n", "utf-8")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "old.yml").write_text("nlu: [", "utf-8")
    return tmp_path


def test_only_annotations_are_removed_from_examples(project: Path) -> None:
    examples = [(e.text, e.intent) for e in rasa.read(project).examples]
    assert examples == [
        ("hello", "greet"),
        ("- hi: there", "greet"),
        ("你好，小张", "greet"),
        ("from berlin to Rome", "book"),
        ("LA please", "book"),
        ("a [b]{no json} c", "book"),
        ("lights on", "on"),
        ("what does it cost", "faq/price"),
    ]


def test_entities_come_from_tables_annotations_synonyms_and_regexes(project: Path) -> None:
    result = rasa.read(project)
    assert result.lists["city"] == {
        "Oslo": (),
        "Berlin": ("berlin",),
        "Roma": ("Rome",),
        "Los Angeles": ("LA", "city of angels"),
    }
    assert result.lists["shop"] == {"Main Street": (), "Harbour": ()}
    assert set(result.patterns) == {"order"}
    assert re.fullmatch(result.patterns["order"], "B1234")
    assert not re.fullmatch(result.patterns["order"], "B12345")


def test_responses_have_a_language_and_titles_come_from_buttons(project: Path) -> None:
    result = rasa.read(project)
    assert [(r.name, r.language, r.text) for r in result.responses] == [
        ("greet", "en", "Hello {name}, a brace: {{ and"),
        ("greet", "zh", "你好！"),
        ("book", "en", "Where to?"),
        ("book", "zh", "去哪里？"),
    ]
    assert result.titles == {"book": "Book it"}


def test_skipped_items_are_reported_with_the_reason(project: Path) -> None:
    skipped = {item.where: item.why for item in rasa.read(project).skipped}
    assert "dash" in skipped["data/nlu.yml: intent greet example 4"]
    assert "no annotation" in skipped["data/nlu.yml: intent book example 3"]
    assert "lost.txt" in skipped["data/nlu.yml: lookup lost"]
    assert "regular expression" in skipped["regex broken"]
    assert "no entity" in skipped["synonym nowhere"]
    assert "neither a pattern" in skipped["entity mood"]
    assert "city" in skipped["domain.yml: slot town"]
    assert "rules" in skipped["domain.yml: rules"]
    whys = [item.why for item in rasa.read(project).skipped]
    for word in ("condition", "slack", "image", "To Rome", "fr"):
        assert any(word in why for why in whys), word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nlu:\n- intent: a\n  examples: |\n  - broken\n", "line 4"),
        ("nlu:\n- intent: [a\n", "line 3"),
        ("- just\n- a list\n", "line 1"),
        ("nlu: \x01\n", "line 1"),
        ("pipeline: []\n", "nothing of Rasa"),
        ("? [a]\n: b\n", "line 1"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_the_error_of_a_malformed_file_names_file_and_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    file = tmp_path / "nlu.yml"
    file.write_text(text, "utf-8")
    with pytest.raises(CarelineError) as caught:
        rasa.read(file)
    message = str(caught.value)
    assert expected in message
    assert str(file) in message
    assert "\n" not in message


def test_the_error_for_other_files_says_what_to_do(tmp_path: Path) -> None:
    errors = {"nlu.md": "rasa data convert", "x.xls": ".csv", "none.yml": "no file"}
    for name, error in errors.items():
        if name != "none.yml":
            (tmp_path / name).write_text("## intent:a\n", "utf-8")
        with pytest.raises(CarelineError, match=error):
            rasa.read(tmp_path / name)


def test_a_future_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nlu.yml"
    file.write_text('version: "9.0"\nnlu: []\n', "utf-8")
    with pytest.raises(CarelineError):
        rasa.read(file)


NAMES = st.from_regex(r"[a-z][a-z_]{0,9}(/[a-z_]{1,5})?", fullmatch=True) | st.sampled_from(
    ["on", "no", "1e3", "0o14", "null", "退款", "a: b", "# x", "~", "2.5", "yes"]
)
PIECES = st.sampled_from(
    [
        *(
            "[b](c)",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            '{"entity": "x"}',
            "- ",
            "-",
            ": ",
            "'",
            '"',
            "#",
        ),
        *(
            "\n",
            "\r\n",
            "\t",
            " ",
            "你好",
            "。",
            "😀",
            "👩‍👩‍👧",
            "\u2028",
            "\x85",
            "\\n",
            "|",
            ">",
            "${HOME}",
        ),
        *("[a][{", "}]", "\ufeff", "\x07", "%", "@", "&a", "*a", "!!int 3", "---", "...", "no"),
    ]
)
CHARACTERS = st.characters(codec="utf-8")
TEXTS = (
    st.lists(PIECES | st.text(CHARACTERS, max_size=4), min_size=1, max_size=8)
    .map("".join)
    .filter(lambda text: bool(text.strip()))
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXTS, NAMES), min_size=1, max_size=8))
@example([('say [b](c) and [d]{"entity": "e"}', "on"), ("- x: 'y'\n😀 \"退\"", "on")])
def test_export_and_import_keep_texts_and_intents_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    file = tmp_path_factory.mktemp("rasa") / "nlu.yml"
    file.write_bytes(yaml_export.nlu_yaml(Example(*row, "x") for row in rows).encode())
    imported = rasa.read(file)
    expected = sorted(rows, key=lambda row: [intent for _, intent in rows].index(row[1]))
    assert [(e.text, e.intent) for e in imported.examples] == expected
    assert imported.skipped == ()


def test_a_text_that_looks_like_an_annotation_is_exported_without_one() -> None:
    text = yaml_export.nlu_yaml([Example("press [ok](now)", "help", "x")])
    exported = yaml.safe_load(text)["nlu"][0]["examples"][0]
    assert rasa.ANNOTATION.search(exported["text"]) is None
    assert exported["text"].replace("\u2060", "") == "press [ok](now)"


def test_the_exported_files_have_the_format_of_rasa() -> None:
    lists = {"colour": {"grey": ("gray", "灰色"), "black": ()}}
    examples = [Example("hello", "greet", "x"), Example("price?", "faq/price", "x")]
    nlu = yaml.safe_load(yaml_export.nlu_yaml(examples, {"order": r"A\d{5}"}, lists))
    assert nlu["version"] == "3.1"
    for item in nlu["nlu"]:
        assert set(item) in ({k, "examples"} for k in ("intent", "regex", "lookup", "synonym"))
        assert all(line.startswith("- ") for line in item["examples"].splitlines())
    domain = yaml.safe_load(
        yaml_export.domain_yaml(
            ["greet", "faq/price"],
            {"en": {"greet": ["Hi", "Hello 😀"]}, "zh": {"greet": ["你好"]}},
            ["order", "colour"],
            ["action_look"],
        )
    )
    assert domain["intents"] == ["greet", "faq"]
    assert [v["text"] for v in domain["responses"]["utter_greet"]] == ["Hi", "Hello 😀", "你好"]
    assert domain["slots"]["order"]["mappings"] == [{"type": "from_entity", "entity": "order"}]
    assert domain["actions"] == ["action_look"]


def test_lists_and_patterns_survive_export_and_import(tmp_path: Path) -> None:
    lists = {"colour": {"grey": ("gray", "灰色"), "black": ()}}
    examples = [Example("hello", "greet", "x")]
    file = tmp_path / "nlu.yml"
    file.write_text(yaml_export.nlu_yaml(examples, {"order": r"A\d{5}"}, lists), "utf-8")
    result = rasa.read(file)
    assert (dict(result.lists), dict(result.patterns)) == (lists, {"order": r"A\d{5}"})
