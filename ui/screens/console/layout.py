"""The layout of the console, and its events with their handlers."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import Client
from ui.i18n import ENGLISH, TabLocale
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.console.corrections import CorrectionPanel
from ui.screens.console.records import FIELDS, RecordsPanel, records_html
from ui.screens.console.screen import ConsoleScreen, texts_of
from ui.screens.console.texts import ConsoleTexts, get_texts

_SECONDS: Final = 3
_ALIVE_SECONDS: Final = 20  # presence lasts a minute, a lease two
_WAITS: Final = (0, 2, 5, 15, 60)
_WIDTHS: Final = ["10%", "11%", "29%", "14%", "9%", "7%", "10%", "10%"]
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}


def build(client: Client, tab_locale: TabLocale) -> None:
    """Lay out the tab inside the open blocks."""
    import gradio as gr

    console, texts = ConsoleScreen(DeskApi(client)), get_texts(ENGLISH)
    tab = SimpleNamespace(locale=tab_locale.locale)
    # Each has one writer: the user, the open conversation and what is shown of it, the suggestion
    # that the text in the box was made from, the rows of the queue, the message whose reply was
    # clicked, the proven records, and the drafts of other conversations.
    states = ("me", "conversation", "shown", "suggestion", "rows", "message", "proven_records")
    for name in (*states, "drafts"):
        setattr(tab, name, gr.State(None))
    _queue(tab, texts)
    with gr.Row():
        with gr.Column(scale=6, min_width=480):
            _conversation(tab, texts)
        with gr.Column(scale=4, min_width=320):
            _side(tab, texts)
    _wire(console, tab, tab_locale.shown)
    tab_locale.add_labels(_labelled(tab), _labels)


def _queue(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the agent's presence, the filters and the queue."""
    import gradio as gr

    with gr.Row(equal_height=True, elem_classes="filters"):
        tab.busy = gr.Markdown(elem_id="console-busy")
        tab.present = gr.Checkbox(value=True, label=texts["present"], scale=0, min_width=140)
        tab.leave = gr.Button(
            texts["leave"], link="/logout", link_target="_self", size="sm", scale=0, min_width=100
        )
    with gr.Row(elem_classes="filters"):
        all_values = [(texts["everything"], "")]
        tab.show = gr.Dropdown(_show_choices(texts), value="", label=texts["show"], min_width=110)
        tab.mood = gr.Dropdown(all_values, value="", label=texts["mood"], min_width=110)
        tab.intent = gr.Dropdown(all_values, value="", label=texts["intent"], min_width=110)
        tab.language = gr.Dropdown(all_values, value="", label=texts["language"], min_width=110)
        tab.longer = gr.Dropdown(
            _wait_choices(texts), value=0, label=texts["longer"], min_width=110
        )
    tab.queue = read_only_table(
        texts["columns"],
        _WIDTHS,
        max_chars=60,
        max_height=260,
        buttons=[],
        elem_id="console-table",
    )


def _conversation(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the conversation and the message box."""
    import gradio as gr

    tab.head = gr.HTML(f"<p class='quiet'>{texts['choose']}</p>", elem_id="console-head")
    with gr.Row(equal_height=True):
        small: dict[str, Any] = {"size": "sm", "interactive": False, "min_width": 80}
        tab.take = gr.Button(texts["take"], variant="primary", elem_id="console-take", **small)
        tab.give_back = gr.Button(texts["return"], elem_id="console-return", **small)
        tab.close = gr.Button(texts["close"], elem_id="console-close", **small)
        tab.target = gr.Dropdown(
            [], label=texts["pass_to"], show_label=False, container=False, min_width=120
        )
        tab.transfer = gr.Button(texts["pass"], elem_id="console-transfer", **small)
    tab.lines = gr.Chatbot(
        label=texts["transcript"],
        height=380,
        render_markdown=False,
        feedback_options=None,
        buttons=[],
        elem_id="console-lines",
    )
    tab.suggestions = gr.Radio([], label=texts["suggestions"], elem_id="console-suggestions")
    with gr.Row(equal_height=True):
        tab.box = gr.Textbox(
            placeholder=texts["reply"],
            show_label=False,
            container=False,
            scale=6,
            max_lines=6,
            elem_id="console-box",
        )
        tab.send = gr.Button(
            texts["send"],
            variant="primary",
            scale=1,
            min_width=80,
            interactive=False,
            elem_id="console-send",
        )
    tab.canned = gr.Dropdown([], label=texts["canned"], elem_id="console-canned")
    with gr.Accordion(texts["why"], open=True) as tab.reasons_box:
        tab.why = gr.HTML(f"<p class='quiet'>{texts['why_hint']}</p>", elem_id="console-why")
        _corrections(tab, texts)


def _side(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the details, the records, the labels, the notes and the search."""
    import gradio as gr

    tab.about = gr.HTML(elem_id="console-about")
    tab.moods = gr.HTML(elem_id="console-moods")
    with gr.Accordion(texts["records"], open=True) as tab.records_box:
        tab.records = gr.HTML(elem_id="console-orders")
        with gr.Row():
            tab.fields = [gr.Textbox(visible=False, min_width=120) for _ in FIELDS]
            vars(tab).update(zip(FIELDS, tab.fields, strict=True))
        tab.lookup = gr.State({})
        tab.look_up = gr.Button(
            texts["records_look"], size="sm", visible=False, elem_id="console-look"
        )
        tab.proven = gr.HTML(elem_id="console-proven")
    tab.labels = gr.Dropdown(
        [],
        multiselect=True,
        allow_custom_value=True,
        label=texts["labels"],
        elem_id="console-labels",
    )
    tab.notes = gr.HTML(elem_id="console-notes")
    tab.note = gr.Textbox(label=texts["notes"], placeholder=texts["note"], elem_id="console-note")
    tab.query = gr.Textbox(label=texts["search"], elem_id="console-search")
    tab.passages = gr.Radio([], show_label=False, visible=False, elem_id="console-found")


def _corrections(tab: SimpleNamespace, texts: dict[str, str]) -> None:
    """Lay out the corrections, which are visible when a reply was clicked."""
    import gradio as gr

    tab.corrections = gr.HTML(elem_id="console-kept")
    tab.intent_right = gr.Dropdown(
        [],
        label=texts["right_intent"],
        info=texts["right_hint"],
        visible=False,
        elem_id="console-right-intent",
    )
    tab.article_right = gr.Dropdown(
        [], label=texts["right_article"], visible=False, elem_id="console-right-article"
    )
    tab.answer_right = gr.Textbox(
        label=texts["right_answer"],
        placeholder=texts["right_write"],
        lines=2,
        max_lines=6,
        visible=False,
        elem_id="console-right-answer",
    )
    tab.save_answer = gr.Button(
        texts["right_save"], size="sm", visible=False, elem_id="console-keep"
    )


def _wire(console: ConsoleScreen, tab: SimpleNamespace, shown_locale: Any) -> None:
    """Connect events and handlers; `shown_locale` changes with the locale of the tab."""
    import gradio as gr

    tick = gr.Timer(_SECONDS)
    filters = [tab.show, tab.mood, tab.intent, tab.language, tab.longer]
    refresh_queue = {
        "fn": _by_name(tab, console.refresh_queue),
        "inputs": [tab.me, tab.locale, tab.rows, tab.conversation, *filters],
        "outputs": [tab.busy, tab.queue, tab.rows, tab.mood, tab.intent, tab.language],
        **_QUIET,
    }
    refresh_conversation = {
        "fn": _by_name(tab, console.refresh_conversation),
        "inputs": [tab.me, tab.conversation, tab.shown, tab.locale],
        "outputs": _conversation_components(tab),
        **_QUIET,
    }

    def afterwards(event: Any) -> None:
        """Show the changes of an event at once."""
        event.then(**refresh_conversation).then(**refresh_queue)

    gr.context.Context.root_block.load(console.open, None, tab.me, **_QUIET).then(**refresh_queue)
    gr.on([tick.tick, *(f.change for f in filters)], **refresh_queue)
    tick.tick(**refresh_conversation)
    _wire_presence(console, tab)
    _wire_actions(console, tab, afterwards)
    _wire_panels(console, tab)
    corrections = CorrectionPanel(console.desk)

    def translate(me: Any, shown: Any, message: Any, proven: Any, locale: str) -> dict[str, Any]:
        """Return hint, proven records and reasons in the locale; a refresh does not change them."""
        texts = texts_of(me, locale)
        updates = corrections.translate(shown, message, texts)
        if not shown:
            updates["head"] = f"<p class='quiet'>{texts['choose']}</p>"
        if proven:
            updates["proven"] = records_html(proven, texts)
        return updates

    inputs = [tab.me, tab.shown, tab.message, tab.proven_records, tab.locale]
    outputs = [tab.head, tab.proven, *_reason_components(tab)]
    shown_locale.change(_by_name(tab, translate), inputs, outputs, **_QUIET)
    shown_locale.change(**refresh_conversation)
    shown_locale.change(**refresh_queue)


def _by_name(
    tab: SimpleNamespace, handler: Callable[..., dict[str, Any] | None]
) -> Callable[..., Any]:
    """Return a handler for Gradio: the updates of `handler` by component instead of by name."""
    import gradio as gr

    def handle(*inputs: Any) -> Any:
        updates = handler(*inputs)
        if updates is None:
            return gr.skip()
        return {getattr(tab, name): update for name, update in updates.items()}

    return handle


def _conversation_components(tab: SimpleNamespace) -> list[Any]:
    """Return the components that show the open conversation."""
    return [
        *(tab.shown, tab.head, tab.lines, tab.suggestions, tab.canned, tab.target, tab.about),
        *(tab.records, *tab.fields, tab.look_up, tab.lookup, tab.proven, tab.proven_records),
        *(tab.moods, tab.notes, tab.labels, tab.take),
        *(tab.give_back, tab.close, tab.transfer, tab.send),
        *_reason_components(tab),
    ]


def _reason_components(tab: SimpleNamespace) -> list[Any]:
    """Return the components that show a reply's reasons and corrections."""
    return [
        *(tab.message, tab.why, tab.corrections),
        *(tab.intent_right, tab.article_right, tab.answer_right, tab.save_answer),
    ]


def _wire_presence(console: ConsoleScreen, tab: SimpleNamespace) -> None:
    import gradio as gr

    gr.on(
        [gr.Timer(_ALIVE_SECONDS).tick, tab.present.change],
        console.renew_presence,
        [tab.me, tab.present],
        None,
        **_QUIET,
    )


def _wire_actions(
    console: ConsoleScreen, tab: SimpleNamespace, afterwards: Callable[[Any], None]
) -> None:
    """Connect the agents' actions; `afterwards` shows the changes of an event."""
    import gradio as gr

    inputs = [tab.conversation, tab.box, tab.suggestion, tab.note, tab.drafts]
    outputs = [*inputs, tab.target, *tab.fields]
    open_conversation = with_event(_by_name(tab, console.open_conversation))
    afterwards(tab.queue.select(open_conversation, inputs, outputs, **_QUIET))
    for button, action in ((tab.take, "take"), (tab.give_back, "return"), (tab.close, "close")):
        handler = console.button_handler(action)
        afterwards(button.click(handler, [tab.me, tab.conversation], None, **_QUIET))
    afterwards(
        tab.transfer.click(console.transfer, [tab.me, tab.conversation, tab.target], None, **_QUIET)
    )
    tab.suggestions.input(
        console.insert, [tab.shown, tab.suggestions], [tab.box, tab.suggestion], **_QUIET
    )
    tab.canned.input(lambda text: (text, None), tab.canned, [tab.box, tab.canned], **_QUIET)
    tab.passages.input(lambda text: text, tab.passages, tab.box, **_QUIET)
    tab.box.input(console.expand, [tab.me, tab.shown, tab.box], tab.box, **_QUIET)
    event = gr.on(
        [tab.box.submit, tab.send.click],
        console.say,
        [tab.me, tab.conversation, tab.box, tab.suggestion],
        [tab.box, tab.suggestion],
        **_QUIET,
    )
    afterwards(event)
    afterwards(tab.note.submit(console.note, [tab.conversation, tab.note], tab.note, **_QUIET))
    # The clicked label counts, not the field, which a refresh may just have updated.
    afterwards(
        tab.labels.select(with_event(console.change_label), [tab.shown, tab.labels], None, **_QUIET)
    )
    tab.query.submit(console.search, [tab.query, tab.locale], tab.passages, **_QUIET)


def _wire_panels(console: ConsoleScreen, tab: SimpleNamespace) -> None:
    """Connect the events of reasons, corrections and records."""
    import gradio as gr

    corrections, records = CorrectionPanel(console.desk), RecordsPanel(console.desk)

    def explain(shown: Any, me: Any, event: Any) -> Any:
        """Explain the reply that was clicked, in the locale of the page."""
        return corrections.explain(
            shown, event, texts_of(me, shown["locale"] if shown else ENGLISH)
        )

    def prove(conversation: Any, lookup: Any, locale: str, *values: Any) -> Any:
        return records.prove(conversation, lookup, values, ConsoleTexts(locale))

    handler = with_event(_by_name(tab, explain))
    tab.lines.select(handler, [tab.shown, tab.me], _reason_components(tab), **_QUIET)
    fields = {
        "intent": (tab.intent_right.input, tab.intent_right),
        "article": (tab.article_right.input, tab.article_right),
        "answer": (tab.save_answer.click, tab.answer_right),
    }
    for kind, (event, value) in fields.items():
        save = corrections.correct(kind)
        event(
            lambda message, value, me, locale, save=save: save(
                message, value, texts_of(me, locale)
            ),
            [tab.message, value, tab.me, tab.locale],
            tab.corrections,
            **_QUIET,
        )
    gr.on(
        [tab.look_up.click, *(field.submit for field in tab.fields)],
        _by_name(tab, prove),
        [tab.conversation, tab.lookup, tab.locale, *tab.fields],
        [tab.proven, tab.proven_records, *tab.fields],
        **_QUIET,
    )


def _labelled(tab: SimpleNamespace) -> list[Any]:
    """Return the components with labels, in the order of `_labels`."""
    return [
        *(tab.present, tab.show, tab.mood, tab.intent, tab.language, tab.longer),
        *(tab.take, tab.give_back, tab.close, tab.transfer),
        *(tab.lines, tab.suggestions, tab.box, tab.send, tab.canned),
        *(tab.labels, tab.note, tab.query, tab.reasons_box, tab.leave, tab.records_box),
        *(tab.look_up, tab.intent_right, tab.article_right, tab.answer_right, tab.save_answer),
    ]


def _show_choices(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(texts["everything"], ""), (texts["waiting"], "waiting"), (texts["mine"], "mine")]


def _wait_choices(texts: dict[str, str]) -> list[tuple[str, int]]:
    return [(texts["minutes"].format(n=n), n) for n in _WAITS]


def _labels(locale: str) -> list[Any]:
    """Return the labels in a locale."""
    import gradio as gr

    texts = get_texts(locale)
    return [
        gr.update(label=texts["present"]),
        gr.update(label=texts["show"], choices=_show_choices(texts)),
        gr.update(label=texts["mood"]),
        gr.update(label=texts["intent"]),
        gr.update(label=texts["language"]),
        gr.update(label=texts["longer"], choices=_wait_choices(texts)),
        *(gr.update(value=texts[name]) for name in ("take", "return", "close", "pass")),
        gr.update(label=texts["transcript"]),
        gr.update(label=texts["suggestions"]),
        gr.update(placeholder=texts["reply"]),
        gr.update(value=texts["send"]),
        gr.update(label=texts["canned"]),
        gr.update(label=texts["labels"]),
        gr.update(label=texts["notes"], placeholder=texts["note"]),
        gr.update(label=texts["search"]),
        gr.update(label=texts["why"]),
        gr.update(value=texts["leave"]),
        gr.update(label=texts["records"]),
        gr.update(value=texts["records_look"]),
        gr.update(label=texts["right_intent"], info=texts["right_hint"]),
        gr.update(label=texts["right_article"]),
        gr.update(label=texts["right_answer"], placeholder=texts["right_write"]),
        gr.update(value=texts["right_save"]),
    ]
