"""The workshop: supervisors and admins edit the texts and build versions."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from ui.client.authoring_api import AuthoringApi
from ui.client.http_client import ApiError, Client, Json
from ui.i18n import ENGLISH, TabLocale, current_locale
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.notices import call_api
from ui.screens.workshop import editor as editing
from ui.screens.workshop import first_run, versions, views
from ui.screens.workshop.texts import get_texts

CSS: Final = views.CSS
ID: Final = "workshop"
_SECONDS: Final = 2
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}
_SETUP: Final = "setup"
_OUTPUTS: Final = 5  # of the header


@dataclass(frozen=True)
class WorkshopHeader:
    """The header of all pages: the served versions and the running job."""

    api: AuthoringApi

    def watch(self, role: str | None, locale: str, shown_before: Any) -> Any:
        """Return the header if it changed.

        `dependencies` is what other pages depend on: the active versions and the job's state.
        """
        import gradio as gr

        if role in {None, "agent"}:
            return [gr.skip()] * _OUTPUTS
        try:
            status = self.api.status()
        except ApiError:  # the next call may succeed
            return [gr.skip()] * _OUTPUTS
        state = [status, locale]
        if state == shown_before:
            return [gr.skip()] * _OUTPUTS
        texts, job = get_texts(locale), status["job"]
        running = bool(job) and job["state"] == "running"
        dependencies = [status["active"], job and [job["id"], job["state"]]]
        stop = gr.update(visible=running and role == "admin", value=texts["stop"])
        return [
            state,
            dependencies,
            views.serving_html(status, texts),
            views.job_html(status, texts, locale),
            stop,
        ]

    def stop(self, state: Any) -> None:
        """Stop the running job."""
        job: Json | None = state[0]["job"] if state else None
        if job:
            call_api(lambda: self.api.stop(job["id"]))


@dataclass(frozen=True)
class WorkshopTabs:
    """The tabs of the app, the workshop's own, and the state with the name of the open one."""

    tabs: Any
    tab: Any
    open_tab: Any


def build(client: Client, tab_locale: TabLocale, tabs: WorkshopTabs) -> None:
    """Lay out the tab inside the open blocks; it is visible to those who may use it."""
    import gradio as gr

    texts, api = get_texts(ENGLISH), AuthoringApi(client)
    tab = SimpleNamespace(locale=tab_locale.locale)
    pages = WorkshopPages(
        WorkshopHeader(api),
        editing.EditorPage(api, tab),
        versions.VersionsPage(api, tab),
        first_run.SetupPage(api, tab),
    )
    # Each has one writer: the role, the status that is shown, what other pages depend on.
    tab.role, tab.shown, tab.dependencies = gr.State(None), gr.State(None), gr.State(None)
    with gr.Row(equal_height=True, elem_classes="filters"):
        tab.serving = gr.HTML(padding=False, elem_id="workshop-serving")
        tab.stop = gr.Button(texts["stop"], visible=False, size="sm", scale=0, min_width=80)
    tab.job = gr.HTML(padding=False, elem_id="workshop-job")
    with gr.Tabs() as tab.pages:
        with gr.Tab(texts["texts"], id="texts") as tab.texts_tab:
            editing.build(pages.editor, texts)
        with gr.Tab(texts["versions"], id="versions") as tab.versions_tab:
            versions.build(pages.versions_page, texts)
        with gr.Tab(texts["setup"], id=_SETUP) as tab.setup_tab:
            first_run.build(pages.setup, texts)
    editing.wire(pages.editor)
    versions.wire(pages.versions_page)
    first_run.wire(pages.setup)
    _wire(pages, tab, tab_locale, tabs)
    for module in (editing, versions, first_run):
        tab_locale.add_labels(module.labelled(tab), module.labels)
    tab_locale.add_labels([tab.texts_tab, tab.versions_tab, tab.setup_tab], _titles)


def _titles(locale: str) -> list[Any]:
    import gradio as gr

    texts = get_texts(locale)
    return [gr.update(label=texts[name]) for name in ("texts", "versions", "setup")]


class WorkshopState(NamedTuple):
    """The inputs that the pages depend on, in the order of `_wire`."""

    role: str | None
    locale: str
    opened: Json | None
    result: Json | None
    only: bool
    publication: Json | None
    kind: str
    version: str | None


@dataclass(frozen=True)
class WorkshopPages:
    """The header and the pages of the workshop."""

    header: WorkshopHeader
    editor: editing.EditorPage
    versions_page: versions.VersionsPage
    setup: first_run.SetupPage

    def fill(self, *inputs: Any) -> Any:
        """Return all that the pages show, in one locale; nothing for agents."""
        import gradio as gr

        state = WorkshopState(*inputs)
        role, locale = state.role, state.locale
        if role in {None, "agent"}:
            return gr.skip()
        return [
            *self.header.watch(role, locale, None),
            self.editor.texts(locale),
            self.editor.history(role, state.opened, state.only, locale),
            *self.editor.translate(state.opened, state.result, state.publication, locale),
            *self.versions_page.show(role, state.kind, locale),
            self.versions_page.translate(state.version, locale),
            *self.setup.show(role, locale),
        ]


def _wire(
    pages: WorkshopPages, tab: SimpleNamespace, tab_locale: TabLocale, tabs: WorkshopTabs
) -> None:
    """Connect events and handlers."""
    import gradio as gr

    header = pages.header
    page, tick = gr.context.Context.root_block, gr.Timer(_SECONDS)
    inputs = [tab.role, tab.locale, tab.shown]
    outputs = [tab.shown, tab.dependencies, tab.serving, tab.job, tab.stop]
    admins = [tab.back_models, tab.back_knowledge, tab.documents, tab.dialogs, tab.ingest, tab.lint]
    admins += [tab.train, tab.delete]
    enter_outputs = [tab.role, tabs.tab, tabs.tabs, tab.pages, tabs.open_tab, tab_locale.shown]

    def enter() -> Any:
        """Return the role; open the setup for an admin of an empty home."""
        role = header.api.role()
        if role == "agent":
            return [role, *[gr.skip()] * (len(enter_outputs) + len(admins) - 1)]
        is_admin = role == "admin"
        opened = [gr.skip()] * 4
        if is_admin and header.api.status()["first_run"]:
            opened = [gr.update(selected=ID), gr.update(selected=_SETUP), ID, current_locale()]
        interactive = gr.update(interactive=is_admin)
        return [role, gr.update(visible=True), *opened, *[interactive] * len(admins)]

    page.load(enter, None, [*enter_outputs, *admins], **_QUIET).then(
        header.watch, inputs, outputs, **_QUIET
    )
    tick.tick(header.watch, inputs, outputs, **_QUIET)
    tab.stop.click(header.stop, tab.shown, None, **_QUIET)
    fill_inputs = [
        tab.role,
        tab_locale.shown,
        tab.opened,
        tab.result,
        tab.only,
        tab.publication,
        tab.kind,
        tab.version,
    ]
    fill_outputs = [*outputs, tab.chooser, tab.history, tab.problems, tab.preview, tab.difference]
    fill_outputs += [tab.versions, tab.trend, tab.about, tab.welcome, tab.files, tab.deletion]
    tab_locale.shown.change(pages.fill, fill_inputs, fill_outputs, **_QUIET)
