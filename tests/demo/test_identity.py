from typing import Any

import pytest

from tests.demo.actions import identity

MAX_TRIES, Verdict = identity.MAX_TRIES, identity.Verdict
Claim, Owner = identity.Claim, identity.Owner
judge, normal = identity.judge, identity.normal

OWNER = Owner("A1", "Ann@Example.com", "c-1")


def claim(
    email: str | None = None, customer: str | None = None, identified: frozenset[str] = frozenset()
) -> Any:
    return Claim("A1", email, customer, identified)


@pytest.mark.parametrize("email", ["ann@example.com", "  ANN@EXAMPLE.COM ", "ａｎｎ@example.com"])
def test_the_address_of_the_order_proves_it_however_it_is_written(email: str) -> None:
    assert judge(claim(email), OWNER, 0) is Verdict.PROVEN


def test_the_customer_and_an_earlier_proof_need_no_address() -> None:
    assert judge(claim(customer="c-1"), OWNER, 0) is Verdict.PROVEN
    assert judge(claim(identified=frozenset({"A1"})), OWNER, 0) is Verdict.PROVEN


@pytest.mark.parametrize("given", [None, "", "  "])
def test_without_an_address_one_is_asked_for_whether_or_not_there_is_an_order(
    given: str | None,
) -> None:
    assert judge(claim(given), OWNER, 0) is judge(claim(given), None, 0) is Verdict.UNPROVEN


@pytest.mark.parametrize("tries", range(MAX_TRIES + 2))
def test_nothing_tells_an_order_of_others_from_one_that_is_not_there(tries: int) -> None:
    for email in ("bo@example.com", None):
        other = claim(email, customer="c-2", identified=frozenset({"A2"}))
        assert judge(other, OWNER, tries) is judge(other, None, tries)
        assert judge(other, OWNER, tries) is not Verdict.PROVEN


def test_the_third_wrong_address_blocks_and_then_the_right_one_does_not_help() -> None:
    wrong, right = claim("bo@example.com"), claim("ann@example.com")
    found = [judge(wrong, OWNER, tries) for tries in range(MAX_TRIES)]
    assert found == [Verdict.MISMATCH, Verdict.MISMATCH, Verdict.BLOCKED]
    assert judge(right, OWNER, MAX_TRIES) is Verdict.BLOCKED
    assert judge(claim(), OWNER, MAX_TRIES) is Verdict.BLOCKED


def test_what_was_proven_stays_open_after_a_block() -> None:
    assert judge(claim(customer="c-1"), OWNER, MAX_TRIES) is Verdict.PROVEN
    assert judge(claim(identified=frozenset({"A1"})), OWNER, MAX_TRIES) is Verdict.PROVEN


@pytest.mark.parametrize("email", ["", " ", None])
def test_an_order_without_address_or_customer_is_proven_by_nothing(email: str | None) -> None:
    bare = Owner("A1", "", "")
    assert judge(claim(email, customer=""), bare, 0) is Verdict.UNPROVEN
    assert judge(claim("x"), bare, 0) is Verdict.MISMATCH


def test_neither_claims_nor_owners_show_an_address_when_they_are_logged() -> None:
    assert "ann" not in repr(claim("ann@example.com")).casefold()
    assert "ann" not in repr(OWNER).casefold()
    assert normal("Ａ@B.C ") == "a@b.c"
