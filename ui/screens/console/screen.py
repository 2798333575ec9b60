"""The console: where agents take conversations over, read along, and answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ui.client.desk_api import DeskApi
from ui.client.http_client import ApiError, Json
from ui.screens import notices
from ui.screens.console import views
from ui.screens.console.corrections import CHOSEN, nothing_chosen
from ui.screens.console.records import FIELDS, RecordsPanel
from ui.screens.console.texts import ConsoleTexts

_LINES: Final = 200


@dataclass(frozen=True)
class ConsoleScreen:
    """What happens on the page: every method is an event's handler.

    `me` is who signed in. `held` is what the page shows of the open conversation: its messages,
    what was suggested; `read` alone writes it, since events overlap.
    """

    desk: DeskApi

    def open(self) -> Any:
        """Return who signed in, who is present now, and what the intents are called."""
        me = self.desk.me()
        if me["user"]:
            self.desk.be_present(me["user"], online=True)
        return me | {"titles": self.desk.intents()}

    def stay(self, me: Json, present: bool) -> None:  # noqa: FBT001 — a checkbox
        """Say that the agent is there, and still at the conversations taken."""
        user = _user(me)
        if user is None:
            return
        try:
            self.desk.be_present(user, online=present, renew=present)
        except ApiError:  # the next time tells: a lease lasts several of them
            return

    def watch(self, me: Json, tongue: str, known: Any, opened: str | None, *chosen: Any) -> Any:
        """Return the queue and its headline; where nothing changed, the table stays."""
        import gradio as gr

        user, said = _user(me), speech(me, tongue)
        if user is None:
            return gr.skip()
        queue = _asked(self.desk.queue)
        rows = views.marked(views.rows(queue, user, chosen, datetime.now(UTC), said), opened)
        waiting = sum(one["state"] == "queued" for one in queue["conversations"])
        mine = [one for one in _asked(self.desk.agents) if one["id"] == user]
        who = {"name": me["name"], "role": said.term(me["role"])}
        busy = [said["busy"].format(**who, **_room(mine), waiting=waiting)]
        busy += [] if rows else [said["queue_empty"]]
        shown = (rows, tongue)
        headers = said["columns"].split("|")
        table = gr.skip() if shown == known else gr.update(value={"data": rows, "headers": headers})
        options = [
            gr.update(choices=[(said["everything"], ""), *sorted(_named(queue, name, call))])
            for name, call in (
                ("mood", said.term),
                ("intents", said.title),
                ("language", said.term),
            )
        ]
        if shown == known:
            options = [gr.skip()] * len(options)
        return [" · ".join(busy), table, shown, *options]

    def choose(self, left: str | None, *inputs: Any) -> Any:
        """Open the conversation of the row that was clicked.

        Args:
            left: The conversation that was open.
            inputs: Its draft, that is the text, the suggestion it was made from and the note; the
                drafts of other conversations; the event. A draft is restored with its conversation.
        """
        import gradio as gr

        *draft, drafts, event = inputs
        text, _, note = draft
        conversation = str(event.row_value[-1])
        if conversation == left:
            return gr.skip()
        drafts = dict(drafts or {})
        if left is not None and (text or note):
            drafts[left] = draft
        draft = drafts.pop(conversation, ("", None, ""))
        return conversation, *draft, drafts, None, *[""] * FIELDS

    def read(self, me: Json, conversation: str | None, held: Json | None, tongue: str) -> Any:
        """Return the open conversation; where nothing changed, the page stays as it is."""
        import gradio as gr

        if conversation is None:
            return gr.skip()
        another = held is None or held["conversation"] != conversation
        if held is None or another:
            held = {"conversation": conversation}
        said = speech(me, tongue)
        lines = _asked(lambda: self.desk.client.history(conversation))[-_LINES:]
        known = _asked(lambda: self.desk.known(conversation))
        queue = _asked(self.desk.queue)
        one = next(
            (c for c in queue["conversations"] if c["conversation_id"] == conversation), None
        )
        head = views.head(known, one, datetime.now(UTC), queue["reply_seconds"], said)
        seen = [head, tongue, len(lines), known["notes"], known["labels"], known["state"]]
        if seen == held.get("seen"):
            return gr.skip()
        fresh = {**held, "seen": seen, "lines": lines, "labels": known["labels"]}
        summary = _asked(lambda: self.desk.look(conversation, "summary"))
        suggested = self._suggested(fresh, known) or held.get("tongue") != tongue
        fresh["tongue"] = tongue
        choices = views.offered(fresh["suggested"], said) if suggested else []
        canned = _asked(lambda: self.desk.look(conversation, "canned"))["replies"]
        fresh["canned"] = canned
        agent = known["mine"]
        return [
            fresh,
            head,
            views.transcript(lines, said),
            gr.update(choices=choices, value=None) if suggested else gr.skip(),
            gr.update(choices=[(f"/{c['shortcut']} {c['text']}", c["text"]) for c in canned]),
            gr.update(choices=self._places(me, known, said)),
            views.about(known, summary, said),
            *RecordsPanel(self.desk).shown(conversation, said),
            *(("", None) if another else [gr.skip()] * 2),
            *(nothing_chosen(said) if another else [gr.skip()] * CHOSEN),
            views.moods(known, said),
            views.notes(known),
            gr.update(value=known["labels"], choices=known["labels"]),
            gr.update(interactive=known["state"] != "human" and not agent),
            *[gr.update(interactive=agent)] * 4,
        ]

    def _suggested(self, held: Json, known: Json) -> bool:
        """Ask for suggestions when the customer wrote something new to who has the conversation.

        Returns whether there are others now. Reading along asks for none: what is offered counts.
        """
        asked = [line["message_id"] for line in held["lines"] if line["role"] == "customer"]
        last = asked[-1] if asked else None
        held.setdefault("suggested", [])
        if not known["mine"] or last is None or last == held.get("asked"):
            return False
        try:
            found = self.desk.look(held["conversation"], "suggestions")
        except ApiError:  # the agent answers without
            found = {"id": None, "suggestions": []}
        held |= {"asked": last, "offer": found["id"], "suggested": found["suggestions"]}
        return True

    def _places(self, me: Json, known: Json, said: ConsoleTexts) -> list[tuple[str, str]]:
        """Return where a conversation can go: its queue, and colleagues who are there."""
        queue = known["queue"] or "general"
        others = [
            (one["name"], f"agent:{one['id']}")
            for one in _asked(self.desk.agents)
            if one["online"] and one["id"] != _user(me)
        ]
        return [(said["a_queue"].format(name=queue), f"queue:{queue}"), *others]

    def act(self, what: str) -> Callable[..., None]:
        """Return the handler of a button: take, return, close."""

        def acted(me: Json, conversation: str | None) -> None:
            user = _user(me)
            if conversation is None or user is None:
                return
            if what == "take":
                _told(lambda: self.desk.take(conversation, user))
            else:
                _told(lambda: self.desk.do(conversation, what, user))

        return acted

    def transfer(self, me: Json, conversation: str | None, place: str | None) -> None:
        """Pass the conversation on, to a queue or a colleague."""
        user = _user(me)
        if not (place and user and conversation):
            return
        kind, _, name = place.partition(":")
        more = {"queue": name} if kind == "queue" else {"to": name}
        _told(lambda: self.desk.do(conversation, "transfer", user, **more))

    def insert(self, held: Json | None, place: int | None) -> Any:
        """Put a suggestion into the box, to be edited and sent."""
        import gradio as gr

        suggested = held.get("suggested", []) if held else []
        if held is None or place is None or place >= len(suggested):
            return gr.skip()
        return suggested[place]["text"], (held["offer"], place)

    def expand(self, me: Json, held: Json | None, text: str) -> Any:
        """Show the customer that the agent types, and put a canned reply for its shortcut."""
        import gradio as gr

        user = _user(me)
        if held is None or user is None:
            return gr.skip()
        named = {f"/{one['shortcut']} ": one["text"] for one in held.get("canned", ())}
        if text:
            try:
                self.desk.do(held["conversation"], "typing", user)
            except ApiError:  # the conversation is not, or no longer, the agent's
                return gr.skip()
        return named.get(text, gr.skip())

    def say(self, me: Json, conversation: str | None, text: str, chosen: Any) -> Any:
        """Send what stands in the box; it stays there where that fails."""
        import gradio as gr

        user = _user(me)
        if not (text.strip() and user and conversation):
            return gr.skip()
        picked = (chosen[0], chosen[1]) if chosen and chosen[0] else None
        if not _told(lambda: self.desk.say(conversation, user, text, picked)):
            return gr.skip()
        return "", None

    def note(self, conversation: str | None, text: str) -> str:
        """Write a note."""
        if conversation and text.strip():
            _told(lambda: self.desk.note(conversation, text))
        return ""

    def mark(self, held: Json | None, _labels: Any, event: Any) -> None:
        """Put the label that was chosen on the conversation, or take it off; no other one."""
        one = [str(event.value)]
        before, after = ([], one) if event.selected else (one, [])
        if held:
            _told(lambda: self.desk.label(held["conversation"], before, after))

    def unmark(self, held: Json | None, labels: list[str]) -> None:
        """Take all labels off the conversation where the field was emptied."""
        if held and not labels:
            _told(lambda: self.desk.label(held["conversation"], held.get("labels", []), []))

    def seek(self, query: str, tongue: str) -> Any:
        """Search the knowledge, the way the chat does."""
        import gradio as gr

        if not query.strip():
            return gr.update(choices=[], value=None, visible=False)
        found = _asked(lambda: self.desk.client.search(query))
        said = ConsoleTexts(tongue)
        info = None if found else said["nothing_found"]
        return gr.update(choices=views.passages(found, said), value=None, info=info, visible=True)


def speech(me: Json | None, tongue: str) -> ConsoleTexts:
    """Return how the page speaks to who signed in."""
    return ConsoleTexts(tongue, me["titles"] if me else {})


def _named(queue: Json, name: str, call: Callable[[str], str]) -> set[tuple[str, str]]:
    """Return what a filter offers: each value in the queue, by what it is called."""
    given = [one[name] for one in queue["conversations"]]
    values = {v for one in given for v in (one if isinstance(one, list) else [one]) if v}
    return {(call(value), value) for value in values}


def _user(me: Json | None) -> str | None:
    user: str | None = me["user"] if me else None
    return user


def _room(mine: Sequence[Json]) -> Json:
    return {name: mine[0][name] if mine else 0 for name in ("busy", "capacity")}


def _asked(ask: Callable[[], Any]) -> Any:
    """Return the server's answer; who signed in is told of a refusal."""
    try:
        return ask()
    except ApiError as error:
        raise notices.failure(error) from error


def _told(do: Callable[[], Any]) -> bool:
    """Do something and tell whether it was done; what is refused is shown."""
    try:
        do()
    except ApiError as error:
        notices.warn(error)
        return False
    return True
