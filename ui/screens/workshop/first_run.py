"""The workshop's first page: documents and dialogs are brought in, checked, built, and tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from ui import error_texts
from ui.client.authoring_api import AuthoringApi, asked
from ui.client.http_client import ApiError, Json
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.chat.views import sources_html
from ui.screens.console.texts import ConsoleTexts
from ui.screens.workshop import views
from ui.screens.workshop.texts import words

_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_DOCUMENTS: Final = [
    *(".md", ".markdown", ".html", ".htm", ".txt", ".csv", ".jsonl", ".pdf", ".docx", ".zip")
]
_DIALOGS: Final = [".csv", ".jsonl", ".gz"]


@dataclass(frozen=True)
class SetupPage:
    """What happens on the page: every method is an event's handler."""

    bench: AuthoringApi
    at: SimpleNamespace

    def show(self, role: str | None, tongue: str) -> Any:
        """Return how far the home is, and the files in it."""
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        said, status, files = words(tongue), asked(self.bench.status), asked(self.bench.files)
        first = said["welcome" if status["first_run"] else "ready"]
        head = first if role == "admin" else f"{first}\n\n{said['admins']}"
        paths = [one["path"] for shelf in files.values() for one in shelf]
        return [head, views.files(files, said), gr.update(choices=paths, value=None)]

    def send(self, to: str) -> Any:
        """Return the handler that brings files in, each by itself."""

        def sent(files: Sequence[str] | None, tongue: str) -> Any:
            lines = []
            for file in files or ():
                try:
                    told = self.bench.send(to, Path(file))
                except ApiError as error:
                    lines.append(
                        f"<li class='bad'>✗ {escape(error_texts.told(error, tongue))}</li>"
                    )
                else:
                    lines.append(f"<li>✓ {escape(_kept(to, told, tongue))}</li>")
            return None, f"<ul class='findings'>{''.join(lines)}</ul>" if lines else ""

        return sent

    def begin(self, task: str) -> Any:
        """Return the handler that begins a job."""

        def begun(method: str) -> None:
            options = {"method": method} if task == "train" else {}
            asked(lambda: self.bench.begin(task, **options))

        return begun

    def discard(self, path: str | None) -> None:
        """Delete a file of the home."""
        if path:
            asked(lambda: self.bench.discard(path))

    def ask(self, question: str, tongue: str) -> str:
        """Ask as a customer would, and show where the answer comes from."""
        if not question.strip():
            return ""
        turn = asked(lambda: self.bench.client.send(question))
        said = ConsoleTexts(tongue)
        named = {"route": said.term(turn["route"]), "reason": said.reason(turn["reason"])}
        told = words(tongue)["answered"].format(**named)
        return (
            f"<p class='passage'>{escape(turn['reply']['text'])}</p>"
            f"<p class='quiet'>{escape(told)}</p>{sources_html(turn['reply']['citations'])}"
        )


def _kept(to: str, told: Json, tongue: str) -> str:
    said = words(tongue)
    parts = [said["kept"].format(**told), said[f"kept_{to}"].format(**told)]
    failed = [error_texts.unread(one, tongue) for one in told["failed"]]
    parts += [said["failed_files"].format(files="; ".join(failed))] if failed else []
    return " · ".join(parts)


def build(setup: SetupPage, said: dict[str, str]) -> None:
    """Lay out the page inside the tab that is open."""
    import gradio as gr

    at = setup.at
    at.welcome = gr.Markdown(said["welcome"], elem_id="setup-welcome")
    small: dict[str, Any] = {"size": "md", "min_width": 120}
    many: dict[str, Any] = {"file_count": "multiple", "height": 150}
    with gr.Row():
        with gr.Column(min_width=320):
            at.documents_title = gr.Markdown(_titled(said, "documents"))
            at.documents = gr.File(
                file_types=_DOCUMENTS, show_label=False, elem_id="setup-documents", **many
            )
            at.documents_kept = gr.HTML(elem_id="setup-documents-kept")
        with gr.Column(min_width=320):
            at.dialogs_title = gr.Markdown(_titled(said, "dialogs"))
            at.dialogs = gr.File(
                file_types=_DIALOGS, show_label=False, elem_id="setup-dialogs", **many
            )
            at.dialogs_kept = gr.HTML(elem_id="setup-dialogs-kept")
    with gr.Row():
        with gr.Column(min_width=320):
            at.build_title = gr.Markdown(f"### {said['build']}")
            with gr.Row():
                at.ingest = gr.Button(
                    said["ingest"], variant="primary", elem_id="setup-ingest", **small
                )
                at.lint = gr.Button(said["lint"], elem_id="setup-check", **small)
                at.train = gr.Button(
                    said["train"], variant="primary", elem_id="setup-train", **small
                )
            at.method = gr.Radio(_methods(said), value="head", label=said["method"])
        with gr.Column(min_width=320):
            at.try_title = gr.Markdown(f"### {said['try']}")
            with gr.Row(equal_height=True):
                at.question = gr.Textbox(
                    placeholder=said["question"],
                    show_label=False,
                    container=False,
                    scale=5,
                    elem_id="setup-question",
                )
                at.ask = gr.Button(said["ask"], scale=1, size="md", min_width=80)
            at.answer = gr.HTML(elem_id="setup-answer")
    at.files = gr.HTML(elem_id="setup-files")
    with gr.Row(equal_height=True):
        at.doomed = gr.Dropdown([], value=None, label=said["delete"], elem_id="setup-doomed")
        at.delete = gr.Button(said["delete_button"], variant="stop", scale=0, **small)


def wire(setup: SetupPage) -> None:
    """Join events and handlers."""
    at = setup.at
    inputs, outputs = [at.role, at.tongue], [at.welcome, at.files, at.doomed]
    at.seen.change(setup.show, inputs, outputs, **_QUIET)  # something was built
    for shelf, place, kept in (
        ("articles", at.documents, at.documents_kept),
        ("dialogs", at.dialogs, at.dialogs_kept),
    ):
        sent = place.upload(setup.send(shelf), [place, at.tongue], [place, kept], **_QUIET)
        sent.then(setup.show, inputs, outputs, **_QUIET)
    for task, button in (("ingest", at.ingest), ("check", at.lint), ("train", at.train)):
        button.click(setup.begin(task), at.method, None, **_QUIET)
    at.delete.click(setup.discard, at.doomed, None, **_QUIET).then(
        setup.show, inputs, outputs, **_QUIET
    )
    at.ask.click(setup.ask, [at.question, at.tongue], at.answer, **_QUIET)
    at.question.submit(setup.ask, [at.question, at.tongue], at.answer, **_QUIET)


def labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language, in the order of `named`."""
    import gradio as gr

    said = words(tongue)
    buttons = ("ingest", "lint", "train", "ask", "delete_button")
    return [
        _titled(said, "documents"),
        _titled(said, "dialogs"),
        f"### {said['build']}",
        f"### {said['try']}",
        *(gr.update(value=said[name]) for name in buttons),
        gr.update(label=said["method"], choices=_methods(said)),
        gr.update(placeholder=said["question"]),
        gr.update(label=said["delete"]),
    ]


def named(at: SimpleNamespace) -> list[Any]:
    """Return what has words on it."""
    titles = [at.documents_title, at.dialogs_title, at.build_title, at.try_title]
    buttons = [at.ingest, at.lint, at.train, at.ask, at.delete]
    return [*titles, *buttons, at.method, at.question, at.doomed]


def _titled(said: dict[str, str], name: str) -> str:
    return f"### {said[name]}\n{said[f'{name}_hint']}"


def _methods(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(said[name], name) for name in ("head", "full")]
