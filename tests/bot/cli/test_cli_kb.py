"""The commands on the state of the knowledge, as a shell runs them."""

from bot.container import Home
from tests.shell import careline, json_of


def test_a_check_names_what_is_wrong_and_quotes_it(home: Home) -> None:
    found = json_of("kb", "check", "--home", str(home.path))
    assert set(found) == {"findings", "articles", "passages"}
    assert found["articles"] > 50
    assert found["passages"] >= found["articles"]
    texts = {row["id"]: row["sha256"] for row in json_of("articles", "--home", str(home.path))}
    for finding in found["findings"]:
        assert {"kind", "severity", "articles", "passages", "advice"} <= set(finding)
        assert set(finding["articles"]) <= set(texts)
        for passage in finding["passages"]:
            assert set(passage) == {"article", "start", "end", "quote"}
            assert passage["end"] - passage["start"] == len(passage["quote"])
    assert "never_retrieved" not in {finding["kind"] for finding in found["findings"]}


def test_questions_without_an_answer_are_grouped(home: Home) -> None:
    place = ("--home", str(home.path))
    assert json_of("kb", "gaps", *place) == {"clusters": [], "questions": 0}
    policy = home.path / "policy.yml"
    strict = policy.read_text("utf-8").replace("evidence: 0.08", "evidence: 1.0")
    policy.write_text(strict.replace("search_evidence: 0.3", "search_evidence: 1.0"), "utf-8")
    asked = "which boot size fits a wide foot"
    turn = json_of("ask", asked, *place)
    assert turn["reason"] == "no_evidence"
    found = json_of("kb", "gaps", "--days", "7", *place)
    (cluster,) = found["clusters"]
    assert set(cluster) == {*("name", "count", "language", "first", "last", "examples", "nearest")}
    assert (found["questions"], cluster["count"], cluster["examples"]) == (1, 1, [asked])
    assert set(cluster["nearest"]) == {"article", "score"}
    text = careline("kb", "gaps", *place).stdout
    assert asked in text
    assert "1 questions without an answer, 1 subjects" in text
    kinds = {f["kind"] for f in json_of("kb", "check", *place)["findings"]}
    assert "never_retrieved" in kinds  # now that the log knows what was found


def test_the_words_for_people_end_with_a_summary(home: Home) -> None:
    done = careline("kb", "check", "--home", str(home.path))
    assert done.returncode == 0
    assert "passages: " in done.stdout.splitlines()[-1]


def test_without_knowledge_the_way_to_it_is_named() -> None:
    done = careline("kb", "check", environment={"CARELINE_HOME": "/nonexistent/home"})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
