"""The workshop: where supervisors and admins change what the assistant says and how it is built."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ui.client.authoring_api import AuthoringApi, asked
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLanguage, spoken
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.workshop import editor as editing
from ui.screens.workshop import first_run, versions, views
from ui.screens.workshop.texts import words

CSS: Final = views.CSS
ID: Final = "workshop"
_SECONDS: Final = 2
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_SETUP: Final = "setup"
SHOWN: Final = 5  # what the head shows


@dataclass(frozen=True)
class WorkshopHeader:
    """What stands above all pages of the workshop: what serves, and what is being done."""

    bench: AuthoringApi

    def watch(self, role: str | None, tongue: str, shown: Any) -> Any:
        """Return what changed since the last look.

        `seen` is what other pages depend on: what is active, and which job ended how.
        """
        import gradio as gr

        if role in {None, "agent"}:
            return [gr.skip()] * SHOWN
        try:
            status = self.bench.status()
        except ApiError:  # the next look tells
            return [gr.skip()] * SHOWN
        now = [status, tongue]
        if now == shown:
            return [gr.skip()] * SHOWN
        said, job = words(tongue), status["job"]
        running = bool(job) and job["state"] == "running"
        seen = [status["active"], job and [job["id"], job["state"]]]
        stop = gr.update(visible=running and role == "admin", value=said["stop"])
        return [now, seen, views.serving(status, said), views.job(status, said, tongue), stop]

    def stop(self, shown: Any) -> None:
        """End what is being done."""
        job: Json | None = shown[0]["job"] if shown else None
        if job:
            asked(lambda: self.bench.stop(job["id"]))


@dataclass(frozen=True)
class WorkshopTabs:
    """The way in: the tabs, the one of the workshop, and the state that tells which is open."""

    tabs: Any
    tab: Any
    open: Any


def build(client: Client, place: TabLanguage, door: WorkshopTabs) -> None:
    """Lay out the tab inside the blocks that are open; it is shown to those who may use it."""
    import gradio as gr

    said, at, bench = words(ENGLISH), SimpleNamespace(tongue=place.tongue), AuthoringApi(client)
    parts = WorkshopPages(
        WorkshopHeader(bench),
        editing.EditorPage(bench, at),
        versions.VersionsPage(bench, at),
        first_run.SetupPage(bench, at),
    )
    # Each has one writer: the role, what is shown of the status, what the other pages depend on.
    at.role, at.shown, at.seen = gr.State(None), gr.State(None), gr.State(None)
    with gr.Row(equal_height=True, elem_classes="filters"):
        at.serving = gr.HTML(padding=False, elem_id="workshop-serving")
        at.stop = gr.Button(said["stop"], visible=False, size="sm", scale=0, min_width=80)
    at.job = gr.HTML(padding=False, elem_id="workshop-job")
    with gr.Tabs() as at.pages:
        with gr.Tab(said["texts"], id="texts") as at.texts:
            editing.build(parts.editor, said)
        with gr.Tab(said["versions"], id="versions") as at.shelf:
            versions.build(parts.shelf, said)
        with gr.Tab(said["setup"], id=_SETUP) as at.setup:
            first_run.build(parts.setup, said)
    editing.wire(parts.editor)
    versions.wire(parts.shelf)
    first_run.wire(parts.setup)
    _wire(parts, at, place, door)
    for part in (editing, versions, first_run):
        place.name(part.named(at), part.labels)
    place.name([at.texts, at.shelf, at.setup], _titles)


def _titles(tongue: str) -> list[Any]:
    import gradio as gr

    said = words(tongue)
    return [gr.update(label=said[name]) for name in ("texts", "versions", "setup")]


class WorkshopState(NamedTuple):
    """The inputs that the pages depend on, in the order of `_wire`."""

    role: str | None
    tongue: str
    opened: Json | None
    judged: Json | None
    only: bool
    chosen: Json | None
    kind: str
    version: str | None


@dataclass(frozen=True)
class WorkshopPages:
    """The pages of the workshop, below its head."""

    head: WorkshopHeader
    editor: editing.EditorPage
    shelf: versions.VersionsPage
    setup: first_run.SetupPage

    def fill(self, *inputs: Any) -> Any:
        """Return all that the pages show, in one language; nothing for agents."""
        import gradio as gr

        state = WorkshopState(*inputs)
        role, tongue = state.role, state.tongue
        if role in {None, "agent"}:
            return gr.skip()
        return [
            *self.head.watch(role, tongue, None),
            self.editor.texts(tongue),
            self.editor.history(role, state.opened, state.only, tongue),
            *self.editor.again(state.opened, state.judged, state.chosen, tongue),
            *self.shelf.show(role, state.kind, tongue),
            self.shelf.again(state.version, tongue),
            *self.setup.show(role, tongue),
        ]


def _wire(
    parts: WorkshopPages, at: SimpleNamespace, place: TabLanguage, door: WorkshopTabs
) -> None:
    """Join events and handlers."""
    import gradio as gr

    head = parts.head
    page, tick = gr.context.Context.root_block, gr.Timer(_SECONDS)
    watching, watched = [at.role, at.tongue, at.shown], [at.shown, at.seen, at.serving, at.job]
    watched.append(at.stop)
    admins = [at.back_models, at.back_knowledge, at.documents, at.dialogs, at.ingest, at.lint]
    admins += [at.train, at.delete]
    entering = [at.role, door.tab, door.tabs, at.pages, door.open, place.shown]

    def enter() -> Any:
        """Tell who signed in; an admin of an empty home is led to where it is filled."""
        role = head.bench.role()
        if role == "agent":
            return [role, *[gr.skip()] * (len(entering) + len(admins) - 1)]
        admin = role == "admin"
        led = [gr.skip()] * 4
        if admin and head.bench.status()["first_run"]:
            led = [gr.update(selected=ID), gr.update(selected=_SETUP), ID, spoken()]
        may = gr.update(interactive=admin)
        return [role, gr.update(visible=True), *led, *[may] * len(admins)]

    page.load(enter, None, [*entering, *admins], **_QUIET).then(
        head.watch, watching, watched, **_QUIET
    )
    tick.tick(head.watch, watching, watched, **_QUIET)
    at.stop.click(head.stop, at.shown, None, **_QUIET)
    given = [at.role, place.shown, at.opened, at.judged, at.only, at.chosen, at.kind, at.version]
    filled = [*watched, at.chooser, at.history, at.found, at.preview, at.past]
    filled += [at.versions, at.trend, at.about, at.welcome, at.files, at.doomed]
    place.shown.change(parts.fill, given, filled, **_QUIET)
