"""The workshop: where supervisors and admins change what the assistant says and how it is built."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from ui import editor as editing
from ui import first_run, versions
from ui import workshop_views as views
from ui.bench import Bench, asked
from ui.chat import CONCURRENCY
from ui.client import ApiError, Client, Json
from ui.insights_words import CHINESE, ENGLISH
from ui.workshop_words import words

CSS: Final = views.CSS
ID: Final = "workshop"
_SECONDS: Final = 2
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_SETUP: Final = "setup"


@dataclass(frozen=True)
class Head:
    """What stands above all pages of the workshop: what serves, and what is being done."""

    bench: Bench

    def watch(self, role: str | None, tongue: str, shown: Any) -> Any:
        """Return what changed since the last look.

        `seen` is what other pages depend on: what is active, and which job ended how.
        """
        import gradio as gr

        if role in {None, "agent"}:
            return gr.skip()
        try:
            status = self.bench.status()
        except ApiError:  # the next look tells
            return gr.skip()
        now = [status, tongue]
        if now == shown:
            return gr.skip()
        said, job = words(tongue), status["job"]
        running = bool(job) and job["state"] == "running"
        seen = [status["active"], job and [job["id"], job["state"]]]
        stop = gr.update(visible=running and role == "admin", value=said["stop"])
        return [now, seen, views.serving(status, said), views.job(status, said), stop]

    def stop(self, shown: Any) -> None:
        """End what is being done."""
        job: Json | None = shown[0]["job"] if shown else None
        if job:
            asked(lambda: self.bench.stop(job["id"]))


def build(client: Client, tabs: Any, tab: Any) -> None:
    """Lay out the tab inside the blocks that are open; of `tabs`, `tab` is shown to who may."""
    import gradio as gr

    said, at, bench = words(ENGLISH), SimpleNamespace(), Bench(client)
    head, editor = Head(bench), editing.Editor(bench, at)
    shelf, setup = versions.Shelf(bench, at), first_run.Setup(bench, at)
    # Each has one writer: the role, what is shown of the status, what the other pages depend on.
    at.role, at.shown, at.seen = gr.State(None), gr.State(None), gr.State(None)
    with gr.Row(equal_height=True, elem_classes="filters"):
        at.serving = gr.HTML(padding=False, elem_id="workshop-serving")
        at.stop = gr.Button(said["stop"], visible=False, size="sm", scale=0, min_width=80)
        at.tongue = gr.Radio(
            [ENGLISH, CHINESE],
            value=ENGLISH,
            show_label=False,
            container=False,
            scale=0,
            min_width=220,
            elem_id="workshop-language",
        )
    at.job = gr.HTML(padding=False, elem_id="workshop-job")
    with gr.Tabs() as at.pages:
        with gr.Tab(said["texts"], id="texts") as at.texts:
            editing.build(editor, said)
        with gr.Tab(said["versions"], id="versions") as at.shelf:
            versions.build(shelf, said)
        with gr.Tab(said["setup"], id=_SETUP) as at.setup:
            first_run.build(setup, said)
    editing.wire(editor)
    versions.wire(shelf)
    first_run.wire(setup)
    at.tabs, at.tab = tabs, tab
    _wire(head, editor, at)


def _wire(head: Head, editor: editing.Editor, at: SimpleNamespace) -> None:
    """Join events and handlers."""
    import gradio as gr

    page, tick = gr.context.Context.root_block, gr.Timer(_SECONDS)
    watching, watched = [at.role, at.tongue, at.shown], [at.shown, at.seen, at.serving, at.job]
    watched.append(at.stop)
    past = [at.role, at.opened, at.only, at.tongue]
    admins = [at.back_models, at.back_knowledge, at.documents, at.dialogs, at.ingest, at.lint]
    admins += [at.train, at.delete]

    def enter() -> Any:
        """Tell who signed in; an admin of an empty home is led to where it is filled."""
        role = head.bench.role()
        if role == "agent":
            return [role, *[gr.skip()] * (len(admins) + 4)]
        admin, first = role == "admin", head.bench.status()["first_run"]
        leads = admin and first
        return [
            role,
            gr.update(visible=True),
            gr.update(selected=ID) if leads else gr.skip(),
            gr.update(selected=_SETUP) if leads else gr.skip(),
            editor.texts(ENGLISH),
            *[gr.update(interactive=admin)] * len(admins),
        ]

    entered = page.load(
        enter, None, [at.role, at.tab, at.tabs, at.pages, at.chooser, *admins], **_QUIET
    )
    entered.then(head.watch, watching, watched, **_QUIET).then(
        editor.history, past, at.history, **_QUIET
    )
    tick.tick(head.watch, watching, watched, **_QUIET)
    at.stop.click(head.stop, at.shown, None, **_QUIET)
    _wire_words(head, editor, at, (watching, watched, past))


def _wire_words(
    head: Head,
    editor: editing.Editor,
    at: SimpleNamespace,
    states: tuple[list[Any], list[Any], list[Any]],
) -> None:
    """Say all again in the other language when it is chosen."""
    import gradio as gr

    watching, watched, past = states
    parts = (editing, versions, first_run)
    named = [component for part in parts for component in part.named(at)]
    tabs = [at.texts, at.shelf, at.setup]

    def speak(tongue: str) -> list[Any]:
        said = words(tongue)
        titles = [gr.update(label=said[name]) for name in ("texts", "versions", "setup")]
        return [*(update for part in parts for update in part.labels(tongue)), *titles]

    def hint(tongue: str, *chosen: Any) -> list[Any]:
        """Say anew what to choose where nothing is chosen."""
        said = words(tongue)
        return [
            gr.skip() if one else f"<p class='quiet'>{said[name]}</p>"
            for one, name in zip(chosen, ("choose", "history_hint", "version_hint"), strict=True)
        ]

    spoken = at.tongue.change(speak, at.tongue, [*named, *tabs], **_QUIET)
    hinted = [at.tongue, at.opened, at.chosen, at.version]
    at.tongue.change(hint, hinted, [at.found, at.past, at.about], **_QUIET)
    again = [at.role, at.kind, at.tongue]
    spoken.then(head.watch, watching, watched, **_QUIET).then(
        editor.texts, at.tongue, at.chooser, **_QUIET
    ).then(editor.history, past, at.history, **_QUIET).then(
        versions.Shelf(head.bench, at).show, again, [at.versions, at.trend], **_QUIET
    ).then(
        first_run.Setup(head.bench, at).show,
        [at.role, at.tongue],
        [at.welcome, at.files, at.doomed],
        **_QUIET,
    )
