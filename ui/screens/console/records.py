"""A customer's records beside the conversation: what is proven, and a way to prove more.

What records are, what proves them and all words about them come from the home's actions.
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
FIELDS: Final = (
    4  # text boxes for values that prove a record; those a home does not need are hidden
)
_FORBIDDEN: Final = 403
_NO_MATCH: Final = "no_such_order"


@dataclass(frozen=True)
class RecordsPanel:
    """What happens around the records."""

    desk: DeskApi

    def shown(self, conversation: str, said: ConsoleTexts) -> list[Any]:
        """Return the proven records, the text boxes, the button, and what the boxes are for."""
        try:
            found = self.desk.look(conversation, "orders")
        except ApiError as error:
            why = (
                said["records_first"]
                if error.status == _FORBIDDEN
                else escape(error_texts.told(error, said.tongue))
            )
            return [f"<p class='quiet'>{why}</p>", *boxes([], said), {}]
        if not found["known"]:
            return [f"<p class='quiet'>{said['records_elsewhere']}</p>", *boxes([], said), {}]
        titles = found["titles"]
        listed = records_html(found["orders"], said)
        none = f"<p class='quiet'>{escape(said.text(titles.get('none', {})))}</p>"
        head = escape(said.text(titles.get("records", {})))
        wanted = {
            "names": [field["name"] for field in found["fields"][:FIELDS]],
            "no_match": titles.get("no_match", {}),
        }
        return [f"<p>{head}</p>{listed or none}", *boxes(found["fields"], said), wanted]

    def prove(self, conversation: str | None, wanted: Json, values: Any, said: ConsoleTexts) -> Any:
        """Look a record up by the values that prove it; what does not fit is said."""
        import gradio as gr

        names = wanted.get("names", [])
        fields = {name: str(values[at] or "").strip() for at, name in enumerate(names)}
        if not (conversation and fields and all(fields.values())):
            return gr.skip()
        try:
            found = self.desk.prove(conversation, fields)
        except ApiError as error:
            no_match = said.text(wanted["no_match"]) if error.code == _NO_MATCH else ""
            notices.warn(no_match or error, said.tongue)
            return gr.skip()
        return records_html(found["orders"], said), found["orders"], *[""] * FIELDS


def boxes(fields: Sequence[Json], said: ConsoleTexts) -> list[Any]:
    """Return the text boxes with the titles of the fields, and the button.

    What is not needed is hidden.
    """
    import gradio as gr

    titles = [said.text(field["title"]) for field in fields[:FIELDS]]
    hidden = [gr.update(visible=False)] * (FIELDS - len(titles))
    shown = [gr.update(label=title, visible=True) for title in titles]
    return [*shown, *hidden, gr.update(visible=bool(titles))]


def records_html(found: Sequence[Json], said: ConsoleTexts) -> str:
    """Return records as a list; the first one is open."""
    return "".join(_record(one["display"], said, opened=n == 0) for n, one in enumerate(found))


def _record(display: Mapping[str, Any], said: ConsoleTexts, *, opened: bool) -> str:
    rows = "".join(
        f"<dt>{escape(said.text(item['title']))}</dt><dd>{escape(said.text(item['value']))}</dd>"
        for item in display["values"]
    )
    head = (
        f"<b>{escape(display['heading'])}</b>{escape(said.text(display['status']))} "
        f"<small>({escape(said.text(display['proof']))})</small>"
    )
    shown = " open" if opened else ""
    return (
        f"<details class='order'{shown}><summary>{head}</summary>"
        f"<dl class='facts'>{rows}</dl></details>"
    )
