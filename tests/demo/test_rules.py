from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.demo.actions import changes, orders_db, rules

Callback, Return, Order = changes.Callback, changes.Return, orders_db.Order

TODAY = date(2026, 3, 12)  # a Thursday
ORDER = Order("A1", "processing", "Tent", TODAY, TODAY, country="US", packed=False)
NOON = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)  # 12:00 in New York
PHONE = "+1 503 555 0100"


def delivered(days_ago: int, country: str = "US", items: str = "Tent") -> Any:
    on = TODAY - timedelta(days=days_ago)
    return replace(ORDER, status="delivered", delivered=on, country=country, items=items)


@pytest.mark.parametrize(
    ("order", "template", "may"),
    [
        (ORDER, "cancel_done", True),
        (replace(ORDER, packed=True), "cancel_too_late", False),
        (replace(ORDER, packed=True, country="DE"), "cancel_too_late_abroad", False),
        (replace(ORDER, status="shipped", packed=True), "cancel_too_late", False),
        (replace(ORDER, status="delayed", packed=True), "cancel_too_late", False),
        (replace(ORDER, status="cancelled"), "cancel_already", False),
        (replace(ORDER, status="returned"), "order_returned", False),
        (delivered(3), "cancel_delivered", False),
        (delivered(61), "return_too_late", False),
        (delivered(3, items="Gift card"), "return_gift_card", False),
    ],
)
def test_an_order_is_cancelled_until_it_is_packed(order: Any, template: str, may: bool) -> None:  # noqa: FBT001
    answer = rules.check_cancellation(order, TODAY)
    assert (answer.template, answer.may) == (template, may)


@pytest.mark.parametrize(
    ("order", "address", "template"),
    [
        (ORDER, "9 Oak Road, Salem", "address_changed"),
        (replace(ORDER, address="9 Oak Road, Salem"), "9 OAK road Salem", "address_same"),
        (replace(ORDER, packed=True), "9 Oak Road, Salem", "address_too_late"),
        (replace(ORDER, status="shipped", packed=True), "9 Oak Road", "address_too_late"),
        (replace(ORDER, status="delivered"), "9 Oak Road", "address_no_longer"),
        (ORDER, "Rome", "address_unclear"),
        (ORDER, "PO Box 12, Salem", "address_changed"),
        (replace(ORDER, shipping="express"), "P.O. Box 12, Salem", "address_po_box"),
        (replace(ORDER, shipping="express"), "香港中环邮政信箱 12 号", "address_po_box"),
    ],
)
def test_an_address_is_changed_until_the_order_is_packed(
    order: Any, address: str, template: str
) -> None:
    answer = rules.check_address_change(order, address)
    assert (answer.template, answer.may) == (template, template == "address_changed")


@pytest.mark.parametrize(
    ("order", "template"),
    [
        (delivered(0), "return_started_free"),
        (delivered(60), "return_started_free"),
        (delivered(61), "return_too_late"),
        (delivered(5, "CA"), "return_started_free"),
        (delivered(5, "CN"), "return_started_fee"),
        (delivered(5, items="Gift card 50 USD"), "return_gift_card"),
        (delivered(5, items="Gift card 50 USD, Tent"), "return_started_free"),
        (ORDER, "return_not_delivered"),
        (replace(ORDER, status="cancelled"), "return_cancelled"),
        (replace(ORDER, status="returned"), "order_returned"),
    ],
)
def test_a_return_is_started_within_60_days_of_delivery(order: Any, template: str) -> None:
    answer = rules.check_return(order, None, TODAY)
    assert (answer.template, answer.may) == (template, template.startswith("return_started"))


def test_an_order_has_one_return() -> None:
    answer = rules.check_return(delivered(5), Return("R10001", TODAY), TODAY)
    assert (answer.template, answer.may) == ("return_already", False)
    assert answer.values["return_number"] == "R10001"


@pytest.mark.parametrize(
    ("state", "since", "template"),
    [
        ("pending", TODAY, "refund_cancelled"),
        ("pending", TODAY - timedelta(days=8), "refund_overdue"),
        ("refunded", TODAY - timedelta(days=30), "refund_paid_wallet"),
        ("", None, "order_status_cancelled"),
    ],
)
def test_the_money_of_a_cancelled_order(state: str, since: date | None, template: str) -> None:
    order = replace(ORDER, status="cancelled", refund=state, refund_on=since, paid_by="wallet")
    assert rules.refund_status(order, None, TODAY).template == template


@pytest.mark.parametrize("paid_by", ["card", "wallet", "gift_card"])
def test_the_money_of_a_return_depends_on_how_it_was_paid(paid_by: str) -> None:
    order = replace(ORDER, status="returned", refund="arrived", refund_on=TODAY, paid_by=paid_by)
    answer = rules.refund_status(order, None, TODAY)
    assert answer.template == f"refund_arrived_{paid_by}"
    assert answer.values["by"] == "2026-03-19"  # five business days: a weekend lies between


def test_where_nothing_was_sent_back_there_is_no_refund() -> None:
    assert rules.refund_status(delivered(3), None, TODAY).template == "refund_none"
    started = Return("R10001", TODAY)
    assert rules.refund_status(delivered(3), started, TODAY).template == "refund_return_open"


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-03-12", 0, "2026-03-12"),
        ("2026-03-12", 1, "2026-03-13"),
        ("2026-03-13", 1, "2026-03-16"),
        ("2026-03-14", 5, "2026-03-20"),
    ],
)
def test_business_days_leave_out_weekends(start: str, days: int, end: str) -> None:
    assert str(rules.business_days_after(date.fromisoformat(start), days)) == end


@pytest.mark.parametrize(
    ("order", "template"),
    [
        (ORDER, "invoice_not_yet"),
        (replace(ORDER, status="cancelled"), "invoice_cancelled"),
        (replace(ORDER, status="shipped", placed=TODAY - timedelta(30)), "invoice_sent_details"),
        (replace(ORDER, status="delivered", placed=TODAY - timedelta(31)), "invoice_sent"),
    ],
)
def test_there_is_an_invoice_as_soon_as_the_order_ships(order: Any, template: str) -> None:
    answer = rules.check_invoice(order, TODAY)
    assert (answer.template, answer.may) == (template, "sent" in template)


@pytest.mark.parametrize(
    ("wanted", "language", "template"),
    [
        ("2026-03-13T09:00", "en", "callback_booked"),
        ("2026-03-13 17:59", "en", "callback_booked"),
        ("2026-03-13T18:00", "en", "callback_outside_hours"),
        ("2026-03-14T10:00", "en", "callback_outside_hours"),  # a Saturday
        ("2026-03-12T11:00", "en", "callback_past"),
        ("15:30", "en", "callback_booked"),
        ("8:30", "en", "callback_outside_hours"),
        ("tomorrow morning", "en", "callback_booked"),
        ("2026-03-13T10:00", "zh", "callback_outside_hours"),
        ("2026-03-13T21:30", "zh", "callback_booked"),
        ("2026-03-14T04:30", "zh", "callback_booked"),  # the end of Friday's shift
        ("2026-03-15T04:30", "zh", "callback_outside_hours"),
        ("2026-03-14T21:30", "zh", "callback_outside_hours"),
        ("2026-02-30T10:00", "en", "callback_outside_hours"),
        ("29:75", "en", "callback_outside_hours"),
        ("2026-03-12", "en", "callback_booked"),
        ("2026-03-14", "en", "callback_outside_hours"),
        ("2026-03-11", "zh", "callback_past"),
        ("2026-03-13/2026-03-16", "en", "callback_booked"),
    ],
)
def test_calls_are_booked_for_when_somebody_is_there(
    wanted: str, language: str, template: str
) -> None:
    answer = rules.check_callback(Callback(PHONE, wanted), None, language, NOON)
    assert (answer.template, answer.may) == (template, template == "callback_booked")


@pytest.mark.parametrize("phone", ["12", "call me", "+1 503 555 0100 ext. five", "1" * 16, "+++"])
def test_what_is_no_telephone_number_is_not_called(phone: str) -> None:
    answer = rules.check_callback(Callback(phone, "15:30"), None, "en", NOON)
    assert (answer.template, answer.may) == ("callback_bad_phone", False)


def test_only_the_last_digits_of_a_number_are_repeated() -> None:
    answer = rules.check_callback(Callback(PHONE, "15:30"), None, "en", NOON)
    assert answer.values == {"callback_time": "15:30", "last_digits": "0100"}


def test_a_call_that_is_booked_is_moved_not_doubled() -> None:
    booked = Callback(PHONE, "15:30")
    assert rules.check_callback(booked, booked, "en", NOON).template == "callback_already"
    moved = rules.check_callback(Callback(PHONE, "16:00"), booked, "en", NOON)
    assert (moved.template, moved.may) == ("callback_moved", True)
