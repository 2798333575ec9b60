"""The workshop's editor: open, check, publish and roll back texts."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ui.client.authoring_api import AuthoringApi
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.notices import call_api
from ui.screens.workshop import views
from ui.screens.workshop.texts import get_texts

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_WIDTHS: Final = ["21%", "11%", "25%", "10%", "20%", "13%"]
_ARTICLES: Final = "kb/"
_NEW_ARTICLE: Final = "---\ntitle: {title}\nlanguage: {language}\n---\n# {title}\n\n"


class Edit(NamedTuple):
    """A text to publish: `base` is the hash of the text it replaces."""

    path: str
    text: str
    base: str
    note: str
    draft: str | None = None


@dataclass(frozen=True)
class EditorPage:
    """Event handlers of the page.

    `opened` is the open text as the server sent it, with its hash; `result` is that of its last
    check; `publication` is the selected one, with the hash of its text when it was selected.
    """

    api: AuthoringApi
    tab: SimpleNamespace

    def texts(self, locale: str) -> Any:
        """Return the texts to choose from."""
        import gradio as gr

        return gr.update(choices=views.text_choices(call_api(self.api.texts), get_texts(locale)))

    def open(self, path: str | None, opened: Json | None, text: str | None, locale: str) -> Any:
        """Open a text, unless the open one has unsaved changes."""
        import gradio as gr

        if not path or (opened and path == opened["path"]):
            return {self.tab.chooser: gr.skip()}
        if opened and _is_changed(opened, text):
            notices.warn(get_texts(locale)["unsaved"].format(path=opened["path"]), locale)
            return {self.tab.chooser: opened["path"]}
        return self._page_values(call_api(lambda: self.api.text(path)), locale)

    def discard(self, opened: Json | None, locale: str) -> Any:
        """Open the same text again, as it is on the server."""
        import gradio as gr

        if not opened:
            return {self.tab.chooser: gr.skip()}
        return self._page_values(call_api(lambda: self.api.text(opened["path"])), locale)

    def create(self, name: str, opened: Json | None, text: str | None, locale: str) -> Any:
        """Begin a new article; open it if it exists."""
        import gradio as gr

        if not name.strip():
            return {self.tab.chooser: gr.skip()}
        if opened and _is_changed(opened, text):
            notices.warn(get_texts(locale)["unsaved"].format(path=opened["path"]), locale)
            return {self.tab.chooser: opened["path"]}
        path = _ARTICLES + name.strip().removeprefix(_ARTICLES)
        path += "" if path.lower().endswith((".md", ".markdown", ".txt")) else ".md"
        article = call_api(lambda: self.api.text(path))
        if not article["sha256"]:
            title = path.rpartition("/")[2].rpartition(".")[0].replace("-", " ").capitalize()
            language = "zh" if "/zh/" in path else "en"
            article["text"] = _NEW_ARTICLE.format(title=title, language=language)
        return self._page_values(article, locale)

    def _page_values(self, text: Json, locale: str) -> dict[Any, Any]:
        """Return the page with a text that was just opened."""
        import gradio as gr

        tab, texts = self.tab, get_texts(locale)
        is_prose = text["kind"] in {"article", "draft"}
        may_publish, is_published = text["may_publish"], bool(text["sha256"])
        choices = views.text_choices(call_api(self.api.texts), texts)
        if text["path"] not in {path for _, path in choices}:
            choices.append((f"{texts[text['kind']]} · {text['path']}", text["path"]))
        return {
            tab.opened: text,
            tab.chooser: gr.update(choices=choices, value=text["path"]),
            tab.code: gr.update(value=text["text"], language="markdown" if is_prose else "yaml"),
            tab.target: gr.update(
                value=text["path"].partition("/")[2], visible=text["kind"] == "draft"
            ),
            tab.problems: self._hint(text, texts),
            tab.preview: "",
            tab.result: None,
            tab.check: gr.update(interactive=True),
            tab.publish: gr.update(interactive=may_publish),
            tab.save: gr.update(interactive=is_prose),
            tab.remove: gr.update(interactive=is_prose and is_published),
            tab.discard: gr.update(interactive=True),
        }

    def check(self, opened: Json | None, text: str | None, target: str, locale: str) -> Any:
        """Show the problems of the text, its difference and its passages."""
        if not opened:
            return {self.tab.problems: _hint_html(get_texts(locale)["choose"])}
        path = _target_path(opened, target)
        return self._result_values(call_api(lambda: self.api.check(path, text or "")), locale)

    def _result_values(self, result: Json, locale: str) -> dict[Any, Any]:
        problems, preview = views.check_html(result, get_texts(locale), locale)
        return {self.tab.problems: problems, self.tab.preview: preview, self.tab.result: result}

    def translate(
        self, opened: Json | None, result: Json | None, publication: Json | None, locale: str
    ) -> list[str]:
        """Return the problems, the preview and the selected publication in another locale."""
        texts = get_texts(locale)
        difference = _hint_html(texts["history_hint"])
        if publication:
            difference = views.difference_html(publication["difference"], texts)
        if result:
            return [*views.check_html(result, texts, locale), difference]
        return [self._hint(opened, texts), "", difference]

    def _hint(self, opened: Json | None, texts: dict[str, str]) -> str:
        if opened is None:
            return _hint_html(texts["choose"])
        return "" if opened["may_publish"] else _hint_html(texts["admin_only"])

    def publish(
        self, opened: Json | None, text: str | None, target: str, note: str, locale: str
    ) -> Any:
        """Publish the text; if that is refused, it stays in the editor."""
        if not opened:
            return {self.tab.problems: _hint_html(get_texts(locale)["choose"])}
        draft = opened["path"] if opened["kind"] == "draft" else None
        base = "" if draft else opened["sha256"]
        return self._publish(
            Edit(_target_path(opened, target), text or "", base, note, draft), locale
        )

    def save(self, opened: Json | None, text: str | None, note: str, locale: str) -> Any:
        """Save the text as a draft, which is not searched."""
        if not opened:
            return {self.tab.problems: _hint_html(get_texts(locale)["choose"])}
        path, base = opened["path"], opened["sha256"]
        if opened["kind"] != "draft":
            path, base = f"drafts/{path.rpartition('/')[2]}", ""
        return self._publish(Edit(path, text or "", base, note), locale)

    def _publish(self, edit: Edit, locale: str) -> dict[Any, Any]:
        import gradio as gr

        texts = get_texts(locale)
        try:
            result = self.api.publish(*edit)
        except ApiError as error:
            notices.warn(error, locale)
            if "problems" in error.body:
                return self._result_values(error.body, locale)
            if error.code == "stale":  # show the published text beside the edited one
                return self._result_values(
                    call_api(lambda: self.api.check(edit.path, edit.text)), locale
                )
            return {self.tab.problems: gr.skip()}
        message = texts["published"].format(path=edit.path)
        notices.inform(
            message + (texts["indexing"] if edit.path.startswith(_ARTICLES) else ""), locale
        )
        page = self._page_values(call_api(lambda: self.api.text(edit.path)), locale)
        return {**page, **self._result_values(result, locale), self.tab.note: ""}

    def remove(self, opened: Json | None, note: str, locale: str) -> Any:
        """Remove the open article or draft."""
        import gradio as gr

        if not opened:
            return {self.tab.problems: gr.skip()}
        call_api(lambda: self.api.remove(opened["path"], opened["sha256"], note))
        notices.inform(get_texts(locale)["removed"].format(path=opened["path"]), locale)
        return {
            **self._page_values(call_api(lambda: self.api.text(opened["path"])), locale),
            self.tab.note: "",
        }

    def history(
        self,
        role: str | None,
        opened: Json | None,
        only_opened: bool,  # noqa: FBT001 — a checkbox
        locale: str,
    ) -> Any:
        """Return the publications of the open text or of all; nothing for agents."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        path = opened["path"] if opened and only_opened else None
        rows = views.publication_rows(call_api(lambda: self.api.publications(path)))
        return gr.update(
            value={"data": rows, "headers": get_texts(locale)["history_columns"].split("|")}
        )

    def show_publication(self, locale: str, event: Any) -> Any:
        """Show the difference of the selected publication."""
        import gradio as gr

        response = call_api(lambda: self.api.publication(str(event.row_value[-1])))
        path = response["publication"]["path"]
        text = call_api(lambda: self.api.text(path))
        publication = {"id": response["publication"]["id"], "path": path, "base": text["sha256"]}
        publication["difference"] = response["difference"]
        difference = views.difference_html(response["difference"], get_texts(locale))
        button = gr.update(interactive=text["may_publish"])
        return {
            self.tab.publication: publication,
            self.tab.difference: difference,
            self.tab.roll_back: button,
        }

    def roll_back(
        self,
        publication: Json | None,
        opened: Json | None,
        text: str | None,
        note: str,
        locale: str,
    ) -> Any:
        """Restore a text as it was before a publication; open it again if it is open."""
        import gradio as gr

        if not publication:
            return {self.tab.roll_back: gr.skip()}
        call_api(lambda: self.api.roll_back(publication["id"], publication["base"], note))
        notices.inform(get_texts(locale)["rolled_back"].format(path=publication["path"]), locale)
        cleared = {
            self.tab.publication: None,
            self.tab.difference: "",
            self.tab.roll_back: gr.update(interactive=False),
        }
        if opened and (opened["path"] != publication["path"] or _is_changed(opened, text)):
            return cleared
        published = call_api(lambda: self.api.text(publication["path"]))
        return {**self._page_values(published, locale), **cleared}


def build(editor: EditorPage, texts: dict[str, str]) -> None:
    """Lay out the page inside the open tab."""
    import gradio as gr

    tab = editor.tab
    tab.opened, tab.result, tab.publication = gr.State(None), gr.State(None), gr.State(None)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            _editor(tab, texts)
        with gr.Column(scale=5, min_width=320):
            tab.problems = gr.HTML(_hint_html(texts["choose"]), elem_id="workshop-found")
            tab.preview = gr.HTML(elem_id="workshop-preview")
    with gr.Row(elem_classes="filters"):
        tab.history_title = gr.Markdown(f"### {texts['history']}")
        tab.only = gr.Checkbox(label=texts["only_this"], scale=0, min_width=180)
    with gr.Row():
        with gr.Column(scale=7, min_width=420):
            tab.history = read_only_table(
                texts["history_columns"],
                _WIDTHS,
                max_height=300,
                buttons=[],
                elem_id="workshop-history",
            )
        with gr.Column(scale=5, min_width=320):
            tab.difference = gr.HTML(_hint_html(texts["history_hint"]), elem_id="workshop-past")
            tab.roll_back = gr.Button(
                texts["roll_back"], interactive=False, size="md", elem_id="workshop-back"
            )


def _editor(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the choice of a text, its editor and the buttons."""
    import gradio as gr

    with gr.Row(equal_height=True, elem_classes="filters"):
        tab.chooser = gr.Dropdown(
            [], value=None, label=texts["text"], scale=5, elem_id="workshop-text"
        )
        tab.name = gr.Textbox(
            label=texts["new"], placeholder=texts["new_path"], scale=4, elem_id="workshop-new"
        )
        tab.create = gr.Button(texts["create"], scale=1, min_width=90)
    tab.target = gr.Textbox(label=texts["as"], visible=False, elem_id="workshop-target")
    tab.code = gr.Code(
        language="markdown",
        lines=20,
        max_lines=26,
        show_label=False,
        wrap_lines=True,
        buttons=["copy"],
        elem_id="workshop-code",
    )
    tab.note = gr.Textbox(label=texts["note"], max_length=500, elem_id="workshop-note")
    button: dict[str, Any] = {"size": "md", "min_width": 90, "interactive": False}
    with gr.Row():
        tab.check = gr.Button(texts["check"], elem_id="workshop-check", **button)
        tab.publish = gr.Button(
            texts["publish"], variant="primary", elem_id="workshop-publish", **button
        )
        tab.save = gr.Button(texts["save_draft"], elem_id="workshop-save", **button)
        tab.discard = gr.Button(texts["discard"], elem_id="workshop-discard", **button)
        tab.remove = gr.Button(texts["remove"], variant="stop", elem_id="workshop-remove", **button)


def wire(editor: EditorPage) -> None:
    """Connect events and handlers."""
    tab = editor.tab
    page = [tab.opened, tab.result, tab.chooser, tab.code, tab.target, tab.problems, tab.preview]
    page += [tab.note, tab.check, tab.publish, tab.save, tab.remove, tab.discard]
    publication = [tab.publication, tab.difference, tab.roll_back]
    history_inputs = [tab.role, tab.opened, tab.only, tab.locale]

    def afterwards(event: Any) -> None:
        event.then(editor.history, history_inputs, tab.history, **_QUIET)

    open_inputs = [tab.chooser, tab.opened, tab.code, tab.locale]
    afterwards(tab.chooser.input(editor.open, open_inputs, page, **_QUIET))
    create_inputs = [tab.name, tab.opened, tab.code, tab.locale]
    tab.create.click(editor.create, create_inputs, page, **_QUIET)
    tab.name.submit(editor.create, create_inputs, page, **_QUIET)
    edit_inputs = [tab.opened, tab.code, tab.target]
    tab.check.click(editor.check, [*edit_inputs, tab.locale], page, **_QUIET)
    publish_inputs = [*edit_inputs, tab.note, tab.locale]
    afterwards(tab.publish.click(editor.publish, publish_inputs, page, **_QUIET))
    save_inputs = [tab.opened, tab.code, tab.note, tab.locale]
    afterwards(tab.save.click(editor.save, save_inputs, page, **_QUIET))
    afterwards(tab.remove.click(editor.remove, [tab.opened, tab.note, tab.locale], page, **_QUIET))
    afterwards(tab.discard.click(editor.discard, [tab.opened, tab.locale], page, **_QUIET))
    tab.only.change(editor.history, history_inputs, tab.history, **_QUIET)
    tab.history.select(with_event(editor.show_publication), tab.locale, publication, **_QUIET)
    roll_back_inputs = [tab.publication, tab.opened, tab.code, tab.note, tab.locale]
    afterwards(
        tab.roll_back.click(editor.roll_back, roll_back_inputs, [*page, *publication], **_QUIET)
    )


def labels(locale: str) -> list[Any]:
    """Return the labels in a locale, in the order of `labelled`."""
    import gradio as gr

    texts = get_texts(locale)
    return [
        gr.update(label=texts["text"]),
        gr.update(label=texts["new"], placeholder=texts["new_path"]),
        gr.update(value=texts["create"]),
        gr.update(label=texts["as"]),
        gr.update(label=texts["note"]),
        *(
            gr.update(value=texts[name])
            for name in ("check", "publish", "save_draft", "discard", "remove", "roll_back")
        ),
        f"### {texts['history']}",
        gr.update(label=texts["only_this"]),
    ]


def labelled(tab: SimpleNamespace) -> list[Any]:
    """Return the components with labels."""
    buttons = [tab.check, tab.publish, tab.save, tab.discard, tab.remove, tab.roll_back]
    fields = [tab.chooser, tab.name, tab.create, tab.target, tab.note]
    return [*fields, *buttons, tab.history_title, tab.only]


def _hint_html(text: str) -> str:
    return f"<p class='quiet'>{text}</p>"


def _is_changed(opened: Json, text: str | None) -> bool:
    """Return whether the text was changed since it was opened."""
    return (text or "").rstrip() != str(opened["text"]).rstrip()


def _target_path(opened: Json, target: str) -> str:
    """Return the path to publish at: of a draft the target, else the path of the text."""
    if opened["kind"] != "draft":
        return str(opened["path"])
    return _ARTICLES + target.strip().removeprefix(_ARTICLES)
