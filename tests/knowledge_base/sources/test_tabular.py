import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources.document_builder import SourceFailure
from knowledge_base.sources.tabular import read_csv, read_jsonl


def rows(source: str) -> dict[str, str]:
    return {d.id: d.text for d in read_csv(source, "faq.csv") if isinstance(d, Document)}


def failures(source: str) -> list[str]:
    return [f.error for f in read_csv(source, "faq.csv") if isinstance(f, SourceFailure)]


HEAD = "question,answer,tags\n"


def test_a_broken_row_is_named_and_the_rest_is_read() -> None:
    source = (
        HEAD + 'Q1,A1,\nQ2,"no end\nQ3,A3,\nQ4,A4, with a comma,t\nQ5,"A""5",\nQ6,"a"b,\nQ7,A7\n'
    )
    assert rows(source) == {
        "faq.csv#1": "A1", "faq.csv#3": "A3", "faq.csv#5": 'A"5', "faq.csv#7": "A7"
    }  # fmt: skip
    first, second, third = failures(source)
    assert first.startswith("row 2 (line 3): it is not CSV")
    assert second.startswith("row 4 (line 5): it has 4 cells and the first row 3")
    assert third.startswith("row 6 (line 7): it is not CSV")


def test_a_wrong_date_costs_its_row_alone() -> None:
    source = "question,answer,valid_until\nQ1,A1,2026-13-01\nQ2,A2,2026-12-31\n"
    assert list(rows(source)) == ["faq.csv#2"]
    (only,) = failures(source)
    assert "row 1" in only
    assert "2026-13-01" in only


def test_validity_language_tags_and_audience_are_columns() -> None:
    source = (
        "Question;Answer;valid_from;valid_until;language;audience;tags\n"
        "Q;A;2026-01-01;2026-12-31;en;members;gift cards, vouchers\n"
    )
    (only,) = read_csv(source, "faq.csv")
    assert isinstance(only, Document)
    assert (only.valid_from, only.valid_until) == ("2026-01-01", "2026-12-31")
    assert (only.language, only.audience, only.tags) == (
        "en",
        "members",
        ("gift cards", "vouchers"),
    )


def test_a_row_may_have_line_breaks_and_rows_keep_their_numbers() -> None:
    source = HEAD + '\nQ1,"A\n\n1",\n\nQ2,,\nQ3,A3,\n'
    assert rows(source) == {"faq.csv#1": "A\n\n1", "faq.csv#3": "A3"}


def test_many_broken_rows_are_counted() -> None:
    found = failures(HEAD + "a,b,c,d\n" * 250)
    assert len(found) == 101
    assert found[-1] == "150 more rows are broken like these"


@pytest.mark.parametrize("source", ["", "sku,count\n1,2", '"open\nquestion,answer\n'])
def test_a_table_without_questions_says_so(source: str) -> None:
    with pytest.raises(KnowledgeError, match="question and answer"):
        list(read_csv(source, "faq.csv"))


@given(st.lists(st.tuples(st.text("ab,\"'\n;", max_size=12), st.text('cd,"\n', max_size=12))))
def test_what_a_csv_writer_writes_is_read_back(pairs: list[tuple[str, str]]) -> None:
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("question", "answer"), *pairs])
    expected = [a.strip() for q, a in pairs if q.strip() and a.strip()]
    assert list(rows(out.getvalue()).values()) == expected
    assert not failures(out.getvalue())


def jsonl(*lines: object) -> list[Document | SourceFailure]:
    source = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return list(read_jsonl(source, "kb.jsonl"))


def test_a_broken_line_is_named_and_the_rest_is_read() -> None:
    found = jsonl(
        {"id": "a", "text": "One."}, "{not json", [1], {"id": "b"}, {"text": "No id."},
        {"id": "", "text": "x"}, {"id": "c", "text": ["x"]}, {"id": "d", "text": "x", "tags": 3},
        {"id": "e", "text": "x", "valid_until": "soon"}, {"id": "z", "text": "Last."},
    )  # fmt: skip
    assert [d.id for d in found if isinstance(d, Document)] == ["a", "z"]
    errors = [f.error for f in found if isinstance(f, SourceFailure)]
    assert [e.split(":")[0] for e in errors] == [
        f"line {number} is not an article" for number in range(2, 10)
    ]
    assert {f.path for f in found if isinstance(f, SourceFailure)} == {"kb.jsonl"}
    assert "soon" in errors[-1]


def test_questions_and_answers_are_articles() -> None:
    first, second, third = jsonl(
        {"question": "How long?", "answer": "Two days.", "id": "faq-7", "tags": "ship, time"},
        {"question": "多久？", "answer": "两天。", "language": "zh", "audience": "members"},
        {
            "question": "Why?",
            "answer": "So.",
            "url": "https://u.example",
            "valid_from": "2026-01-01",
        },
    )
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert isinstance(third, Document)
    assert (first.id, first.title, first.text) == ("faq-7", "How long?", "Two days.")
    assert first.sections[0].headings == ("How long?",)
    assert first.tags == ("ship", "time")
    assert (second.id, second.language, second.audience) == ("kb.jsonl#2", "zh", "members")
    assert (third.url, third.valid_from) == ("https://u.example", "2026-01-01")


def test_unanswered_questions_are_left_out() -> None:
    assert jsonl({"question": "How?", "answer": ""}, {"question": "", "answer": "So."}) == []
