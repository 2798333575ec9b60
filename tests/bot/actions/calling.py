"""What the tests of actions share: a shop of a few orders, and calls of its actions."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.actions import loader
from bot.actions.calls import ActionCall, ActionResult
from bot.actions.runner import ActionRunner
from tests.conftest import DEMO

HEAD: Final = (
    "number,status,items,placed_days_ago,eta_in_days,email,customer,name,country,address,"
    "shipping,packed,delivered_days_ago,paid_by,refund,refund_days_ago\n"
)
ANN, BO, CUN = "ann@example.com", "bo@example.org", "cun@example.com"
ROWS: Final = {
    "open": f"B70001,processing,Tent,0,5,{ANN},c-1,Ann,US,1 Elm Street,express,no,,card,,",
    "packed": f"B70002,processing,Mat,1,4,{ANN},c-1,Ann,US,1 Elm Street,standard,yes,,card,,",
    "shipped": f"B70003,shipped,帐篷,4,2,{BO},c-2,Bo,DE,Ahornweg 2,standard,,,card,,",
    "delayed": f"B70004,delayed,Stove,9,3,{BO},c-2,Bo,DE,Ahornweg 2,standard,,,card,,",
    "delivered": f"B70005,delivered,Boots,9,-4,{ANN},c-1,Ann,US,1 Elm Street,standard,,4,card,,",
    "abroad": f"B70006,delivered,Hat,9,-4,{CUN},c-3,存,CN,竹里巷 8 号,standard,,4,wallet,,",
    "last day": f"B70007,delivered,Hat,70,-60,{BO},c-2,Bo,DE,Ahornweg 2,standard,,60,card,,",
    "too late": f"B70008,delivered,Hat,70,-61,{BO},c-2,Bo,DE,Ahornweg 2,standard,,61,card,,",
    "gift card": f"B70009,delivered,Gift card 50 USD,9,-9,{BO},c-2,Bo,DE,Weg 2,standard,,9,card,,",
    "cancelled": f"B70010,cancelled,Poles,3,0,{BO},c-2,Bo,DE,Weg 2,standard,,,card,pending,0",
    "refunded": f"B70011,returned,Socks,40,-30,{BO},c-2,Bo,DE,Weg 2,standard,,30,card,refunded,2",
    "arrived": f"B70012,returned,Socks,40,-30,{BO},c-2,Bo,DE,Weg 2,standard,,30,wallet,arrived,0",
    "overdue": f"B70013,returned,Socks,40,-30,{BO},c-2,Bo,DE,Weg 2,standard,,30,card,arrived,12",
    "nobody's": "B70014,shipped,Lamp,4,2,,,,US,,standard,,,card,,",
}
NUMBERS: Final = {name: row.split(",")[0] for name, row in ROWS.items()}
EMAILS: Final = {name: row.split(",")[5] for name, row in ROWS.items()}
ABSENT: Final = "B79999"
ON_ORDERS: Final = {
    "action_identify": {},
    "action_order_status": {},
    "action_cancel_order": {},
    "action_change_address": {"new_address": "99 Oak Road, Salem, OR 97301"},
    "action_start_return": {"return_reason": "too small"},
    "action_refund_status": {},
    "action_send_invoice": {},
}


def shop(folder: Path) -> Path:
    """Make a home of the demo's actions on a few orders in a folder, and return it."""
    (folder / loader.FOLDER).symlink_to(DEMO / loader.FOLDER)
    source = folder / "orders.csv"
    source.write_text(HEAD + "".join(f"{row}\n" for row in ROWS.values()), encoding="utf-8")
    return folder


def call(name: str, message: str = "m1", conversation: str = "c1", **slots: str) -> ActionCall:
    """Return a call whose words say nothing."""
    at = datetime.now(UTC)
    return ActionCall(name, conversation, message, "please", "en", slots, None, "x", at)


def ask(runner: ActionRunner, name: str, order: str, message: str = "m1", **slots: str) -> str:
    """Run an action as the customer of an order; return the template it said."""
    known = {"order_number": NUMBERS[order], "email": EMAILS[order], **slots}
    return templates(runner.run(call(name, message, **known)))


def templates(result: ActionResult) -> str:
    """Return what was said, by name."""
    return " ".join(str(said.template or said.text) for said in result.said)


def told(result: ActionResult) -> str:
    """Return everything that reaches the customer."""
    return " ".join(f"{s.text} {s.template} {' '.join(s.values.values())}" for s in result.said)


def as_customer(one: ActionCall, customer: str | None) -> ActionCall:
    """Return the call of a visitor who is proven to be somebody."""
    return replace(one, customer=customer)
