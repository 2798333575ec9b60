"""The commands, run in a shell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.container import Home
from tests.conftest import ROOT
from tests.shell import careline, json_of, spawned


def test_the_help_lists_all_commands_and_loads_no_heavy_library() -> None:
    text = spawned("--help").stdout
    code = (
        "import sys, bot.cli.commands; heavy = {'torch', 'transformers', 'sklearn', 'gradio'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert loaded.stdout.strip() == "[]"
    for command in (
        *("init", "train", "ingest", "search", "articles", "ask", "chat", "serve", "replay"),
        *("versions", "migrate", "doctor", "evaluate"),
    ):
        assert f"\n  {command} " in text


def test_every_command_and_setting_has_an_entry_in_the_reference() -> None:
    from bot.core.settings import Settings

    commands = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    for line in careline("--help").stdout.split("Commands:")[1].splitlines():
        if line.startswith("  ") and line[2] != " ":
            assert f"## `careline {line.split()[0]}" in commands
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in settings] == []


def test_ask_prints_only_one_turn(home: Home) -> None:
    done = spawned("ask", "where is my order A10234", "--home", str(home.path), "--json")
    turn = json.loads(done.stdout)
    assert (turn["route"], turn["intent"]) == ("act", "order_status")
    second = json_of(
        *("ask", "and how do I return it?", "--conversation", turn["conversation_id"]),
        *("--home", str(home.path)),
    )
    assert second["conversation_id"] == turn["conversation_id"]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("ask", ""), 1, "empty"),
        (("ask", "x" * 20_000), 1, "shorten"),
        (("search", " "), 1, "empty"),
        (("ask",), 2, "Missing argument"),
        (("nonsense",), 2, "No such command"),
        (("train", "nowhere.csv"), 1, "nowhere.csv"),
        (("train", "--method", "magic"), 2, "magic"),
        (("articles",), 1, "careline ingest"),
        (("evaluate", "intents", "nowhere.csv"), 1, "careline train"),
        (("versions", "activate", "m-none"), 1, "m-none"),
        (("versions", "rollback", "models"), 1, "no earlier version"),
        (("replay", "nowhere.jsonl"), 1, "nowhere.jsonl"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    done = careline(*arguments, environment={"CARELINE_HOME": str(tmp_path / "bare")})
    assert done.returncode == code
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_new_home_can_be_trained_evaluated_and_rolled_back(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    home = str(tmp_path / "shop")
    assert json_of("init", home) == {"home": home}
    toml = Path(home, "careline.toml")
    toml.write_text(f'base = "{tiny_encoder}"\n', encoding="utf-8")
    rows = [
        *((f"please refund my money for order {n}", "refund") for n in range(12)),
        *((f"what time does shop {n} open", "hours") for n in range(12)),
        *((f"recipe number {n} for soup", "oos") for n in range(12)),
    ]
    texts = tmp_path / "texts.csv"
    texts.write_text(
        "text,intent\n" + "".join(f"{text},{intent}\n" for text, intent in rows), "utf-8"
    )
    first = json_of("train", str(texts), "--home", home, "--method", "head")
    second = json_of("train", str(texts), "--home", home, "--method", "full", "--seed", "1")
    assert (first["method"], second["method"]) == ("head", "full")
    assert second["engine"] == "onnxruntime-int8"
    assert (second["examples"], second["intents"]) == (36, 2)
    metrics = json_of("evaluate", "intents", str(texts), "--home", home, "--by", "length")
    assert metrics["n"] == 36
    assert metrics["accuracy"] > 0.9
    assert set(metrics) >= {"macro_f1", "ece", "oos", "answered", "unknown_labels", "latency_ms"}
    assert (
        metrics["peers"]["tfidf_embedding_svm"]["accuracy"]
        > metrics["peers"]["majority"]["accuracy"]
    )
    assert sum(part["n"] for part in metrics["by"]["length"].values()) == 36
    active = json_of("versions", "rollback", "models", "--home", home)
    assert active["id"] == first["version"]
    versions = json_of("versions", "list", "--kind", "models", "--home", home)
    assert [(row["id"], row["active"]) for row in versions] == [
        (first["version"], True),
        (second["version"], False),
    ]


def test_knowledge_can_be_ingested_searched_and_evaluated_without_a_model(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    home = tmp_path / "shop"
    home.mkdir()
    (home / "careline.toml").write_text(f'base = "{tiny_encoder}"\n', encoding="utf-8")
    articles = tmp_path / "articles.jsonl"
    rows = [
        {"id": "a", "title": "Opening hours", "text": "The shop opens at nine o'clock."},
        {"id": "b", "title": "退货", "text": "收货后六十天内可以退货。", "language": "zh"},
    ]
    articles.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-")
    done = json_of("ingest", str(articles), str(tmp_path / "bad.pdf"), "--home", str(home))
    assert (done["documents"], done["added"]) == (2, 2)
    assert [failure["path"] for failure in done["failed"]] == ["bad.pdf"]
    hit = json_of("search", "when does the shop open", "-k", "1", "--home", str(home))[0]
    article = json_of("articles", hit["article"], "--home", str(home))
    assert article["text"][hit["start"] : hit["end"]] == hit["text"]
    queries = tmp_path / "queries.jsonl"
    queries.write_text(
        json.dumps({"query": "可以退货吗", "relevant": ["b"]})
        + "\n"
        + json.dumps({"query": "", "relevant": ["a"]}),
        encoding="utf-8",
    )
    metrics = json_of("evaluate", "search", str(queries), "--home", str(home))
    assert (metrics["n"], metrics["skipped"], metrics["hit@1"]) == (2, 1, 0.5)
    turn = json_of("ask", "when does the shop open?", "--home", str(home))
    assert turn["route"] == "retrieve"
    assert turn["intent"] is None


def test_doctor_reports_failed_checks(home: Home) -> None:
    json_of("migrate", "--home", str(home.path))
    report = json_of("doctor", "--home", str(home.path))
    assert report["ok"] is True, report
    policy = home.path / "policy.yml"
    policy.write_text("version: 1\nroutes: {refnd: template}\n", encoding="utf-8")
    done = careline("doctor", "--home", str(home.path), "--json")
    assert done.returncode == 1
    failed = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert [check["name"] for check in failed] == ["policy"]
    assert "`refnd`" in failed[0]["message"]


def test_the_error_for_a_wrong_setting_names_it(home: Home) -> None:
    toml = home.path / "careline.toml"
    toml.write_text('composer = "poet"\nlog_levl = "info"\n', encoding="utf-8")
    done = careline("ask", "hello", "--home", str(home.path))
    assert done.returncode == 1
    assert "composer" in done.stderr
    assert "log_levl" in done.stderr


def test_chat_answers_in_the_terminal(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "chat", "--home", str(home.path)],
        input="where is my parcel\nA10234 marta.lindqvist@example.com\n\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "A10234" in done.stdout
    assert "act · slot_filled" in done.stderr
