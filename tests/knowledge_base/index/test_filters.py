from datetime import date
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.documents import Document
from knowledge_base.index.filters import FilterFields, PassageFilter

DOCUMENTS = (
    Document("open", "Open", "text", language="en", tags=("a",)),
    Document("zh", "中", "文", language="zh", tags=("a", "b")),
    Document("staff", "Staff", "text", audience="staff"),
    Document("trade", "Trade", "text", audience="business", language="en"),
    Document("old", "Old", "text", valid_until="2026-01-31"),
    Document("soon", "Soon", "text", valid_from="2026-12-01"),
)


def fitting(**wanted: object) -> set[str]:
    found = FilterFields.from_documents(DOCUMENTS).matching_rows(PassageFilter(**wanted))  # type: ignore[arg-type]
    rows = np.ones(len(DOCUMENTS), dtype=bool) if found is None else found
    return {document.id for document, fits in zip(DOCUMENTS, rows, strict=True) if fits}


ALL = {document.id for document in DOCUMENTS}


def test_an_empty_filter_asks_for_nothing() -> None:
    assert FilterFields.from_documents(DOCUMENTS).matching_rows(PassageFilter()) is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"languages": frozenset({"zh"})}, ALL - {"open", "trade"}),
        ({"audiences": frozenset({"business"})}, ALL - {"staff"}),
        ({"tags": frozenset({"a"})}, {"open", "zh"}),
        ({"tags": frozenset({"b", "c"})}, {"zh"}),
        ({"hidden": frozenset({"staff"})}, ALL - {"staff"}),
        ({"on": date(2026, 1, 31)}, ALL - {"soon"}),
        ({"on": date(2026, 2, 1)}, ALL - {"soon", "old"}),
        ({"on": date(2026, 12, 1)}, ALL - {"old"}),
    ],
)
def test_a_filter_lets_through_what_fits(wanted: dict[str, object], expected: set[str]) -> None:
    assert fitting(**wanted) == expected


def test_customers_read_neither_what_is_for_staff_nor_what_does_not_hold_today() -> None:
    found = FilterFields.from_documents(DOCUMENTS).matching_rows(
        PassageFilter.public(date(2026, 6, 1))
    )
    assert found is not None
    assert [d.id for d, fits in zip(DOCUMENTS, found, strict=True) if fits] == [
        "open",
        "zh",
        "trade",
    ]


def test_saved_facts_are_the_same(tmp_path: Path) -> None:
    facts = FilterFields.from_documents(DOCUMENTS)
    facts.save(tmp_path / "facts.npz")
    again = FilterFields.load(tmp_path / "facts.npz")
    wanted = PassageFilter(tags=frozenset({"b"}), on=date(2026, 6, 1))
    assert np.array_equal(
        np.asarray(facts.matching_rows(wanted)), np.asarray(again.matching_rows(wanted))
    )


def test_documents_without_any_facts_can_be_saved(tmp_path: Path) -> None:
    FilterFields.from_documents([Document("a", "A", "text")]).save(tmp_path / "facts.npz")
    assert FilterFields.load(tmp_path / "facts.npz").matching_rows(PassageFilter()) is None
