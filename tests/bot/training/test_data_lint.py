"""The linter: what it finds in texts, whom it accuses, and what it leaves alone."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.training import data_cleaning, data_lint, data_lint_report, data_lint_rows, text_defects
from bot.training.data_lint import LintFinding, OutOfFoldPredictions
from bot.training.data_lint_rows import DataSplit, LabelledRow
from bot.training.datasets import Example, is_held_back

LEARNED = next(f"c{n}" for n in range(99) if not is_held_back(f"c{n}"))
TESTED = next(f"c{n}" for n in range(99) if is_held_back(f"c{n}"))


def table(path: Path, *rows: tuple[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("text", "intent"), *rows])
    return path


def talk(identifier: str, *turns: tuple[str, str | None]) -> str:
    """Return a conversation; a turn without an intent is the bot's."""
    made = [
        {"role": "customer", "text": text, "intent": intent}
        if intent
        else {"role": "bot", "text": text}
        for text, intent in turns
    ]
    return json.dumps({"id": identifier, "turns": made}) + "\n"


def found(rows: Sequence[LabelledRow], kind: str) -> list[LintFinding]:
    return [finding for finding in data_lint.examine(rows, None, ()) if finding.kind == kind]


def sources(rows: Sequence[LabelledRow], findings: Sequence[LintFinding]) -> list[list[str]]:
    return [[rows[i].source for i in finding.rows] for finding in findings]


def test_duplicates_and_contradictions_name_file_and_row(tmp_path: Path) -> None:
    file = table(
        tmp_path / "a.csv",
        ("where is it", "order"),
        ("where is it", "order"),
        ("Money back!", "refund"),
        ("money back", "cancel"),
        ("money back", "refund"),
    )
    rows = data_lint_rows.read([file])
    assert sources(rows, found(rows, "duplicate")) == [["a.csv:2", "a.csv:3"]]
    conflict = found(rows, "conflict")[0]
    assert sources(rows, [conflict]) == [["a.csv:4", "a.csv:5", "a.csv:6"]]
    assert (conflict.intent, conflict.other, conflict.suggestion) == ("refund", "cancel", "refund")


def test_the_same_words_after_other_words_are_neither(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    first = talk(LEARNED, ("my order is late", "order"), ("cancel it?", None), ("yes", "cancel"))
    second = talk(LEARNED, ("a return", "return"), ("a label?", None), ("yes", "return"))
    file.write_text(first + second, "utf-8")
    rows = data_lint_rows.read([file])
    assert [row.text for row in rows].count("yes") == 2
    assert found(rows, "conflict") == found(rows, "duplicate") == []


def test_leaks_are_found_across_all_parts_but_not_small_talk(tmp_path: Path) -> None:
    train = table(
        *(tmp_path / "a.csv", ("My parcel 12 did not arrive", "order"), ("hi there", "greet")),
        *(("how long does a refund take", "refund"), ("thank you", "thanks")),
    )
    valid = table(
        tmp_path / "v.csv", ("my parcel 977 did not arrive!", "order"), ("hi there", "greet")
    )
    talks = tmp_path / "t.jsonl"
    asked = (("how long does a refund take", "refund"), ("thank you", "thanks"))
    talks.write_text(talk(TESTED, *asked), "utf-8")
    rows = data_lint_rows.read([train, talks], valid)
    assert [row.split for row in rows] == [DataSplit.TRAIN] * 4 + [DataSplit.HELD_BACK] * 2 + [
        DataSplit.VALID
    ] * 2
    exact = sources(rows, found(rows, "leak"))
    assert exact == [["a.csv:3", "v.csv:3"], ["a.csv:4", f"t.jsonl:{TESTED} turn 1"]]
    assert sources(rows, found(rows, "near_leak")) == [["a.csv:2", "v.csv:2"]]


def test_small_and_lopsided_classes_are_counted(tmp_path: Path) -> None:
    big = [(f"number {n}", "big") for n in range(130)]
    usual = [(f"{name} {n}", name) for name in ("b", "c", "d") for n in range(10)]
    rows = data_lint_rows.read([table(tmp_path / "a.csv", *big, *usual, ("one", "tiny"))])
    assert [(f.intent, f.count) for f in found(rows, "tiny_class")] == [("tiny", 1)]
    assert [(f.intent, f.count) for f in found(rows, "unbalanced")] == [("big", 130)]


def test_texts_without_text_are_found_and_not_raised(tmp_path: Path) -> None:
    rows = data_lint_rows.read(
        [table(tmp_path / "a.csv", ("", "a"), ("x", "a"), ("fine", ""), ("y" * 1500, "a"))]
    )
    assert [len(found(rows, kind)) for kind in ("empty", "short", "no_intent", "long")] == [1] * 4


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("itâ€™s broken", "it’s broken"),
        ("cafÃ© 5 â‚¬", "café 5 €"),
        ("ðŸ˜€ hi", "😀 hi"),
        ("鎴戠殑璁㈠崟", "我的订单"),
        ("lost \ufffd letter", None),
        ("a &amp; b", "a & b"),
        ("bell\x07", "bell"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_damaged_characters_are_told_and_mended_where_that_is_clear(
    text: str, mended: str | None
) -> None:
    damaged = text_defects.find_damage(text)
    assert damaged is not None
    assert damaged[1] == mended


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Où est ma commande à Zürich ?",
            "«CAFÉ» naïve €5 – “ok” 👩‍👩‍👧",
            "我想退货，怎么办？",
            "联通的号码",
        ),
        *("訂單在哪裡", "AT&T is fine", "Ünïcödé", "line\nbreak\tand tab", "SÃO PAULO"),
    ],
)
def test_honest_characters_are_not_accused(text: str) -> None:
    assert text_defects.find_damage(text) is None


def test_personal_data_are_found_and_never_printed(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", ("write to ann@example.com", "contact"), ("hello", "greet"))
    rows = data_lint_rows.read([file])
    finding = found(rows, "personal_data")[0]
    assert finding.suggestion == "[email]"
    printed = data_lint_report.report(data_lint.examine(rows, None, ()), rows, 1)
    assert "[email]" in printed
    said = json.dumps(finding.as_json(rows))
    assert "ann@example.com" not in printed + said
    assert finding.as_json(rows)["rows"] == ["a.csv:2"]


def planted(seed: int = 0) -> tuple[list[Example], NDArray[np.float32], list[int]]:
    """Return texts of four intents with vectors that agree, and which labels were made wrong."""
    rng = np.random.default_rng(seed)
    names = ("order", "refund", "hours", "card")
    centres = np.eye(16, dtype=np.float32)[:4]
    truth = np.repeat(np.arange(4), 30)
    vectors = centres[truth] + rng.normal(scale=0.15, size=(120, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = [3, 40, 41, 77, 100, 118]
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + 1) % 4
    examples = [
        Example(f"{names[t]} question number {i}", names[label], f"a.csv:{i}")
        for i, (t, label) in enumerate(zip(truth, labels, strict=True))
    ]
    return examples, vectors, wrong


def test_wrong_labels_lead_the_ranking() -> None:
    examples, vectors, wrong = planted()
    order = data_lint.rank_by_suspicion(
        [e.text for e in examples], [e.intent for e in examples], vectors
    )
    assert sorted(order.tolist()) == list(range(120))
    assert set(order[: len(wrong)].tolist()) == set(wrong)


def test_wrong_labels_are_named_with_the_right_one() -> None:
    examples, vectors, wrong = planted()
    judged = data_lint.predict_out_of_fold(examples, vectors)
    accused = {row: judged.classes[better] for row, better, _ in data_lint.label_errors(judged)}
    names = {row: examples[row].text.split()[0] for row in wrong}
    assert accused.items() <= names.items()
    assert len(accused) >= len(wrong) - 1


def test_suspicion_is_what_is_missing_to_full_belief() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [1.0, 0.0]])
    targets = np.array([0, 0, 1])
    assert data_lint.suspicion(probabilities, targets) == pytest.approx([0.1, 0.8, 1.0])


def test_tiny_classes_accuse_nobody() -> None:
    probabilities = np.array([[0.95, 0.05]] * 9 + [[0.95, 0.05]])
    targets = np.array([0] * 9 + [1])
    assert data_lint.label_errors(OutOfFoldPredictions(probabilities, targets, ("a", "b"))) == []


def test_intents_that_are_taken_for_each_other_are_a_pair() -> None:
    sure, unsure = [0.9, 0.05, 0.05], [0.4, 0.5, 0.1]
    probabilities = np.array(
        [sure] * 14 + [unsure] * 6 + [[0.1, 0.8, 0.1]] * 20 + [[0, 0, 1.0]] * 20
    )
    targets = np.repeat([0, 1, 2], 20)
    pairs = list(
        data_lint.find_confused(OutOfFoldPredictions(probabilities, targets, ("a", "b", "c")))
    )
    assert [pair[:3] for pair in pairs] == [(0, 1, 6)]
    assert pairs[0][3] == pytest.approx(6 / 40)


def test_too_few_texts_are_not_judged(tmp_path: Path) -> None:
    same = [("the same", "a")] * 9
    other = [(f"other {n}", "b") for n in range(9)]
    rows = data_lint_rows.read([table(tmp_path / "a.csv", *same, *other)])
    assert data_lint.usable_rows(rows) == []
    rows += data_lint_rows.read(
        [table(tmp_path / "b.csv", *((f"third {n}", "c") for n in range(9)))]
    )
    assert len(data_lint.usable_rows(rows)) == 27


def test_cleaning_removes_repetitions_and_asks_about_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "id,text,intent\n1,where is it,order\n2,where is it,order\n3,money back,refund\n"
        "4,money back,cancel\n5,,order\n6,call 0171 2345678 please,human\n7,stop it,order\n",
        "utf-8",
    )
    before = file.read_bytes()
    rows = data_lint_rows.read([file])
    accused = next(i for i, row in enumerate(rows) if row.text == "stop it")
    sure = LintFinding(
        "label_error", (accused,), "order", "cancel", score=0.95, suggestion="cancel"
    )
    findings = [*data_lint.examine(rows, None, ()), sure]
    done = data_cleaning.write(rows, data_cleaning.plan(rows, findings), [file], tmp_path / "clean")
    assert (tmp_path / "clean" / "a.csv").read_text("utf-8") == (
        "id,text,intent\n1,where is it,order\n6,call [phone] please,human\n"
    )
    with (tmp_path / "clean" / "review.csv").open(encoding="utf-8", newline="") as review:
        asked = [(r["text"], r["reason"], r["suggestion"]) for r in csv.DictReader(review)]
    assert [text for text, _, _ in asked] == ["money back", "money back", "", "stop it"]
    assert "cancel, refund" in asked[0][1]
    assert asked[3][2] == "cancel"
    assert (done.kept, done.duplicates_removed, done.moved_to_review, done.redacted) == (2, 1, 4, 1)
    assert file.read_bytes() == before


def test_an_unsure_accusation_and_a_tested_label_stay(tmp_path: Path) -> None:
    train = table(tmp_path / "a.csv", ("one text", "x"), ("two texts", "y"))
    valid = table(tmp_path / "v.csv", ("three texts", "x"))
    rows = data_lint_rows.read([train], valid)
    findings = [
        LintFinding("label_error", (0,), "x", "y", score=0.6, suggestion="y"),
        LintFinding("label_error", (2,), "x", "y", score=0.99, suggestion="y"),
    ]
    assert data_cleaning.plan(rows, findings).doubts == {}


def test_a_doubted_turn_loses_its_intent_and_its_conversation_stays_whole(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    turns = (("mail a@b.example", "contact"), ("Sure.", None), ("money back", "refund"))
    file.write_text(talk(LEARNED, *turns), "utf-8")
    rows = data_lint_rows.read([file])
    finding = LintFinding("label_error", (1,), "refund", "cancel", score=0.99, suggestion="cancel")
    data_cleaning.write(rows, data_cleaning.plan(rows, [finding]), [file], tmp_path / "clean")
    clean = json.loads((tmp_path / "clean" / "t.jsonl").read_text("utf-8"))
    assert [turn["text"] for turn in clean["turns"]] == ["mail [email]", "Sure.", "money back"]
    assert [turn.get("intent") for turn in clean["turns"]] == ["contact", None, None]


def test_cleaned_copies_never_land_on_something(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", ("one", "x"))
    rows = data_lint_rows.read([file])
    planned = data_cleaning.plan(rows, [])
    with pytest.raises(CarelineError, match="not empty"):
        data_cleaning.write(rows, planned, [file], tmp_path)
    with pytest.raises(CarelineError, match="twice"):
        data_cleaning.write(rows, planned, [file, file], tmp_path / "new")
