"""The workshop's versions: metrics, details, activation, rollback."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from ui.client.authoring_api import AuthoringApi
from ui.client.http_client import Json
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.notices import call_api
from ui.screens.workshop import views
from ui.screens.workshop.texts import get_texts

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_WIDTHS: Final = ["7%", "29%", "13%", "23%", "28%"]
_KINDS: Final = ("models", "knowledge", "templates", "policy")


@dataclass(frozen=True)
class VersionsPage:
    """Event handlers of the page."""

    api: AuthoringApi
    tab: SimpleNamespace

    def show(self, role: str | None, kind: str, locale: str) -> Any:
        """Return the versions, the latest first, and the trend of the models' accuracy."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        versions = call_api(self.api.versions)
        texts = get_texts(locale)
        shown = [version for version in versions if kind in {"", version["kind"]}]
        table = {
            "data": views.version_rows(shown, texts),
            "headers": texts["version_columns"].split("|"),
        }
        return [gr.update(value=table), views.trend_html(versions, texts)]

    def show_version(self, role: str | None, locale: str, event: Any) -> Any:
        """Show the selected version."""
        import gradio as gr

        identifier = str(event.row_value[1])
        if not identifier.startswith(
            ("m-", "k-")
        ):  # templates and policies: see their publications
            details = f"<p class='quiet'>{identifier}</p>"
            disabled = gr.update(interactive=False)
            hidden = gr.update(visible=False)
            values = {self.tab.version: None, self.tab.about: details, self.tab.activate: disabled}
            return {**values, self.tab.card_box: hidden}
        version = call_api(lambda: self.api.version(identifier))
        texts = get_texts(locale)
        may_activate = role == "admin" and not version["active"]
        return {
            self.tab.version: version["id"],
            self.tab.about: views.version_html(version, texts),
            self.tab.card: version["card"] or "",
            self.tab.card_box: gr.update(visible=bool(version["card"])),
            self.tab.activate: gr.update(interactive=may_activate),
        }

    def translate(self, identifier: str | None, locale: str) -> str:
        """Return the details of the selected version in another locale."""
        texts = get_texts(locale)
        if identifier is None:
            return f"<p class='quiet'>{texts['version_hint']}</p>"
        return views.version_html(call_api(lambda: self.api.version(identifier)), texts)

    def activate(self, identifier: str | None, locale: str) -> Any:
        """Activate the selected version."""
        import gradio as gr

        if identifier:
            response = call_api(lambda: self.api.activate(identifier))
            notices.inform(get_texts(locale)["activated"].format(**response), locale)
        return gr.update(interactive=False)

    def roll_back(self, kind: str) -> Any:
        """Return the handler that activates the version before the active one."""

        def handle(locale: str) -> None:
            version: Json = call_api(lambda: self.api.roll_back_version(kind))
            notices.inform(get_texts(locale)["activated"].format(**version), locale)

        return handle


def build(page: VersionsPage, texts: dict[str, str]) -> None:
    """Lay out the page inside the open tab."""
    import gradio as gr

    tab = page.tab
    tab.version = gr.State(None)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            tab.kind = gr.Dropdown(_kinds(texts), value="", label=texts["kind"])
            tab.versions = read_only_table(
                texts["version_columns"],
                _WIDTHS,
                max_height=360,
                buttons=[],
                elem_id="workshop-versions",
            )
            with gr.Row():
                button: dict[str, Any] = {"size": "md", "interactive": False, "min_width": 120}
                tab.activate = gr.Button(
                    texts["activate"], variant="primary", elem_id="workshop-activate", **button
                )
                tab.back_models = gr.Button(texts["back_models"], **button)
                tab.back_knowledge = gr.Button(
                    texts["back_knowledge"], elem_id="workshop-back-knowledge", **button
                )
            tab.trend = gr.HTML(elem_id="workshop-trend")
        with gr.Column(scale=5, min_width=320):
            tab.about = gr.HTML(
                f"<p class='quiet'>{texts['version_hint']}</p>", elem_id="workshop-version"
            )
            with gr.Accordion(texts["card"], open=False, visible=False) as tab.card_box:
                tab.card = gr.Markdown(elem_id="workshop-card")


def wire(page: VersionsPage) -> None:
    """Connect events and handlers."""
    tab = page.tab
    inputs, outputs = [tab.role, tab.kind, tab.locale], [tab.versions, tab.trend]
    tab.kind.change(page.show, inputs, outputs, **_QUIET)
    tab.dependencies.change(page.show, inputs, outputs, **_QUIET)  # after a build or activation
    details = [tab.version, tab.about, tab.card, tab.card_box, tab.activate]
    tab.versions.select(with_event(page.show_version), [tab.role, tab.locale], details, **_QUIET)
    events = [
        tab.activate.click(page.activate, [tab.version, tab.locale], tab.activate, **_QUIET),
        tab.back_models.click(page.roll_back("models"), tab.locale, None, **_QUIET),
        tab.back_knowledge.click(page.roll_back("knowledge"), tab.locale, None, **_QUIET),
    ]
    for event in events:
        event.then(page.show, inputs, outputs, **_QUIET)


def labels(locale: str) -> list[Any]:
    """Return the labels in a locale, in the order of `labelled`."""
    import gradio as gr

    texts = get_texts(locale)
    buttons = ("activate", "back_models", "back_knowledge")
    return [
        gr.update(label=texts["kind"], choices=_kinds(texts)),
        *(gr.update(value=texts[name]) for name in buttons),
        gr.update(label=texts["card"]),
    ]


def labelled(tab: SimpleNamespace) -> list[Any]:
    """Return the components with labels."""
    return [tab.kind, tab.activate, tab.back_models, tab.back_knowledge, tab.card_box]


def _kinds(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(texts["every"], ""), *((texts[kind], kind) for kind in _KINDS)]
