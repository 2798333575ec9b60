"""How the console is laid out, and which event is handled by what."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import Client
from ui.i18n import ENGLISH, TabLanguage
from ui.screens.chat.screen import CONCURRENCY
from ui.screens.components import read_only_table, with_event
from ui.screens.console.corrections import CorrectionPanel
from ui.screens.console.records import FIELDS, RecordsPanel, records_html
from ui.screens.console.screen import ConsoleScreen, speech
from ui.screens.console.texts import ConsoleTexts, words

_SECONDS: Final = 3
_ALIVE_SECONDS: Final = 20  # presence lasts a minute, a lease two
_WAITS: Final = (0, 2, 5, 15, 60)
_WIDTHS: Final = ["10%", "11%", "29%", "14%", "9%", "7%", "10%", "10%"]
_QUIET: Final = {"show_progress": "hidden", **CONCURRENCY}


def build(client: Client, place: TabLanguage) -> None:
    """Lay out the tab inside the blocks that are open."""
    import gradio as gr

    console, said = ConsoleScreen(DeskApi(client)), words(ENGLISH)
    at = SimpleNamespace(tongue=place.tongue)
    # Each has one writer: who signed in, what is open, what is shown of it, what the words in the
    # box began as, the rows of the queue, the message whose reply was clicked, proven records, and
    # what was begun in conversations that are not open.
    for name in ("me", "conversation", "held", "picked", "rows", "chosen", "proofs", "begun"):
        setattr(at, name, gr.State(None))
    _top(at, said)
    with gr.Row():
        with gr.Column(scale=6, min_width=480):
            _middle(at, said)
        with gr.Column(scale=4, min_width=320):
            _aside(at, said)
    _wire(console, at, place.shown)
    place.name(_named(at), _labels)


def _top(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out who is there, the filters and the queue."""
    import gradio as gr

    with gr.Row(equal_height=True, elem_classes="filters"):
        at.busy = gr.Markdown(elem_id="console-busy")
        at.present = gr.Checkbox(value=True, label=said["present"], scale=0, min_width=140)
        at.leave = gr.Button(
            said["leave"], link="/logout", link_target="_self", size="sm", scale=0, min_width=100
        )
    with gr.Row(elem_classes="filters"):
        every = [(said["everything"], "")]
        at.show = gr.Dropdown(_shows(said), value="", label=said["show"], min_width=110)
        at.mood = gr.Dropdown(every, value="", label=said["mood"], min_width=110)
        at.intent = gr.Dropdown(every, value="", label=said["intent"], min_width=110)
        at.language = gr.Dropdown(every, value="", label=said["language"], min_width=110)
        at.longer = gr.Dropdown(_waits(said), value=0, label=said["longer"], min_width=110)
    at.queue = read_only_table(
        said["columns"],
        _WIDTHS,
        max_chars=60,
        max_height=260,
        buttons=[],
        elem_id="console-table",
    )


def _middle(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out the conversation and the answer."""
    import gradio as gr

    at.head = gr.HTML(f"<p class='quiet'>{said['choose']}</p>", elem_id="console-head")
    with gr.Row(equal_height=True):
        small: dict[str, Any] = {"size": "sm", "interactive": False, "min_width": 80}
        at.take = gr.Button(said["take"], variant="primary", elem_id="console-take", **small)
        at.give_back = gr.Button(said["return"], elem_id="console-return", **small)
        at.close = gr.Button(said["close"], elem_id="console-close", **small)
        at.place = gr.Dropdown(
            [], label=said["pass_to"], show_label=False, container=False, min_width=120
        )
        at.transfer = gr.Button(said["pass"], elem_id="console-transfer", **small)
    at.lines = gr.Chatbot(
        label=said["transcript"],
        height=380,
        render_markdown=False,
        feedback_options=None,
        buttons=[],
        elem_id="console-lines",
    )
    at.suggestions = gr.Radio([], label=said["suggestions"], elem_id="console-suggestions")
    with gr.Row(equal_height=True):
        at.box = gr.Textbox(
            placeholder=said["reply"],
            show_label=False,
            container=False,
            scale=6,
            max_lines=6,
            elem_id="console-box",
        )
        at.send = gr.Button(
            said["send"],
            variant="primary",
            scale=1,
            min_width=80,
            interactive=False,
            elem_id="console-send",
        )
    at.canned = gr.Dropdown([], label=said["canned"], elem_id="console-canned")
    with gr.Accordion(said["why"], open=True) as at.reasons:
        at.why = gr.HTML(f"<p class='quiet'>{said['why_hint']}</p>", elem_id="console-why")
        _corrections(at, said)


def _aside(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out what is known, notes, the search and the reasons."""
    import gradio as gr

    at.about = gr.HTML(elem_id="console-about")
    at.moods = gr.HTML(elem_id="console-moods")
    with gr.Accordion(said["records"], open=True) as at.purchases:
        at.orders = gr.HTML(elem_id="console-orders")
        with gr.Row():
            at.fields = [gr.Textbox(visible=False, min_width=120) for _ in range(FIELDS)]
        at.wanted = gr.State({})
        at.look = gr.Button(said["records_look"], size="sm", visible=False, elem_id="console-look")
        at.proven = gr.HTML(elem_id="console-proven")
    at.labels = gr.Dropdown(
        [],
        multiselect=True,
        allow_custom_value=True,
        label=said["labels"],
        elem_id="console-labels",
    )
    at.notes = gr.HTML(elem_id="console-notes")
    at.note = gr.Textbox(label=said["notes"], placeholder=said["note"], elem_id="console-note")
    at.query = gr.Textbox(label=said["search"], elem_id="console-search")
    at.found = gr.Radio([], show_label=False, visible=False, elem_id="console-found")


def _corrections(at: SimpleNamespace, said: dict[str, str]) -> None:
    """Lay out what can be said to be right instead; it is seen once a reply was clicked."""
    import gradio as gr

    at.kept = gr.HTML(elem_id="console-kept")
    at.intent_right = gr.Dropdown(
        [],
        label=said["right_intent"],
        info=said["right_hint"],
        visible=False,
        elem_id="console-right-intent",
    )
    at.article_right = gr.Dropdown(
        [], label=said["right_article"], visible=False, elem_id="console-right-article"
    )
    at.answer_right = gr.Textbox(
        label=said["right_answer"],
        placeholder=said["right_write"],
        lines=2,
        max_lines=6,
        visible=False,
        elem_id="console-right-answer",
    )
    at.keep = gr.Button(said["right_save"], size="sm", visible=False, elem_id="console-keep")


def _wire(console: ConsoleScreen, at: SimpleNamespace, shown: Any) -> None:
    """Connect events and handlers; `shown` changes with the language of the tab."""
    import gradio as gr

    tick = gr.Timer(_SECONDS)
    filters = [at.show, at.mood, at.intent, at.language, at.longer]
    reasons = [at.chosen, at.why, at.kept, at.intent_right, at.article_right, at.answer_right]
    reasons += [at.keep]
    watch = {
        "fn": console.watch,
        "inputs": [at.me, at.tongue, at.rows, at.conversation, *filters],
        "outputs": [at.busy, at.queue, at.rows, at.mood, at.intent, at.language],
        **_QUIET,
    }
    read = {
        "fn": console.read,
        "inputs": [at.me, at.conversation, at.held, at.tongue],
        "outputs": _shown(at, reasons),
        **_QUIET,
    }

    def afterwards(event: Any) -> None:
        """Show at once what an event changed."""
        event.then(**read).then(**watch)

    gr.context.Context.root_block.load(console.open, None, at.me, **_QUIET).then(**watch)
    gr.on([tick.tick, *(f.change for f in filters)], **watch)
    tick.tick(**read)
    _wire_presence(console, at)
    _wire_actions(console, at, afterwards)
    _wire_proofs(console, at, reasons)
    right = CorrectionPanel(console.desk)

    def again(me: Any, held: Any, chosen: Any, proofs: Any, tongue: str) -> list[Any]:
        """Return in another language what `read` does not: hint, reasons, proven records."""
        said = speech(me, tongue)
        hint = gr.skip() if held else f"<p class='quiet'>{said['choose']}</p>"
        proven = records_html(proofs, said) if proofs else gr.skip()
        return [hint, proven, *right.again(held, chosen, said)]

    spoken = [at.me, at.held, at.chosen, at.proofs, at.tongue]
    shown.change(again, spoken, [at.head, at.proven, *reasons], **_QUIET)
    shown.change(**read)
    shown.change(**watch)


def _shown(at: SimpleNamespace, reasons: list[Any]) -> list[Any]:
    """Return the components that show the open conversation, in the order of `read`."""
    return [
        *(at.held, at.head, at.lines, at.suggestions, at.canned, at.place, at.about),
        *(at.orders, *at.fields, at.look, at.wanted, at.proven, at.proofs, *reasons),
        *(at.moods, at.notes, at.labels, at.take),
        *(at.give_back, at.close, at.transfer, at.send),
    ]


def _wire_presence(console: ConsoleScreen, at: SimpleNamespace) -> None:
    import gradio as gr

    gr.on(
        [gr.Timer(_ALIVE_SECONDS).tick, at.present.change],
        console.stay,
        [at.me, at.present],
        None,
        **_QUIET,
    )


def _wire_actions(
    console: ConsoleScreen, at: SimpleNamespace, afterwards: Callable[[Any], None]
) -> None:
    """Connect what agents do with conversations; `afterwards` shows what an event changed."""
    import gradio as gr

    begun = [at.conversation, at.box, at.picked, at.note, at.begun]
    # Where it may go and what was looked up belong to the conversation that is left.
    opened = [*begun, at.place, *at.fields]
    afterwards(at.queue.select(with_event(console.choose), begun, opened, **_QUIET))
    for button, what in ((at.take, "take"), (at.give_back, "return"), (at.close, "close")):
        afterwards(button.click(console.act(what), [at.me, at.conversation], None, **_QUIET))
    afterwards(
        at.transfer.click(console.transfer, [at.me, at.conversation, at.place], None, **_QUIET)
    )
    at.suggestions.input(console.insert, [at.held, at.suggestions], [at.box, at.picked], **_QUIET)
    at.canned.input(lambda text: (text, None), at.canned, [at.box, at.canned], **_QUIET)
    at.found.input(lambda text: text, at.found, at.box, **_QUIET)
    at.box.input(console.expand, [at.me, at.held, at.box], at.box, **_QUIET)
    sent = gr.on(
        [at.box.submit, at.send.click],
        console.say,
        [at.me, at.conversation, at.box, at.picked],
        [at.box, at.picked],
        **_QUIET,
    )
    afterwards(sent)
    afterwards(at.note.submit(console.note, [at.conversation, at.note], at.note, **_QUIET))
    # By what was chosen, not by what the field holds: `read` may just have updated it.
    afterwards(at.labels.select(with_event(console.mark), [at.held, at.labels], None, **_QUIET))
    afterwards(at.labels.input(console.unmark, [at.held, at.labels], None, **_QUIET))
    at.query.submit(console.seek, [at.query, at.tongue], at.found, **_QUIET)


def _wire_proofs(console: ConsoleScreen, at: SimpleNamespace, reasons: list[Any]) -> None:
    """Join the events of reasons, corrections and records with their handlers."""
    import gradio as gr

    right, orders = CorrectionPanel(console.desk), RecordsPanel(console.desk)

    def why(held: Any, me: Any, event: Any) -> Any:
        """Explain the reply that was clicked, in the page's language."""
        return right.why(held, event, speech(me, held["tongue"] if held else ENGLISH))

    at.lines.select(with_event(why), [at.held, at.me], reasons, **_QUIET)
    chosen = {
        "intent": (at.intent_right.input, at.intent_right),
        "article": (at.article_right.input, at.article_right),
        "answer": (at.keep.click, at.answer_right),
    }
    for kind, (event, value) in chosen.items():
        keep = right.correct(kind)
        event(
            lambda chosen, value, me, tongue, keep=keep: keep(chosen, value, speech(me, tongue)),
            [at.chosen, value, at.me, at.tongue],
            at.kept,
            **_QUIET,
        )
    gr.on(
        [at.look.click, *(field.submit for field in at.fields)],
        lambda conversation, wanted, tongue, *values: orders.prove(
            conversation, wanted, values, ConsoleTexts(tongue)
        ),
        [at.conversation, at.wanted, at.tongue, *at.fields],
        [at.proven, at.proofs, *at.fields],
        **_QUIET,
    )


def _named(at: SimpleNamespace) -> list[Any]:
    """Return what has words on it, in the order of `_labels`."""
    found = [at.present, at.show, at.mood, at.intent, at.language, at.longer, at.take]
    found += [at.give_back, at.close, at.transfer, at.lines, at.suggestions, at.box, at.send]
    found += [at.canned, at.labels, at.note, at.query, at.reasons, at.leave, at.purchases]
    found += [at.look, at.intent_right, at.article_right, at.answer_right]
    return [*found, at.keep]


def _shows(said: dict[str, str]) -> list[tuple[str, str]]:
    return [(said["everything"], ""), (said["waiting"], "waiting"), (said["mine"], "mine")]


def _waits(said: dict[str, str]) -> list[tuple[str, int]]:
    return [(said["minutes"].format(n=n), n) for n in _WAITS]


def _labels(tongue: str) -> list[Any]:
    """Return what has words on it in another language."""
    import gradio as gr

    said = words(tongue)
    return [
        gr.update(label=said["present"]),
        gr.update(label=said["show"], choices=_shows(said)),
        gr.update(label=said["mood"]),
        gr.update(label=said["intent"]),
        gr.update(label=said["language"]),
        gr.update(label=said["longer"], choices=_waits(said)),
        *(gr.update(value=said[name]) for name in ("take", "return", "close", "pass")),
        gr.update(label=said["transcript"]),
        gr.update(label=said["suggestions"]),
        gr.update(placeholder=said["reply"]),
        gr.update(value=said["send"]),
        gr.update(label=said["canned"]),
        gr.update(label=said["labels"]),
        gr.update(label=said["notes"], placeholder=said["note"]),
        gr.update(label=said["search"]),
        gr.update(label=said["why"]),
        gr.update(value=said["leave"]),
        gr.update(label=said["records"]),
        gr.update(value=said["records_look"]),
        gr.update(label=said["right_intent"], info=said["right_hint"]),
        gr.update(label=said["right_article"]),
        gr.update(label=said["right_answer"], placeholder=said["right_write"]),
        gr.update(value=said["right_save"]),
    ]
