"""The console: agents take conversations over, read along, and answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.console import views
from ui.screens.console.corrections import no_reply
from ui.screens.console.records import FIELDS, RecordsPanel
from ui.screens.console.texts import ConsoleTexts
from ui.screens.notices import call_api

_LINES: Final = 200
_FILTERS: Final = {"mood": "mood", "intent": "intents", "language": "language"}
_OWNER_BUTTONS: Final = ("give_back", "close", "transfer", "send")


@dataclass(frozen=True)
class ConsoleScreen:
    """Event handlers of the page. Most return updates by the names of the tab's components.

    `me` is the signed-in user. `shown` is the open conversation as the page shows it, with its
    messages and suggestions; only `refresh_conversation` writes it, because events overlap.
    """

    desk: DeskApi

    def open(self) -> Any:
        """Return the signed-in user, set as present, and the titles of the intents."""
        me = self.desk.me()
        if me["user"]:
            self.desk.set_presence(me["user"], online=True)
        return me | {"titles": self.desk.intents()}

    def renew_presence(self, me: Json, present: bool) -> None:  # noqa: FBT001 — a checkbox
        """Set the agent's presence, and extend the leases of the agent's conversations."""
        user = _user(me)
        if user is None:
            return
        try:
            self.desk.set_presence(user, online=present, renew=present)
        except ApiError:  # the next call may succeed: a lease lasts for several
            return

    def refresh_queue(
        self, me: Json, locale: str, shown_before: Any, open_conversation: str | None, *filters: Any
    ) -> Json | None:
        """Return the queue and its headline; the table stays if nothing changed."""
        import gradio as gr

        user, texts = _user(me), texts_of(me, locale)
        if user is None:
            return None
        queue = call_api(self.desk.queue)
        rows = views.mark_open(
            views.queue_rows(queue, user, filters, datetime.now(UTC), texts), open_conversation
        )
        waiting = sum(conversation["state"] == "queued" for conversation in queue["conversations"])
        load = next((agent for agent in call_api(self.desk.agents) if agent["id"] == user), {})
        numbers = {name: load.get(name, 0) for name in ("busy", "capacity")}
        role = texts.term(me["role"])
        headline = [texts["busy"].format(name=me["name"], role=role, **numbers, waiting=waiting)]
        headline += [] if rows else [texts["queue_empty"]]
        updates: Json = {"busy": " · ".join(headline)}
        shown = (rows, locale)
        if shown == shown_before:
            return updates
        updates["rows"] = shown
        updates["queue"] = gr.update(value={"data": rows, "headers": texts["columns"].split("|")})
        for name, field in _FILTERS.items():
            title = texts.title if name == "intent" else texts.term
            choices = sorted(_filter_choices(queue, field, title))
            updates[name] = gr.update(choices=[(texts["everything"], ""), *choices])
        return updates

    def open_conversation(self, previous: str | None, *inputs: Any) -> Json | None:
        """Open the conversation of the row that was clicked.

        Args:
            previous: The conversation that was open.
            inputs: Its draft, that is the text, the suggestion it was made from and the note; the
                drafts of other conversations; the event. A draft is restored with its conversation.
        """
        *draft, drafts, event = inputs
        text, _, note = draft
        conversation = str(event.row_value[-1])
        if conversation == previous:
            return None
        drafts = dict(drafts or {})
        if previous is not None and (text or note):
            drafts[previous] = draft
        text, suggestion, note = drafts.pop(conversation, ("", None, ""))
        return {
            "conversation": conversation,
            "box": text,
            "suggestion": suggestion,
            "note": note,
            "drafts": drafts,
            "target": None,  # it belongs to the previous conversation, as do the look-up's values
            **dict.fromkeys(FIELDS, ""),
        }

    def refresh_conversation(
        self, me: Json, conversation: str | None, shown_before: Json | None, locale: str
    ) -> Json | None:
        """Return the open conversation; the page stays as it is if nothing changed."""
        import gradio as gr

        if conversation is None:
            return None
        before = shown_before or {}
        is_another = before.get("conversation") != conversation
        if is_another:
            before = {"conversation": conversation}
        texts = texts_of(me, locale)
        lines = call_api(lambda: self.desk.client.history(conversation))[-_LINES:]
        details = call_api(lambda: self.desk.details(conversation))
        queue = call_api(self.desk.queue)
        row = next(
            (c for c in queue["conversations"] if c["conversation_id"] == conversation), None
        )
        head = views.head_html(details, row, datetime.now(UTC), queue["reply_seconds"], texts)
        state = [head, locale, len(lines), details["notes"], details["labels"], details["state"]]
        if state == before.get("state"):
            return None
        shown = {**before, "state": state, "lines": lines, "labels": details["labels"]}
        summary = call_api(lambda: self.desk.get_part(conversation, "summary"))
        is_new = self._update_suggestions(shown, details) or before.get("locale") != locale
        shown["locale"] = locale
        canned = call_api(lambda: self.desk.get_part(conversation, "canned"))["replies"]
        shown["canned"] = canned
        is_own = details["mine"]
        updates = {
            "shown": shown,
            "head": head,
            "lines": views.transcript_messages(lines, texts),
            "canned": gr.update(
                choices=[(f"/{c['shortcut']} {c['text']}", c["text"]) for c in canned]
            ),
            "target": gr.update(choices=self._transfer_targets(me, details, texts)),
            "about": views.about_html(details, summary, texts),
            "moods": views.moods_html(details, texts),
            "notes": views.notes_html(details),
            "labels": gr.update(value=details["labels"], choices=details["labels"]),
            "take": gr.update(interactive=details["state"] != "human" and not is_own),
            **dict.fromkeys(_OWNER_BUTTONS, gr.update(interactive=is_own)),
            **RecordsPanel(self.desk).show(conversation, texts),
        }
        if is_new:
            choices = views.suggestion_choices(shown["suggestions"], texts)
            updates["suggestions"] = gr.update(choices=choices, value=None)
        if is_another:
            updates |= {"proven": "", "proven_records": None, **no_reply(texts)}
        return updates

    def _update_suggestions(self, shown: Json, details: Json) -> bool:
        """Load suggestions for a new message of the customer; return whether they changed.

        Only for the owner of the conversation: the figures count the suggestions that are offered.
        """
        questions = [line["message_id"] for line in shown["lines"] if line["role"] == "customer"]
        last = questions[-1] if questions else None
        shown.setdefault("suggestions", [])
        if not details["mine"] or last is None or last == shown.get("question"):
            return False
        try:
            response = self.desk.get_part(shown["conversation"], "suggestions")
        except ApiError:  # the agent can answer without them
            response = {"id": None, "suggestions": []}
        shown |= {"question": last, "offer": response["id"], "suggestions": response["suggestions"]}
        return True

    def _transfer_targets(
        self, me: Json, details: Json, texts: ConsoleTexts
    ) -> list[tuple[str, str]]:
        """Return the targets of a transfer: the conversation's queue and agents who are online."""
        queue = details["queue"] or details["default_queue"]
        others = [
            (agent["name"], f"agent:{agent['id']}")
            for agent in call_api(self.desk.agents)
            if agent["online"] and agent["id"] != _user(me)
        ]
        return [(texts["a_queue"].format(name=queue), f"queue:{queue}"), *others]

    def button_handler(self, action: str) -> Callable[..., None]:
        """Return the handler of a button: take, return, close."""

        def handle(me: Json, conversation: str | None) -> None:
            user = _user(me)
            if conversation is None or user is None:
                return
            if action == "take":
                _warn_on_error(lambda: self.desk.take(conversation, user))
            else:
                _warn_on_error(lambda: self.desk.act(conversation, action, user))

        return handle

    def transfer(self, me: Json, conversation: str | None, target: str | None) -> None:
        """Pass the conversation on, to a queue or an agent."""
        user = _user(me)
        if not (target and user and conversation):
            return
        kind, _, name = target.partition(":")
        options = {"queue": name} if kind == "queue" else {"to": name}
        _warn_on_error(lambda: self.desk.act(conversation, "transfer", user, **options))

    def insert(self, shown: Json | None, place: int | None) -> Any:
        """Put a suggestion into the message box, to be edited and sent."""
        import gradio as gr

        suggestions = shown.get("suggestions", []) if shown else []
        if shown is None or place is None or place >= len(suggestions):
            return gr.skip()
        return suggestions[place]["text"], (shown["offer"], place)

    def expand(self, me: Json, shown: Json | None, text: str) -> Any:
        """Show the customer that the agent is typing; replace a shortcut by its canned reply."""
        import gradio as gr

        user = _user(me)
        if shown is None or user is None:
            return gr.skip()
        texts = {f"/{reply['shortcut']} ": reply["text"] for reply in shown.get("canned", ())}
        if text:
            try:
                self.desk.act(shown["conversation"], "typing", user)
            except ApiError:  # the conversation is not the agent's, or no longer
                return gr.skip()
        return texts.get(text, gr.skip())

    def say(self, me: Json, conversation: str | None, text: str, suggestion: Any) -> Any:
        """Send the text of the message box; it stays there if that fails."""
        import gradio as gr

        user = _user(me)
        if not (text.strip() and user and conversation):
            return gr.skip()
        offer = (suggestion[0], suggestion[1]) if suggestion and suggestion[0] else None
        if not _warn_on_error(lambda: self.desk.say(conversation, user, text, offer)):
            return gr.skip()
        return "", None

    def note(self, conversation: str | None, text: str) -> str:
        """Write a note."""
        if conversation and text.strip():
            _warn_on_error(lambda: self.desk.note(conversation, text))
        return ""

    def change_label(self, shown: Json | None, _labels: Any, event: Any) -> None:
        """Add or remove the label that was clicked, and no other one."""
        labels = [str(event.value)]
        before, after = ([], labels) if event.selected else (labels, [])
        if shown:
            _warn_on_error(lambda: self.desk.label(shown["conversation"], before, after))

    def search(self, query: str, locale: str) -> Any:
        """Search the knowledge as the chat does."""
        import gradio as gr

        if not query.strip():
            return gr.update(choices=[], value=None, visible=False)
        passages = call_api(lambda: self.desk.client.search(query))
        texts = ConsoleTexts(locale)
        info = None if passages else texts["nothing_found"]
        return gr.update(
            choices=views.passage_choices(passages, texts), value=None, info=info, visible=True
        )


def texts_of(me: Json | None, locale: str) -> ConsoleTexts:
    """Return the texts of the page for the signed-in user."""
    return ConsoleTexts(locale, me["titles"] if me else {})


def _filter_choices(queue: Json, name: str, title: Callable[[str], str]) -> set[tuple[str, str]]:
    """Return the choices of a filter: the titles and values of a field in the queue."""
    fields = [conversation[name] for conversation in queue["conversations"]]
    values = {v for field in fields for v in (field if isinstance(field, list) else [field]) if v}
    return {(title(value), value) for value in values}


def _user(me: Json | None) -> str | None:
    user: str | None = me["user"] if me else None
    return user


def _warn_on_error(request: Callable[[], Any]) -> bool:
    """Send a request and return whether it succeeded; show its error."""
    try:
        request()
    except ApiError as error:
        notices.warn(error)
        return False
    return True
