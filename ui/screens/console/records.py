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
FIELDS: Final = ("field_1", "field_2", "field_3", "field_4")  # text boxes for a look-up's values
_FORBIDDEN: Final = 403
_NO_MATCH: Final = "no_such_order"


@dataclass(frozen=True)
class RecordsPanel:
    """Event handlers of the records. They return updates by the names of the tab's components."""

    desk: DeskApi

    def show(self, conversation: str, texts: ConsoleTexts) -> Json:
        """Return the records, the text boxes with the button, and what `prove` needs (`lookup`)."""
        try:
            response = self.desk.get_part(conversation, "orders")
        except ApiError as error:
            hint = (
                texts["records_first"]
                if error.status == _FORBIDDEN
                else escape(error_texts.error_text(error, texts.locale))
            )
            return _without_lookup(hint, texts)
        if not response["known"]:
            return _without_lookup(texts["records_elsewhere"], texts)
        titles = response["titles"]
        records = records_html(response["orders"], texts)
        no_records = f"<p class='quiet'>{escape(texts.text(titles.get('none', {})))}</p>"
        heading = escape(texts.text(titles.get("records", {})))
        lookup = {
            "names": [field["name"] for field in response["fields"][: len(FIELDS)]],
            "no_match": titles.get("no_match", {}),
        }
        return {
            "records": f"<p>{heading}</p>{records or no_records}",
            "lookup": lookup,
            **text_boxes(response["fields"], texts),
        }

    def prove(
        self, conversation: str | None, lookup: Json, values: Any, texts: ConsoleTexts
    ) -> Json | None:
        """Look a record up by the values that prove it; warn if there is none."""
        names = lookup.get("names", [])
        fields = {name: str(values[number] or "").strip() for number, name in enumerate(names)}
        if not (conversation and fields and all(fields.values())):
            return None
        try:
            response = self.desk.prove(conversation, fields)
        except ApiError as error:
            no_match = texts.text(lookup["no_match"]) if error.code == _NO_MATCH else ""
            notices.warn(no_match or error, texts.locale)
            return None
        records = response["orders"]
        emptied = dict.fromkeys(FIELDS, "")
        return {"proven": records_html(records, texts), "proven_records": records, **emptied}


def text_boxes(fields: Sequence[Json], texts: ConsoleTexts) -> Json:
    """Return the text boxes with the titles of the fields, and the button; hide the others."""
    import gradio as gr

    boxes = dict.fromkeys(FIELDS, gr.update(visible=False))
    for name, field in zip(FIELDS, fields, strict=False):
        boxes[name] = gr.update(label=texts.text(field["title"]), visible=True)
    return {**boxes, "look_up": gr.update(visible=bool(fields))}


def _without_lookup(hint: str, texts: ConsoleTexts) -> Json:
    return {"records": f"<p class='quiet'>{hint}</p>", "lookup": {}, **text_boxes([], texts)}


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
