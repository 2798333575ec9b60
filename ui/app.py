"""The staff's screens at /app: a Gradio app behind a login that uses the HTTP API."""

import os
from html import escape
from typing import Any, Final

from fastapi import FastAPI

from ui import i18n, login
from ui.client.http_client import ApiError, Client
from ui.i18n import CHINESE, LocaleSwitch
from ui.screens import attachments, notices
from ui.screens.chat import screen as chat
from ui.screens.console import layout, records
from ui.screens.console import views as console_views
from ui.screens.insights import screen as insights
from ui.screens.live import screen as live
from ui.screens.playground import screen as playground
from ui.screens.playground import views as playground_views
from ui.screens.protocol import ScreenContext
from ui.screens.workshop import screen as workshop

PATH: Final = "/app"
_FONTS: Final = ("system-ui", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif")
_CSS: Final = """
.facts { width: 100%; border-collapse: collapse; }
.facts th { width: 8rem; text-align: left; font-weight: 500; opacity: .75; }
.facts { display: grid; grid-template-columns: 8rem 1fr; margin: 0; }
.facts dt, .facts dd { margin: 0; padding: .3rem .5rem; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--border-color-primary); }
.facts dt { opacity: .75; }
.source { margin: 1rem 0 !important; }
.source figcaption { font-weight: 600; }
.source code { margin-left: .5rem; font-size: .8em; font-weight: 400; opacity: .75;
  overflow-wrap: anywhere; }
.source blockquote { margin: .2rem 0 0 !important; padding-left: .75rem; white-space: pre-wrap;
  overflow-wrap: anywhere; border-left: 3px solid var(--color-accent); }
.legend { margin: .75rem 0 .25rem !important; font-size: .85em; }
.words { line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere; }
#chat-words mark { --share: .5; padding: .15em .2em; border-radius: 3px; color: inherit;
  background: rgb(var(--hue) / calc(var(--share) * .6));
  border-bottom: 2px solid rgb(var(--hue) / var(--share)); }
#chat-words mark.for { --hue: 16 185 129; }
#chat-words mark.against { --hue: 239 68 68; border-bottom-style: dashed; }
.found { width: 100%; font-size: .85em; }
.found, .found tr { border: 0 !important; }
.found :is(td, th) { border: 0 !important;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.found :is(td, th):nth-child(n+2) { text-align: right !important;
  font-variant-numeric: tabular-nums; }
.found code { display: block; opacity: .75; overflow-wrap: anywhere; }
.found .cited { font-weight: 600; }
.quiet { opacity: .75; }
:is(#chat-lines, #live-transcript, #insights-transcript) .icon-button-wrapper { display: none; }
/* Tables are only read: a clicked cell does not grow over the rows beside it, and columns without
   room are scrolled, not squeezed. */
.table-wrap .selection-button { display: none !important; }
.table-wrap .body-cell.cell-selected { max-height: 100%; overflow: hidden; }
:is(#console-table, #live-table) .cell-selected span.text { white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
:is(#console-table, #live-table) { overflow-x: auto !important; }
:is(#console-table, #live-table) .table-container { min-width: 56rem; }
"""

_STYLED: Final = (
    login,
    i18n,
    insights,
    notices,
    console_views,
    records,
    attachments,
    playground_views,
    workshop,
)


_EN: Final = {
    "chat": "Chat",
    "live": "Live conversations",
    "console": "Console",
    "playground": "Playground",
    "insights": "Insights",
    "workshop": "Workshop",
}
_ZH: Final = {
    "chat": "聊天",
    "live": "实时会话",
    "console": "客服台",
    "playground": "调试台",
    "insights": "数据洞察",
    "workshop": "工作台",
}


def titles(locale: str) -> dict[str, str]:
    """Return the titles of the tabs in a locale."""
    return _ZH if locale == CHINESE else _EN


def mount(app: FastAPI, screen: ScreenContext) -> None:
    """Mount the screens; Gradio is imported here, because it takes seconds."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read by the import
    import gradio as gr

    client = Client(screen.base_url, login.session)
    login.mount(app, screen.business)
    title = f"{screen.business} · Careline" if screen.business else "Careline"
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as blocks:
        with gr.Row(elem_id="page-head"):
            gr.HTML(f"<h1>{escape(title)}</h1>", padding=False)
            switch = LocaleSwitch("chat")
        with gr.Tabs() as tabs:
            with gr.Tab(_EN["chat"], id="chat") as tab:
                chat.build(client, switch.add_tab("chat", tab))
            with gr.Tab(_EN["live"], id="live") as tab:
                live.build(client, switch.add_tab("live", tab))
            with gr.Tab(_EN["console"], id="console") as tab:
                layout.build(client, switch.add_tab("console", tab))
            with gr.Tab(_EN["playground"], id="playground") as tab:
                playground.build(client, switch.add_tab("playground", tab))
            with gr.Tab(_EN["insights"], id="insights", visible=False) as insights_tab:
                insights.build(client, switch.add_tab("insights", insights_tab))
            with gr.Tab(_EN["workshop"], id=workshop.ID, visible=False) as tab:
                workshop_locale = switch.add_tab(workshop.ID, tab)
                workshop.build(
                    client, workshop_locale, workshop.WorkshopTabs(tabs, tab, switch.open_tab)
                )
        switch.wire(blocks, titles)
        blocks.load(lambda: gr.update(visible=_may_see_figures(client)), None, insights_tab)
    gr.mount_gradio_app(
        app,
        blocks,
        path=PATH,
        auth_dependency=login.LoginGate(screen.base_url, PATH),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size="64mb",
        theme=_theme(),
        head=login.GUARD,
        css="".join((_CSS, *(part.CSS for part in _STYLED))),
    )


def _theme() -> Any:
    """Return Gradio's theme with contrasts of at least 4.5, which the default lacks."""
    import gradio as gr

    dark, darker, grey, light = "*primary_700", "*primary_800", "*neutral_500", "*neutral_400"
    return gr.themes.Default(primary_hue="emerald", font=_FONTS).set(
        button_primary_background_fill=dark,
        button_primary_background_fill_dark=dark,
        button_primary_background_fill_hover=darker,
        button_primary_background_fill_hover_dark=darker,
        button_primary_border_color=dark,
        button_primary_border_color_dark=dark,
        input_placeholder_color=grey,
        input_placeholder_color_dark=light,
        body_text_color_subdued=grey,
        block_info_text_color=grey,
        block_info_text_color_dark=light,
    )


def _may_see_figures(client: Client) -> bool:
    """Return whether the user may see the insights; the server refuses others anyway."""
    try:
        return bool(client.get("/api/session")["role"] != "agent")
    except ApiError:
        return False
