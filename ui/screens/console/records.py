"""A customer's records beside the conversation: the proven ones, and a lookup of others.

The home's actions define the records, the fields that prove them, and their texts.
"""

from collections.abc import Mapping, Sequence
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
FIELDS: Final = 4  # text boxes for the values of a lookup
_FORBIDDEN: Final = 403
_NO_MATCH: Final = "no_such_order"


@dataclass(frozen=True)
class RecordsPanel:
    """Event handlers of the records."""

    desk: DeskApi

    def show(self, conversation: str, texts: ConsoleTexts) -> list[Any]:
        """Return the proven records, the text boxes, the button, and the names of the boxes."""
        try:
            response = self.desk.get_part(conversation, "orders")
        except ApiError as error:
            hint = (
                texts["records_first"]
                if error.status == _FORBIDDEN
                else escape(error_texts.error_text(error, texts.locale))
            )
            return [f"<p class='quiet'>{hint}</p>", *text_boxes([], texts), {}]
        if not response["known"]:
            return [
                f"<p class='quiet'>{texts['records_elsewhere']}</p>",
                *text_boxes([], texts),
                {},
            ]
        titles = response["titles"]
        records = records_html(response["orders"], texts)
        no_records = f"<p class='quiet'>{escape(texts.text(titles.get('none', {})))}</p>"
        heading = escape(texts.text(titles.get("records", {})))
        lookup = {
            "names": [field["name"] for field in response["fields"][:FIELDS]],
            "no_match": titles.get("no_match", {}),
        }
        return [
            f"<p>{heading}</p>{records or no_records}",
            *text_boxes(response["fields"], texts),
            lookup,
        ]

    def prove(
        self, conversation: str | None, lookup: Json, values: Any, texts: ConsoleTexts
    ) -> Any:
        """Look a record up by the values that prove it; warn if there is none."""
        import gradio as gr

        names = lookup.get("names", [])
        fields = {name: str(values[number] or "").strip() for number, name in enumerate(names)}
        if not (conversation and fields and all(fields.values())):
            return gr.skip()
        try:
            response = self.desk.prove(conversation, fields)
        except ApiError as error:
            no_match = texts.text(lookup["no_match"]) if error.code == _NO_MATCH else ""
            notices.warn(no_match or error, texts.locale)
            return gr.skip()
        return records_html(response["orders"], texts), response["orders"], *[""] * FIELDS


def text_boxes(fields: Sequence[Json], texts: ConsoleTexts) -> list[Any]:
    """Return the text boxes with the titles of the fields, and the button; hide the others."""
    import gradio as gr

    titles = [texts.text(field["title"]) for field in fields[:FIELDS]]
    hidden = [gr.update(visible=False)] * (FIELDS - len(titles))
    shown = [gr.update(label=title, visible=True) for title in titles]
    return [*shown, *hidden, gr.update(visible=bool(titles))]


def records_html(records: Sequence[Json], texts: ConsoleTexts) -> str:
    """Return records as a list; the first one is open."""
    return "".join(
        _record(record["display"], texts, is_open=number == 0)
        for number, record in enumerate(records)
    )


def _record(display: Mapping[str, Any], texts: ConsoleTexts, *, is_open: bool) -> str:
    rows = "".join(
        f"<dt>{escape(texts.text(item['title']))}</dt><dd>{escape(texts.text(item['value']))}</dd>"
        for item in display["values"]
    )
    heading = (
        f"<b>{escape(display['heading'])}</b>{escape(texts.text(display['status']))} "
        f"<small>({escape(texts.text(display['proof']))})</small>"
    )
    open_attribute = " open" if is_open else ""
    return (
        f"<details class='order'{open_attribute}><summary>{heading}</summary>"
        f"<dl class='facts'>{rows}</dl></details>"
    )
