"""Gradio components and event handlers that several screens build alike."""

from collections.abc import Callable, Sequence
from typing import Any


def read_only_table(columns: str, widths: Sequence[str], **options: Any) -> Any:
    """Return a table that is only read; `columns` are its headers, separated by `|`."""
    import gradio as gr

    return gr.Dataframe(
        headers=columns.split("|"),
        column_count=len(widths),
        column_widths=list(widths),
        type="array",
        interactive=False,
        show_label=False,
        **options,
    )


def with_event(handler: Callable[..., Any], kind: str = "SelectData") -> Callable[..., Any]:
    """Return a handler that is also passed the event's data, as its last argument.

    Gradio passes them to a parameter that is annotated with their type.
    """
    import gradio as gr

    def handle(event: Any, *inputs: Any) -> Any:
        return handler(*inputs, event)

    handle.__annotations__ = {"event": getattr(gr, kind)}
    return handle
