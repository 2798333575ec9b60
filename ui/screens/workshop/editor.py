"""The workshop's editor: a text is opened, changed, checked, published, and brought back."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ui.client.authoring_api import AuthoringApi, asked
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.workshop import views
from ui.screens.workshop.texts import words

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_WIDTHS: Final = ["21%", "11%", "25%", "10%", "20%", "13%"]
_ARTICLES: Final = "kb/"
_BEGUN: Final = "---\ntitle: {title}\nlanguage: {language}\n---\n# {title}\n\n"


class Edit(NamedTuple):
    """A text to publish: `base` is the hash of the text it replaces."""

    path: str
    text: str
    base: str
    note: str
    draft: str | None = None


@dataclass(frozen=True)
class EditorPage:
    """What happens on the page: every method is an event's handler.

    `opened` is the text as the server told it, with the hash that says whether it still is so;
    `judged` is what its last check said; `chosen` is a publication that was looked at, with the
    hash of its text at that moment.
    """

    bench: AuthoringApi
    at: SimpleNamespace

    def texts(self, tongue: str) -> Any:
        """Return the texts to choose from."""
        import gradio as gr

        return gr.update(choices=views.choices(asked(self.bench.texts), words(tongue)))

    def open(self, path: str | None, opened: Json | None, text: str | None, tongue: str) -> Any:
        """Open a text, unless the one that is open has changes nobody kept."""
        import gradio as gr

        if not path or (opened and path == opened["path"]):
            return {self.at.chooser: gr.skip()}
        if opened and _changed(opened, text):
            notices.warn(words(tongue)["unsaved"].format(path=opened["path"]), tongue)
            return {self.at.chooser: opened["path"]}
        return self._shown(asked(lambda: self.bench.text(path)), tongue)

    def discard(self, opened: Json | None, tongue: str) -> Any:
        """Open the same text anew, as it is now."""
        import gradio as gr

        if not opened:
            return {self.at.chooser: gr.skip()}
        return self._shown(asked(lambda: self.bench.text(opened["path"])), tongue)

    def create(self, name: str, opened: Json | None, text: str | None, tongue: str) -> Any:
        """Begin a new article; one that is there is opened."""
        import gradio as gr

        if not name.strip():
            return {self.at.chooser: gr.skip()}
        if opened and _changed(opened, text):
            notices.warn(words(tongue)["unsaved"].format(path=opened["path"]), tongue)
            return {self.at.chooser: opened["path"]}
        path = _ARTICLES + name.strip().removeprefix(_ARTICLES)
        path += "" if path.lower().endswith((".md", ".markdown", ".txt")) else ".md"
        told = asked(lambda: self.bench.text(path))
        if not told["sha256"]:
            title = path.rpartition("/")[2].rpartition(".")[0].replace("-", " ").capitalize()
            language = "zh" if "/zh/" in path else "en"
            told["text"] = _BEGUN.format(title=title, language=language)
        return self._shown(told, tongue)

    def _shown(self, told: Json, tongue: str) -> dict[Any, Any]:
        """Return the page with a text that was opened, and nothing said about it yet."""
        import gradio as gr

        at, said = self.at, words(tongue)
        prose = told["kind"] in {"article", "draft"}
        mine, there = told["may_publish"], bool(told["sha256"])
        choices = views.choices(asked(self.bench.texts), said)
        if told["path"] not in {path for _, path in choices}:
            choices.append((f"{said[told['kind']]} · {told['path']}", told["path"]))
        return {
            at.opened: told,
            at.chooser: gr.update(choices=choices, value=told["path"]),
            at.code: gr.update(value=told["text"], language="markdown" if prose else "yaml"),
            at.target: gr.update(
                value=told["path"].partition("/")[2], visible=told["kind"] == "draft"
            ),
            at.found: self._hint(told, said),
            at.preview: "",
            at.judged: None,
            at.check: gr.update(interactive=True),
            at.publish: gr.update(interactive=mine),
            at.save: gr.update(interactive=prose),
            at.remove: gr.update(interactive=prose and there),
            at.discard: gr.update(interactive=True),
        }

    def check(self, opened: Json | None, text: str | None, target: str, tongue: str) -> Any:
        """Say what is wrong with the words as they stand, what they change, how they are cut."""
        if not opened:
            return {self.at.found: _quiet(words(tongue)["choose"])}
        path = _place(opened, target)
        return self._judged(asked(lambda: self.bench.check(path, text or "")), tongue)

    def _judged(self, checked: Json, tongue: str) -> dict[Any, Any]:
        found, preview = _findings(checked, tongue)
        return {self.at.found: found, self.at.preview: preview, self.at.judged: checked}

    def again(
        self, opened: Json | None, judged: Json | None, chosen: Json | None, tongue: str
    ) -> list[str]:
        """Return what was found, its preview, and the publication looked at, in a language."""
        said = words(tongue)
        past = _quiet(said["history_hint"])
        if chosen:
            past = views.difference(chosen["difference"], said)
        if judged:
            return [*_findings(judged, tongue), past]
        return [self._hint(opened, said), "", past]

    def _hint(self, opened: Json | None, said: dict[str, str]) -> str:
        if opened is None:
            return _quiet(said["choose"])
        return "" if opened["may_publish"] else _quiet(said["admin_only"])

    def publish(
        self, opened: Json | None, text: str | None, target: str, note: str, tongue: str
    ) -> Any:
        """Publish; what is refused stays in the editor."""
        if not opened:
            return {self.at.found: _quiet(words(tongue)["choose"])}
        draft = opened["path"] if opened["kind"] == "draft" else None
        base = "" if draft else opened["sha256"]
        return self._publish(Edit(_place(opened, target), text or "", base, note, draft), tongue)

    def save(self, opened: Json | None, text: str | None, note: str, tongue: str) -> Any:
        """Keep the words as a draft, which is not searched."""
        if not opened:
            return {self.at.found: _quiet(words(tongue)["choose"])}
        path, base = opened["path"], opened["sha256"]
        if opened["kind"] != "draft":
            path, base = f"drafts/{path.rpartition('/')[2]}", ""
        return self._publish(Edit(path, text or "", base, note), tongue)

    def _publish(self, edit: Edit, tongue: str) -> dict[Any, Any]:
        import gradio as gr

        said = words(tongue)
        try:
            made = self.bench.publish(*edit)
        except ApiError as error:
            notices.warn(error, tongue)
            if "problems" in error.body:
                return self._judged(error.body, tongue)
            if error.code == "stale":  # show the published text beside the edited one
                return self._judged(asked(lambda: self.bench.check(edit.path, edit.text)), tongue)
            return {self.at.found: gr.skip()}
        told = said["published"].format(path=edit.path)
        notices.inform(told + (said["indexing"] if edit.path.startswith(_ARTICLES) else ""), tongue)
        shown = self._shown(asked(lambda: self.bench.text(edit.path)), tongue)
        return {**shown, **self._judged(made, tongue), self.at.note: ""}

    def remove(self, opened: Json | None, note: str, tongue: str) -> Any:
        """Take the open article or draft away."""
        import gradio as gr

        if not opened:
            return {self.at.found: gr.skip()}
        asked(lambda: self.bench.remove(opened["path"], opened["sha256"], note))
        notices.inform(words(tongue)["removed"].format(path=opened["path"]), tongue)
        return {
            **self._shown(asked(lambda: self.bench.text(opened["path"])), tongue),
            self.at.note: "",
        }

    def history(
        self,
        role: str | None,
        opened: Json | None,
        only: bool,  # noqa: FBT001 — a checkbox
        tongue: str,
    ) -> Any:
        """Return the publications, of the open text or of all; agents are told nothing."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        path = opened["path"] if opened and only else None
        rows = views.history(asked(lambda: self.bench.publications(path)))
        return gr.update(
            value={"data": rows, "headers": words(tongue)["history_columns"].split("|")}
        )

    def look(self, tongue: str, event: Any) -> Any:
        """Show what the publication of a row changed."""
        import gradio as gr

        told = asked(lambda: self.bench.publication(str(event.row_value[-1])))
        path = told["publication"]["path"]
        now = asked(lambda: self.bench.text(path))
        chosen = {"id": told["publication"]["id"], "path": path, "base": now["sha256"]}
        chosen["difference"] = told["difference"]
        shown = views.difference(told["difference"], words(tongue))
        may = gr.update(interactive=now["may_publish"])
        return {self.at.chosen: chosen, self.at.past: shown, self.at.back: may}

    def roll_back(
        self, chosen: Json | None, opened: Json | None, text: str | None, note: str, tongue: str
    ) -> Any:
        """Bring a text back to before a publication; where it is open, it is opened anew."""
        import gradio as gr

        if not chosen:
            return {self.at.back: gr.skip()}
        asked(lambda: self.bench.roll_back(chosen["id"], chosen["base"], note))
        notices.inform(words(tongue)["rolled_back"].format(path=chosen["path"]), tongue)
        done = {self.at.chosen: None, self.at.past: "", self.at.back: gr.update(interactive=False)}
        if opened and (opened["path"] != chosen["path"] or _changed(opened, text)):
            return done
        told = asked(lambda: self.bench.text(chosen["path"]))
        return {**self._shown(told, tongue), **done}


def build(editor: EditorPage, said: dict[str, str]) -> None:
    """Lay out the page inside the tab that is open."""
    import gradio as gr

    at = editor.at
    at.opened, at.judged, at.chosen = gr.State(None), gr.State(None), gr.State(None)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            _editor(at, said)
        with gr.Column(scale=5, min_width=320):
            at.found = gr.HTML(_quiet(said["choose"]), elem_id="workshop-found")
            at.preview = gr.HTML(elem_id="workshop-preview")
    with gr.Row(elem_classes="filters"):
        at.history_title = gr.Markdown(f"### {said['history']}")
        at.only = gr.Checkbox(label=said["only_this"], scale=0, min_width=180)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            at.history = read_only_table(
                said["history_columns"],
                _WIDTHS,
                max_height=300,
                buttons=[],
                elem_id="workshop-history",
            )
        with gr.Column(scale=5, min_width=320):
            at.past = gr.HTML(_quiet(said["history_hint"]), elem_id="workshop-past")
            at.back = gr.Button(
                said["roll_back"], interactive=False, size="md", elem_id="workshop-back"
            )


def _editor(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out the choice of a text, its editor and the buttons."""
    import gradio as gr

    with gr.Row(equal_height=True, elem_classes="filters"):
        at.chooser = gr.Dropdown(
            [], value=None, label=said["text"], scale=5, elem_id="workshop-text"
        )
        at.name = gr.Textbox(
            label=said["new"], placeholder=said["new_path"], scale=4, elem_id="workshop-new"
        )
        at.create = gr.Button(said["create"], scale=1, min_width=90)
    at.target = gr.Textbox(label=said["as"], visible=False, elem_id="workshop-target")
    at.code = gr.Code(
        language="markdown",
        lines=20,
        max_lines=26,
        show_label=False,
        wrap_lines=True,
        buttons=["copy"],
        elem_id="workshop-code",
    )
    at.note = gr.Textbox(label=said["note"], max_length=500, elem_id="workshop-note")
    small: dict[str, Any] = {"size": "md", "min_width": 90, "interactive": False}
    with gr.Row():
        at.check = gr.Button(said["check"], elem_id="workshop-check", **small)
        at.publish = gr.Button(
            said["publish"], variant="primary", elem_id="workshop-publish", **small
        )
        at.save = gr.Button(said["save_draft"], elem_id="workshop-save", **small)
        at.discard = gr.Button(said["discard"], elem_id="workshop-discard", **small)
        at.remove = gr.Button(said["remove"], variant="stop", elem_id="workshop-remove", **small)


def wire(editor: EditorPage) -> None:
    """Join events and handlers."""
    at = editor.at
    page = [at.opened, at.judged, at.chooser, at.code, at.target, at.found, at.preview, at.note]
    page += [at.check, at.publish, at.save, at.remove, at.discard]
    looking = [at.chosen, at.past, at.back]
    past = [at.role, at.opened, at.only, at.tongue]

    def afterwards(event: Any) -> None:
        event.then(editor.history, past, at.history, **_QUIET)

    opening = [at.chooser, at.opened, at.code, at.tongue]
    afterwards(at.chooser.input(editor.open, opening, page, **_QUIET))
    creating = [at.name, at.opened, at.code, at.tongue]
    at.create.click(editor.create, creating, page, **_QUIET)
    at.name.submit(editor.create, creating, page, **_QUIET)
    words_ = [at.opened, at.code, at.target]
    at.check.click(editor.check, [*words_, at.tongue], page, **_QUIET)
    publishing = [*words_, at.note, at.tongue]
    afterwards(at.publish.click(editor.publish, publishing, page, **_QUIET))
    saving = [at.opened, at.code, at.note, at.tongue]
    afterwards(at.save.click(editor.save, saving, page, **_QUIET))
    afterwards(at.remove.click(editor.remove, [at.opened, at.note, at.tongue], page, **_QUIET))
    afterwards(at.discard.click(editor.discard, [at.opened, at.tongue], page, **_QUIET))
    at.only.change(editor.history, past, at.history, **_QUIET)
    at.history.select(with_event(editor.look), at.tongue, looking, **_QUIET)
    going = [at.chosen, at.opened, at.code, at.note, at.tongue]
    afterwards(at.back.click(editor.roll_back, going, [*page, *looking], **_QUIET))


def labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language, in the order of `named`."""
    import gradio as gr

    said = words(tongue)
    return [
        gr.update(label=said["text"]),
        gr.update(label=said["new"], placeholder=said["new_path"]),
        gr.update(value=said["create"]),
        gr.update(label=said["as"]),
        gr.update(label=said["note"]),
        *(
            gr.update(value=said[name])
            for name in ("check", "publish", "save_draft", "discard", "remove", "roll_back")
        ),
        f"### {said['history']}",
        gr.update(label=said["only_this"]),
    ]


def named(at: SimpleNamespace) -> list[Any]:
    """Return what has words on it."""
    buttons = [at.check, at.publish, at.save, at.discard, at.remove, at.back]
    return [at.chooser, at.name, at.create, at.target, at.note, *buttons, at.history_title, at.only]


def _findings(checked: Json, tongue: str) -> tuple[str, str]:
    """Return what a check found, and its preview."""
    said = words(tongue)
    preview = views.passages(checked, said)
    if "difference" in checked:
        preview = views.difference(checked["difference"], said) + preview
    return views.findings(checked, said, tongue), preview


def _quiet(text: str) -> str:
    return f"<p class='quiet'>{text}</p>"


def _changed(opened: Json, text: str | None) -> bool:
    """Tell words that were changed since the text was opened or begun."""
    return (text or "").rstrip() != str(opened["text"]).rstrip()


def _place(opened: Json, target: str) -> str:
    """Return where the words go: a draft to where it is published, others to where they lie."""
    if opened["kind"] != "draft":
        return str(opened["path"])
    return _ARTICLES + target.strip().removeprefix(_ARTICLES)
