"""The workshop's versions: what was built, what it measured, which one serves, going back."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from ui.client.authoring_api import AuthoringApi, asked
from ui.client.http_client import Json
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.workshop import views
from ui.screens.workshop.texts import words

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_WIDTHS: Final = ["7%", "29%", "13%", "23%", "28%"]
_KINDS: Final = ("models", "knowledge", "templates", "policy")


@dataclass(frozen=True)
class VersionsPage:
    """What happens on the page: every method is an event's handler."""

    bench: AuthoringApi
    at: SimpleNamespace

    def show(self, role: str | None, kind: str, tongue: str) -> Any:
        """Return the versions, the latest first, and how the models got better."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        found = asked(self.bench.versions)
        said = words(tongue)
        chosen = [one for one in found if kind in {"", one["kind"]}]
        table = {
            "data": views.versions(chosen, said),
            "headers": said["version_columns"].split("|"),
        }
        return [gr.update(value=table), views.trend(found, said)]

    def look(self, role: str | None, tongue: str, event: Any) -> Any:
        """Show the version of a row."""
        import gradio as gr

        identifier = str(event.row_value[1])
        if not identifier.startswith(("m-", "k-")):  # texts and rules: their publications tell
            shown = f"<p class='quiet'>{identifier}</p>"
            off = gr.update(interactive=False)
            hidden = gr.update(visible=False)
            told = {self.at.version: None, self.at.about: shown, self.at.activate: off}
            return {**told, self.at.folded: hidden}
        told = asked(lambda: self.bench.version(identifier))
        said = words(tongue)
        may = role == "admin" and not told["active"]
        return {
            self.at.version: told["id"],
            self.at.about: views.version(told, said),
            self.at.card: told["card"] or "",
            self.at.folded: gr.update(visible=bool(told["card"])),
            self.at.activate: gr.update(interactive=may),
        }

    def again(self, identifier: str | None, tongue: str) -> str:
        """Return what is known of the version that is shown, in another language."""
        said = words(tongue)
        if identifier is None:
            return f"<p class='quiet'>{said['version_hint']}</p>"
        return views.version(asked(lambda: self.bench.version(identifier)), said)

    def activate(self, identifier: str | None, tongue: str) -> Any:
        """Make the chosen version the one that serves."""
        import gradio as gr

        if identifier:
            told = asked(lambda: self.bench.activate(identifier))
            notices.inform(words(tongue)["activated"].format(**told), tongue)
        return gr.update(interactive=False)

    def go_back(self, kind: str) -> Any:
        """Return the handler that goes back to the version before the active one."""

        def back(tongue: str) -> None:

            told: Json = asked(lambda: self.bench.go_back(kind))
            notices.inform(words(tongue)["activated"].format(**told), tongue)

        return back


def build(shelf: VersionsPage, said: dict[str, str]) -> None:
    """Lay out the page inside the tab that is open."""
    import gradio as gr

    at = shelf.at
    at.version = gr.State(None)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            at.kind = gr.Dropdown(_kinds(said), value="", label=said["kind"])
            at.versions = read_only_table(
                said["version_columns"],
                _WIDTHS,
                max_height=360,
                buttons=[],
                elem_id="workshop-versions",
            )
            with gr.Row():
                small: dict[str, Any] = {"size": "md", "interactive": False, "min_width": 120}
                at.activate = gr.Button(
                    said["activate"], variant="primary", elem_id="workshop-activate", **small
                )
                at.back_models = gr.Button(said["back_models"], **small)
                at.back_knowledge = gr.Button(
                    said["back_knowledge"], elem_id="workshop-back-knowledge", **small
                )
            at.trend = gr.HTML(elem_id="workshop-trend")
        with gr.Column(scale=5, min_width=320):
            at.about = gr.HTML(
                f"<p class='quiet'>{said['version_hint']}</p>", elem_id="workshop-version"
            )
            with gr.Accordion(said["card"], open=False, visible=False) as at.folded:
                at.card = gr.Markdown(elem_id="workshop-card")


def wire(shelf: VersionsPage) -> None:
    """Join events and handlers."""
    at = shelf.at
    inputs, outputs = [at.role, at.kind, at.tongue], [at.versions, at.trend]
    at.kind.change(shelf.show, inputs, outputs, **_QUIET)
    at.seen.change(shelf.show, inputs, outputs, **_QUIET)  # something was built or activated
    told = [at.version, at.about, at.card, at.folded, at.activate]
    at.versions.select(with_event(shelf.look), [at.role, at.tongue], told, **_QUIET)
    done = [
        at.activate.click(shelf.activate, [at.version, at.tongue], at.activate, **_QUIET),
        at.back_models.click(shelf.go_back("models"), at.tongue, None, **_QUIET),
        at.back_knowledge.click(shelf.go_back("knowledge"), at.tongue, None, **_QUIET),
    ]
    for event in done:
        event.then(shelf.show, inputs, outputs, **_QUIET)


def labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language, in the order of `named`."""
    import gradio as gr

    said = words(tongue)
    buttons = ("activate", "back_models", "back_knowledge")
    return [
        gr.update(label=said["kind"], choices=_kinds(said)),
        *(gr.update(value=said[name]) for name in buttons),
        gr.update(label=said["card"]),
    ]


def named(at: SimpleNamespace) -> list[Any]:
    """Return what has words on it."""
    return [at.kind, at.activate, at.back_models, at.back_knowledge, at.folded]


def _kinds(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(said["every"], ""), *((said[kind], kind) for kind in _KINDS)]
