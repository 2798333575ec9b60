"""The commands about the quality of the knowledge, run in a shell."""

from bot.container import Home
from tests.shell import careline, json_of


def test_the_check_quotes_the_passages_of_its_findings(home: Home) -> None:
    report = json_of("kb", "check", "--home", str(home.path))
    assert set(report) == {"findings", "articles", "passages"}
    assert report["articles"] > 50
    assert report["passages"] >= report["articles"]
    texts = {row["id"]: row["sha256"] for row in json_of("articles", "--home", str(home.path))}
    for finding in report["findings"]:
        assert {"kind", "severity", "articles", "passages", "advice"} <= set(finding)
        assert set(finding["articles"]) <= set(texts)
        for passage in finding["passages"]:
            assert set(passage) == {"article", "start", "end", "quote"}
            assert passage["end"] - passage["start"] == len(passage["quote"])
    assert "never_retrieved" not in {finding["kind"] for finding in report["findings"]}


def test_unanswered_questions_are_clustered(home: Home) -> None:
    option = ("--home", str(home.path))
    assert json_of("kb", "gaps", *option) == {"clusters": [], "questions": 0}
    policy = home.path / "policy.yml"
    strict = policy.read_text("utf-8").replace("evidence: 0.08", "evidence: 1.0")
    policy.write_text(strict.replace("search_evidence: 0.3", "search_evidence: 1.0"), "utf-8")
    question = "which boot size fits a wide foot"
    turn = json_of("ask", question, *option)
    assert turn["reason"] == "no_evidence"
    gaps = json_of("kb", "gaps", "--days", "7", *option)
    (cluster,) = gaps["clusters"]
    assert set(cluster) == {*("name", "count", "language", "first", "last", "examples", "nearest")}
    assert (gaps["questions"], cluster["count"], cluster["examples"]) == (1, 1, [question])
    assert set(cluster["nearest"]) == {"article", "score"}
    text = careline("kb", "gaps", *option).stdout
    assert question in text
    assert "1 unanswered questions in 1 clusters" in text
    kinds = {f["kind"] for f in json_of("kb", "check", *option)["findings"]}
    assert "never_retrieved" in kinds  # now the log has a retrieved article


def test_the_text_ends_with_a_summary(home: Home) -> None:
    done = careline("kb", "check", "--home", str(home.path))
    assert done.returncode == 0
    assert "passages: " in done.stdout.splitlines()[-1]


def test_the_error_without_knowledge_is_one_line() -> None:
    done = careline("kb", "check", environment={"CARELINE_HOME": "/nonexistent/home"})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
