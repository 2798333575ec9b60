"""Notices in the corner of the page, headed in its language."""

from typing import Any, Final

from ui import refusals
from ui.client import ApiError
from ui.tongue import CHINESE, spoken

_HEADS: Final = {"Warning": "请注意", "Info": "提示", "Error": "出错了"}


def warn(what: ApiError | str, tongue: str | None = None) -> None:
    """Say what was not done; what a person wrote stays where it is."""
    import gradio as gr

    gr.Warning(_told(what, tongue), title=_head("Warning", tongue))


def inform(what: str, tongue: str) -> None:
    """Say what was done."""
    import gradio as gr

    gr.Info(what, title=_head("Info", tongue))


def failure(what: ApiError | str, tongue: str | None = None) -> Any:
    """Return what to raise where an event cannot go on."""
    import gradio as gr

    return gr.Error(_told(what, tongue), title=_head("Error", tongue), print_exception=False)


def _told(what: ApiError | str, tongue: str | None) -> str:
    return refusals.told(what, tongue) if isinstance(what, ApiError) else what


def _head(kind: str, tongue: str | None) -> str:
    return _HEADS[kind] if (tongue or spoken()) == CHINESE else kind
