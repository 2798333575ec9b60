"""A customer's orders beside the conversation: what is proven, and a way to prove more."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from ui import error_texts
from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.console.texts import ConsoleTexts

CSS: Final = """
.order { margin: 0 0 .75rem !important; }
.order summary { cursor: pointer; }
.order summary b { margin-right: .5rem; }
"""
FACTS: Final = (
    "items",
    "placed",
    "eta",
    "delivered",
    "shipping",
    "address",
    "paid_by",
    "refund",
    "return_number",
)
_TERMS: Final = frozenset({"shipping", "paid_by", "refund"})
_FORBIDDEN: Final = 403


@dataclass(frozen=True)
class RecordsPanel:
    """What happens around the orders."""

    desk: DeskApi

    def shown(self, conversation: str, said: ConsoleTexts) -> str:
        """Return the orders of who the customer was proven to be."""
        try:
            found = self.desk.look(conversation, "orders")
        except ApiError as error:
            why = (
                said["orders_first"]
                if error.status == _FORBIDDEN
                else escape(error_texts.told(error, said.tongue))
            )
            return f"<p class='quiet'>{why}</p>"
        if not found["known"]:
            return f"<p class='quiet'>{said['orders_elsewhere']}</p>"
        return orders_html(found["orders"], said) or f"<p class='quiet'>{said['orders_none']}</p>"

    def prove(self, conversation: str | None, number: str, email: str, said: ConsoleTexts) -> Any:
        """Look an order up by its number and address; what does not fit is said."""
        import gradio as gr

        if not (conversation and number.strip() and email.strip()):
            return gr.skip()
        try:
            found = self.desk.prove(conversation, number, email)
        except ApiError as error:
            notices.warn(error, said.tongue)
            return gr.skip()
        return orders_html(found["orders"], said), found["orders"], "", ""


def orders_html(found: Sequence[Json], said: ConsoleTexts) -> str:
    """Return orders as a list; the first one is open."""
    return "".join(_order(one, said, opened=n == 0) for n, one in enumerate(found))


def _order(one: Json, said: ConsoleTexts, *, opened: bool) -> str:
    rows = "".join(
        f"<dt>{said[f'order_{name}']}</dt><dd>{escape(_value(name, one[name], said))}</dd>"
        for name in FACTS
        if one[name]
    )
    head = (
        f"<b>{escape(one['number'])}</b>{escape(said.term(one['status']))} "
        f"<small>({said['proof_' + one['proof']]})</small>"
    )
    shown = " open" if opened else ""
    return (
        f"<details class='order'{shown}><summary>{head}</summary>"
        f"<dl class='facts'>{rows}</dl></details>"
    )


def _value(name: str, value: Any, said: ConsoleTexts) -> str:
    return said.term(str(value)) if name in _TERMS else str(value)
