"""Notices in the corner of the page, headed in its language."""

from html import escape
from typing import Any, Final

from ui import error_texts
from ui.client.http_client import ApiError
from ui.i18n import CHINESE, spoken

_HEADS: Final = {"Warning": "请注意", "Info": "提示", "Error": "出错了"}
# Gradio heads them by their kind, whatever title it is given.
CSS: Final = ".toast-title:lang(zh) { font-size: 0 !important; }" + "".join(
    f".toast-title.{kind.lower()}:lang(zh)::after {{ font-size: 1rem; content: '{head}'; }}"
    for kind, head in _HEADS.items()
)


def warn(what: ApiError | str, tongue: str | None = None) -> None:
    """Say what was not done; what a person wrote stays where it is."""
    import gradio as gr

    gr.Warning(_told(what, tongue), title=_head("Warning", tongue))


def inform(what: str, tongue: str) -> None:
    """Say what was done."""
    import gradio as gr

    gr.Info(_told(what, tongue), title=_head("Info", tongue))


def failure(what: ApiError | str, tongue: str | None = None) -> Any:
    """Return what to raise where an event cannot go on."""
    import gradio as gr

    return gr.Error(_told(what, tongue), title=_head("Error", tongue), print_exception=False)


def _told(what: ApiError | str, tongue: str | None) -> str:
    """Return what Gradio shows as HTML, with nothing in it taken for HTML."""
    said = error_texts.told(what, tongue) if isinstance(what, ApiError) else what
    return escape(said, quote=False)


def _head(kind: str, tongue: str | None) -> str:
    return _HEADS[kind] if (tongue or spoken()) == CHINESE else kind
