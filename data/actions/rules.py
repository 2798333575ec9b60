"""The shop's rules: what is possible with an order today, and the reply. Pure.

The numbers are those of the help pages in `data/kb`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from .changes import Callback, Return
from .orders_db import Order

RETURN_DAYS: Final = 60
DROP_OFF_DAYS: Final = 14
REFUND_DAYS: Final = 5  # business days
BILLING_DAYS: Final = 30
FREE_RETURNS: Final = frozenset({"US", "CA"})
HERE: Final = ZoneInfo("America/New_York")
_OPENS, _CLOSES = time(9), time(18)
_OPENS_ZH, _CLOSES_ZH = time(21), time(5)
_SATURDAY: Final = 5
_MIN_ADDRESS: Final = 6
_PO_BOX: Final = re.compile(
    r"\bp\.? ?o\.? ?box\b|\bpost office box\b|邮政信箱|郵政信箱", re.IGNORECASE
)
_GIFT_CARD: Final = re.compile(r"gift card|礼品卡", re.IGNORECASE)
_CLOCK: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)?[T ]?(?P<time>\d{1,2}:\d\d)?(?::\d\d)?", re.ASCII
)
_PHONE: Final = re.compile(r"\+?[\d ()./-]+")
_MIN_DIGITS, _MAX_DIGITS = 7, 15


@dataclass(frozen=True)
class Answer:
    """The reply, and whether the request may be carried out."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)
    may: bool = False


def check_cancellation(order: Order, today: date) -> Answer:
    """Return whether an order can be cancelled: until it is packed."""
    values = {"order_number": order.number, "items": order.items}
    if order.status == "cancelled":
        return Answer("cancel_already", values)
    if order.status == "returned":
        return Answer("order_returned", values)
    if order.status == "delivered":
        back = check_return(order, None, today)
        return Answer("cancel_delivered" if back.may else back.template, {**values, **back.values})
    if order.packed:
        at_home = order.country == "US"
        return Answer("cancel_too_late" if at_home else "cancel_too_late_abroad", values)
    return Answer("cancel_done", values, may=True)


def check_address_change(order: Order, address: str) -> Answer:
    """Return whether the address of an order can be changed: until it is packed."""
    values = {"order_number": order.number}
    if order.status in {"cancelled", "returned", "delivered"}:
        return Answer("address_no_longer", values)
    if order.packed:
        return Answer("address_too_late", values)
    if len(address) < _MIN_ADDRESS:
        return Answer("address_unclear", values)
    if order.shipping != "standard" and _PO_BOX.search(address):
        return Answer("address_po_box", values)
    if _bare(address) == _bare(order.address):
        return Answer("address_same", values)
    return Answer("address_changed", values, may=True)


def _bare(address: str) -> str:
    return re.sub(r"\W+", " ", unicodedata.normalize("NFKC", address)).strip().casefold()


def check_return(  # noqa: PLR0911 — one per case
    order: Order, before: Return | None, today: date
) -> Answer:
    """Return whether an order can be returned: within 60 days of delivery, once."""
    values = {
        "order_number": order.number,
        "eta": str(order.eta),
        "return_by": str(_return_by(order)),
        "drop_by": str(today + timedelta(days=DROP_OFF_DAYS)),
    }
    if before is not None:
        values |= {"return_number": before.number, "started": str(before.started)}
        return Answer("return_already", values)
    if order.status == "returned":
        return Answer("order_returned", values)
    if order.status == "cancelled":
        return Answer("return_cancelled", values)
    if order.status != "delivered":
        return Answer("return_not_delivered", values)
    if all(_GIFT_CARD.search(item) for item in order.items.split(",")):
        return Answer("return_gift_card", values)
    if _return_by(order) < today:
        return Answer("return_too_late", values)
    free = order.country in FREE_RETURNS
    return Answer("return_started_free" if free else "return_started_fee", values, may=True)


def _return_by(order: Order) -> date:
    return (order.delivered or order.eta) + timedelta(days=RETURN_DAYS)


def refund_status(order: Order, started: Return | None, today: date) -> Answer:
    """Return the status of an order's refund; it never needs an action."""
    values = {"order_number": order.number, "placed": str(order.placed), "items": order.items}
    if order.status not in {"cancelled", "returned"}:
        values["return_number"] = started.number if started else ""
        return Answer("refund_return_open" if started else "refund_none", values)
    since = order.refund_on
    if since is None:
        return Answer(f"order_status_{order.status}", {**values, "eta": str(order.eta)})
    values |= {"since": str(since), "by": str(business_days_after(since, REFUND_DAYS))}
    if order.refund == "refunded":
        return Answer(f"refund_paid_{order.paid_by}", values)
    if business_days_after(since, REFUND_DAYS) < today:
        return Answer("refund_overdue", values)
    if order.status == "cancelled":
        return Answer("refund_cancelled", values)
    return Answer(f"refund_arrived_{order.paid_by}", values)


def business_days_after(start: date, days: int) -> date:
    """Return the date a number of business days later; weekends do not count."""
    day = start
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


def check_invoice(order: Order, today: date) -> Answer:
    """Return whether there is an invoice to send: once the order has shipped."""
    until = order.placed + timedelta(days=BILLING_DAYS)
    values = {"order_number": order.number, "until": str(until)}
    if order.status == "cancelled":
        return Answer("invoice_cancelled", values)
    if order.status == "processing":
        return Answer("invoice_not_yet", values)
    return Answer("invoice_sent_details" if today <= until else "invoice_sent", values, may=True)


def check_callback(
    requested: Callback, before: Callback | None, language: str, now: datetime
) -> Answer:
    """Return whether a call can be booked; times are those of New York."""
    digits = re.sub(r"\D", "", requested.phone)
    if not (_PHONE.fullmatch(requested.phone) and _MIN_DIGITS <= len(digits) <= _MAX_DIGITS):
        return Answer("callback_bad_phone")
    if problem := _time_problem(requested.wanted, language, now):
        return Answer(problem)
    values = {"callback_time": requested.wanted, "last_digits": digits[-4:]}
    if before == requested:
        return Answer("callback_already", values)
    return Answer("callback_moved" if before else "callback_booked", values, may=True)


def _time_problem(requested: str, language: str, now: datetime) -> str | None:
    """Return the issue with a time; words such as "tomorrow morning" are left to agents."""
    match = _CLOCK.fullmatch(requested)
    if match is None or not (match["day"] or match["time"]):
        return None
    try:
        day = date.fromisoformat(match["day"]) if match["day"] else None
        clock = time.fromisoformat(match["time"].zfill(5)) if match["time"] else None
    except ValueError:
        return "callback_outside_hours"
    if not _is_open(clock, day, language):
        return "callback_outside_hours"
    if day and datetime.combine(day, clock or time.max, HERE) < now:
        return "callback_past"
    return None


def _is_open(clock: time | None, day: date | None, language: str) -> bool:
    """Return whether agents who speak the language are available; without a day, on weekdays."""
    if language == "zh":
        if day and clock and clock < _CLOSES_ZH:
            day -= timedelta(days=1)  # the shift began the evening before
        open_now = clock is None or clock >= _OPENS_ZH or clock < _CLOSES_ZH
    else:
        open_now = clock is None or _OPENS <= clock < _CLOSES
    return open_now and (day is None or day.weekday() < _SATURDAY)
