"""The views of the workshop: both languages, and text that is escaped."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.training import data_lint, data_lint_report, data_lint_rows
from ui.i18n import CHINESE, ENGLISH
from ui.screens.workshop import lint_texts, texts, views
from ui.screens.workshop.texts import get_texts

TEXTS = get_texts(ENGLISH)
JOB: dict[str, Any] = {
    "id": "j-1",
    "task": "ingest",
    "state": "running",
    "step": "encoding",
    "done": 3,
    "total": 12,
    "ended": None,
    "error": None,
    "result": {},
}


def status(**changes: Any) -> dict[str, Any]:
    return {
        "active": {"model": "m-2", "knowledge": "k-1"},
        "served": {"model": "m-1", "knowledge": None},
        "job": {**JOB, **changes},
        "due": False,
    }


def test_both_languages_say_the_same_things() -> None:
    english, chinese = texts._EN, texts._ZH
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", chinese[name])), name
        if name.endswith("_columns"):
            assert text.count("|") == chinese[name].count("|")


def test_what_is_wrong_comes_first_with_its_line() -> None:
    problems = [
        {"message": "a <b> is odd", "line": None, "severity": "warning"},
        {"message": "no date", "line": 3, "severity": "error"},
    ]
    html = views.problems_html({"problems": problems}, TEXTS, ENGLISH)
    assert html.index("Line 3") < html.index("a &lt;b&gt; is odd")
    assert "No problems found" in views.problems_html({"problems": []}, TEXTS, ENGLISH)


def test_a_difference_shows_what_comes_and_goes_and_no_html() -> None:
    text = "--- a\n+++ b\n@@ -1 +1 @@\n-<script>old\n+new\n same"
    html = views.difference_html(text, TEXTS)
    assert "<span class='minus'>-&lt;script&gt;old</span>" in html
    assert "<span class='plus'>+new</span>" in html
    assert "--- a" not in html
    assert "No change" in views.difference_html("", TEXTS)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Building the knowledge base: encoding 3/12"),
        ({"total": 0}, "Building the knowledge base: encoding<"),
        ({"step": "a new step"}, "a new step"),
        ({"state": "failed", "error": "no <kb>"}, "<pre>no &lt;kb&gt;</pre>"),
        ({"state": "stopped"}, "was stopped"),
        (
            {
                "state": "done",
                "ended": "2026-01-31T09:30:00",
                "result": {
                    "version": "k-2",
                    "documents": 2,
                    "passages": 5,
                    "added": 1,
                    "changed": 0,
                    "removed": 0,
                    "failed": [{"path": "a.pdf", "error": "it is empty"}],
                },
            },
            "Not read: a.pdf: it is empty",
        ),
        (
            {
                "task": "train",
                "state": "done",
                "ended": "2026-01-31T09:30:00",
                "result": {"version": "m-2", "intents": 2, "examples": 9, "accuracy": None},
            },
            "accuracy –",
        ),
        ({"task": "check", "state": "done", "result": {"report": "3 texts"}}, "3 texts"),
    ],
)
def test_a_job_tells_how_far_it_is_and_how_it_ended(changes: dict[str, Any], text: str) -> None:
    assert text in views.job_html(status(**changes), TEXTS, ENGLISH)


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ({"reason": "too_few", "facts": {"examples": 3, "intents": 1}}, "样本太少：3 条文字"),
        ({"reason": "died", "facts": {"said": "Killed"}}, "可能是内存不足。\nKilled</pre>"),
        ({"reason": "no_csv", "facts": {"file": "a.csv", "row": 2, "why": "x"}}, "a.csv：第 2 行"),
        ({"reason": "", "facts": {}}, "<pre>its own words</pre>"),
        ({"reason": "of tomorrow", "facts": {}}, "<pre>its own words</pre>"),
        ({}, "<pre>its own words</pre>"),  # of a job that was done before there were any
    ],
)
def test_why_a_job_failed_is_told_in_chinese(job: dict[str, Any], text: str) -> None:
    failed = status(state="failed", error="its own words", **job)
    assert text in views.job_html(failed, get_texts(CHINESE), CHINESE)
    assert "<pre>its own words</pre>" in views.job_html(failed, TEXTS, ENGLISH)


def test_files_that_were_not_read_are_told_in_chinese() -> None:
    empty = {"path": "a.pdf", "error": "it is empty", "reason": "empty", "facts": {}}
    odd = {"path": "b.pdf", "error": "it is odd", "reason": "", "facts": {}}
    result = {"version": "k-2", "documents": 2, "passages": 5, "added": 1, "changed": 0}
    finished = status(state="done", result={**result, "removed": 0, "failed": [empty, odd]})
    chinese = views.job_html(finished, get_texts(CHINESE), CHINESE)
    assert "未能读取：a.pdf：文件是空的; b.pdf: it is odd" in chinese
    assert "Not read: a.pdf: it is empty; b.pdf: it is odd" in views.job_html(
        finished, TEXTS, ENGLISH
    )


def test_the_report_on_the_dialogs_stands_in_chinese(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [f"the same,{intent}" for intent in ("hours", "hours", "refund")]
    rows += [f"write to {n}@example.com,hours" for n in range(12)]
    file.write_text("\n".join(["text,intent", *rows, "\ufffd\ufffd,refund"]), encoding="utf-8")
    rows_read = data_lint_rows.read([file])
    findings = data_lint.examine(rows_read, None, ())
    result: dict[str, Any] = {
        "examples": len(rows_read),
        "files": ["a.csv"],
        "counts": {kind.value: 0 for kind in data_lint.LintSeverity},
        "report": data_lint_report.report(findings, rows_read, 1),
        "groups": data_lint_report.group_findings(findings, rows_read),
    }
    for finding in findings:
        result["counts"][finding.severity.value] += 1
    chinese = lint_texts.report(result, CHINESE)
    assert chinese.startswith(f"1 个文件中的 {len(rows_read)} 条文字：{len(findings)} 个问题，")
    assert "错误：个人信息（12）" in chinese
    assert "a.csv:2、a.csv:3、a.csv:4" in chinese
    assert "… 还有 2 个" in chinese
    assert "example.com" not in chinese
    words = re.sub(r"“.*?”|[ab]\.csv:\d+|hours|refund|oos|\[email\]", "", chinese)
    assert re.findall("[a-z]{2,}", words) == []
    assert lint_texts.report(result, ENGLISH) == result["report"]
    assert lint_texts.report({"report": "3 texts"}, CHINESE) == "3 texts"  # of an older check


def test_each_kind_of_finding_has_a_chinese_name() -> None:
    assert lint_texts.KINDS.keys() == data_lint_report._WORDS.keys()
    assert lint_texts.SEVERITIES.keys() == {kind.value for kind in data_lint.LintSeverity}


def test_what_is_active_and_not_served_yet_is_named() -> None:
    html = views.serving_html(status(), TEXTS)
    assert "model m-1, knowledge none" in html
    assert "Not served yet: m-2, k-1" in html
    assert (
        views.job_html({**status(), "job": None, "due": True}, TEXTS, ENGLISH).count("waiting to")
        == 1
    )


def test_a_curve_is_drawn_for_each_series_that_is_known() -> None:
    curve = {"loss": [[1, 2.0], [2, 1.0]], "validation_accuracy": [[2, 0.9]], "rate": [[1, 0.1]]}
    html = views.curve_html(curve, TEXTS)
    assert html.count("<svg") == 2
    assert "training loss" in html
    assert "2 steps" in html
    assert "训练损失" in views.curve_html(curve, get_texts(CHINESE))


def test_the_trend_needs_two_models() -> None:
    models = [{"kind": "models", "metrics": {"accuracy": value}} for value in (0.7, None, 0.8)]
    assert views.trend_html(models[:2], TEXTS) == ""
    assert views.trend_html(models, TEXTS).count("<circle") == 2


def test_a_version_tells_its_facts_and_the_articles_it_changed() -> None:
    version = {
        "id": "k-2",
        "kind": "knowledge",
        "created": "2026-01-31T09:30:00+00:00",
        "active": True,
        "metrics": {"documents": 2, "chunks": 5, "failed": 0},
        "details": {"places": ["kb", "https://shop.example"]},
        "curve": {},
        "changes": {"added": ["<new>.md"], "changed": [], "removed": []},
    }
    html = views.version_html(version, TEXTS)
    assert "kb, https://shop.example" in html
    assert "Added articles (1)" in html
    assert "&lt;new&gt;.md" in html
    assert views.version_rows([version], TEXTS)[0][:3] == ["●", "k-2", "Knowledge"]
    assert "articles 2, passages 5" in views.version_rows([version], TEXTS)[0][4]
