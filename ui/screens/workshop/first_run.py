"""The workshop's setup: upload documents and dialogs, check them, build, try a question."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from ui import error_texts
from ui.client.authoring_api import AuthoringApi
from ui.client.http_client import ApiError, Json
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.chat.views import sources_html
from ui.screens.console.texts import ConsoleTexts
from ui.screens.notices import call_api
from ui.screens.workshop import views
from ui.screens.workshop.texts import get_texts

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_DOCUMENTS: Final = [
    *(".md", ".markdown", ".html", ".htm", ".txt", ".csv", ".jsonl", ".pdf", ".docx", ".zip")
]
_DIALOGS: Final = [".csv", ".jsonl", ".gz"]


@dataclass(frozen=True)
class SetupPage:
    """Event handlers of the page."""

    api: AuthoringApi
    tab: SimpleNamespace

    def show(self, role: str | None, locale: str) -> Any:
        """Return the welcome and the files of the home."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        texts = get_texts(locale)
        status, files = call_api(self.api.status), call_api(self.api.files)
        first = texts["welcome" if status["first_run"] else "ready"]
        welcome = first if role == "admin" else f"{first}\n\n{texts['admins']}"
        paths = [file["path"] for group in files.values() for file in group]
        return [welcome, views.files_html(files, texts), gr.update(choices=paths, value=None)]

    def upload(self, group: str) -> Any:
        """Return the handler that uploads files, one request for each."""

        def handle(files: Sequence[str] | None, locale: str) -> Any:
            lines = []
            for file in files or ():
                try:
                    stored = self.api.upload(group, Path(file))
                except ApiError as error:
                    lines.append(
                        f"<li class='bad'>✗ {escape(error_texts.error_text(error, locale))}</li>"
                    )
                else:
                    lines.append(f"<li>✓ {escape(_stored_text(group, stored, locale))}</li>")
            return None, f"<ul class='findings'>{''.join(lines)}</ul>" if lines else ""

        return handle

    def start(self, task: str) -> Any:
        """Return the handler that starts a job."""

        def handle(method: str) -> None:
            options = {"method": method} if task == "train" else {}
            call_api(lambda: self.api.start(task, **options))

        return handle

    def delete(self, path: str | None) -> None:
        """Delete a file of the home."""
        if path:
            call_api(lambda: self.api.delete_file(path))

    def ask(self, question: str, locale: str) -> str:
        """Ask as a customer would; return the answer with its sources."""
        if not question.strip():
            return ""
        turn = call_api(lambda: self.api.client.send(question))
        terms = ConsoleTexts(locale)
        names = {"route": terms.term(turn["route"]), "reason": terms.reason(turn["reason"])}
        note = get_texts(locale)["answered"].format(**names)
        return (
            f"<p class='passage'>{escape(turn['reply']['text'])}</p>"
            f"<p class='quiet'>{escape(note)}</p>{sources_html(turn['reply']['citations'])}"
        )


def _stored_text(group: str, stored: Json, locale: str) -> str:
    texts = get_texts(locale)
    parts = [texts["kept"].format(**stored), texts[f"kept_{group}"].format(**stored)]
    failed = [error_texts.unread_file_text(file, locale) for file in stored["failed"]]
    parts += [texts["failed_files"].format(files="; ".join(failed))] if failed else []
    return " · ".join(parts)


def build(setup: SetupPage, texts: dict[str, str]) -> None:
    """Lay out the page inside the open tab."""
    import gradio as gr

    tab = setup.tab
    tab.welcome = gr.Markdown(texts["welcome"], elem_id="setup-welcome")
    button: dict[str, Any] = {"size": "md", "min_width": 120}
    upload: dict[str, Any] = {"file_count": "multiple", "height": 150}
    with gr.Row():
        with gr.Column(min_width=320):
            tab.documents_title = gr.Markdown(_heading(texts, "documents"))
            tab.documents = gr.File(
                file_types=_DOCUMENTS, show_label=False, elem_id="setup-documents", **upload
            )
            tab.documents_stored = gr.HTML(elem_id="setup-documents-kept")
        with gr.Column(min_width=320):
            tab.dialogs_title = gr.Markdown(_heading(texts, "dialogs"))
            tab.dialogs = gr.File(
                file_types=_DIALOGS, show_label=False, elem_id="setup-dialogs", **upload
            )
            tab.dialogs_stored = gr.HTML(elem_id="setup-dialogs-kept")
    with gr.Row():
        with gr.Column(min_width=320):
            tab.build_title = gr.Markdown(f"### {texts['build']}")
            with gr.Row():
                tab.ingest = gr.Button(
                    texts["ingest"], variant="primary", elem_id="setup-ingest", **button
                )
                tab.lint = gr.Button(texts["lint"], elem_id="setup-check", **button)
                tab.train = gr.Button(
                    texts["train"], variant="primary", elem_id="setup-train", **button
                )
            tab.method = gr.Radio(_methods(texts), value="head", label=texts["method"])
        with gr.Column(min_width=320):
            tab.try_title = gr.Markdown(f"### {texts['try']}")
            with gr.Row(equal_height=True):
                tab.question = gr.Textbox(
                    placeholder=texts["question"],
                    show_label=False,
                    container=False,
                    scale=5,
                    elem_id="setup-question",
                )
                tab.ask = gr.Button(texts["ask"], scale=1, size="md", min_width=80)
            tab.answer = gr.HTML(elem_id="setup-answer")
    tab.files = gr.HTML(elem_id="setup-files")
    with gr.Row(equal_height=True):
        tab.deletion = gr.Dropdown([], value=None, label=texts["delete"], elem_id="setup-doomed")
        tab.delete = gr.Button(texts["delete_button"], variant="stop", scale=0, **button)


def wire(setup: SetupPage) -> None:
    """Connect events and handlers."""
    tab = setup.tab
    inputs, outputs = [tab.role, tab.locale], [tab.welcome, tab.files, tab.deletion]
    tab.dependencies.change(setup.show, inputs, outputs, **_QUIET)  # after a build
    for group, upload, summary in (
        ("articles", tab.documents, tab.documents_stored),
        ("dialogs", tab.dialogs, tab.dialogs_stored),
    ):
        event = upload.upload(
            setup.upload(group), [upload, tab.locale], [upload, summary], **_QUIET
        )
        event.then(setup.show, inputs, outputs, **_QUIET)
    for task, button in (("ingest", tab.ingest), ("check", tab.lint), ("train", tab.train)):
        button.click(setup.start(task), tab.method, None, **_QUIET)
    tab.delete.click(setup.delete, tab.deletion, None, **_QUIET).then(
        setup.show, inputs, outputs, **_QUIET
    )
    tab.ask.click(setup.ask, [tab.question, tab.locale], tab.answer, **_QUIET)
    tab.question.submit(setup.ask, [tab.question, tab.locale], tab.answer, **_QUIET)


def labels(locale: str) -> list[Any]:
    """Return the labels in a locale, in the order of `labelled`."""
    import gradio as gr

    texts = get_texts(locale)
    buttons = ("ingest", "lint", "train", "ask", "delete_button")
    return [
        _heading(texts, "documents"),
        _heading(texts, "dialogs"),
        f"### {texts['build']}",
        f"### {texts['try']}",
        *(gr.update(value=texts[name]) for name in buttons),
        gr.update(label=texts["method"], choices=_methods(texts)),
        gr.update(placeholder=texts["question"]),
        gr.update(label=texts["delete"]),
    ]


def labelled(tab: SimpleNamespace) -> list[Any]:
    """Return the components with labels."""
    titles = [tab.documents_title, tab.dialogs_title, tab.build_title, tab.try_title]
    buttons = [tab.ingest, tab.lint, tab.train, tab.ask, tab.delete]
    return [*titles, *buttons, tab.method, tab.question, tab.deletion]


def _heading(texts: dict[str, str], name: str) -> str:
    return f"### {texts[name]}\n{texts[f'{name}_hint']}"


def _methods(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(texts[name], name) for name in ("head", "full")]
