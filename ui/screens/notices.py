"""Notices in the corner of the page, with titles in its locale."""

from collections.abc import Callable
from html import escape
from typing import Any, Final, TypeVar

from ui import error_texts
from ui.client.http_client import ApiError
from ui.i18n import CHINESE, current_locale

_Response = TypeVar("_Response")
_TITLES: Final = {"Warning": "请注意", "Info": "提示", "Error": "出错了"}
# Gradio shows the kind as the title, whatever title it is given.
CSS: Final = ".toast-title:lang(zh) { font-size: 0 !important; }" + "".join(
    f".toast-title.{kind.lower()}:lang(zh)::after {{ font-size: 1rem; content: '{title}'; }}"
    for kind, title in _TITLES.items()
)


def warn(message: ApiError | str, locale: str | None = None) -> None:
    """Show that something was not done; the page keeps what a person entered."""
    import gradio as gr

    gr.Warning(_html(message, locale), title=_title("Warning", locale))


def inform(message: str, locale: str) -> None:
    """Show that something was done."""
    import gradio as gr

    gr.Info(_html(message, locale), title=_title("Info", locale))


def failure(message: ApiError | str, locale: str | None = None) -> Any:
    """Return the exception to raise if an event cannot go on."""
    import gradio as gr

    return gr.Error(_html(message, locale), title=_title("Error", locale), print_exception=False)


def call_api(request: Callable[[], _Response]) -> _Response:
    """Return the server's response; an ApiError becomes a notice that ends the event."""
    try:
        return request()
    except ApiError as error:
        raise failure(error) from error


def _html(message: ApiError | str, locale: str | None) -> str:
    """Return a message escaped, because Gradio shows it as HTML."""
    text = error_texts.error_text(message, locale) if isinstance(message, ApiError) else message
    return escape(text, quote=False)


def _title(kind: str, locale: str | None) -> str:
    return _TITLES[kind] if (locale or current_locale()) == CHINESE else kind
