"""What is said: the words of a decision, from a template, from passages or from an action."""

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from bot.actions.calls import ActionCall
from bot.assistant.protocols import ActionOutcome, ActionResponse, Components, Stream
from bot.assistant.reply_assembly import BETWEEN
from bot.assistant.turn_context import TurnContext
from bot.core.types import ActionRecord, Button, Decision, Reply, Role, Route, Understanding
from bot.dialogue import state as states
from bot.dialogue.forms import NO, YES
from bot.dialogue.handoff import WITH_BOT
from bot.dialogue.policy import TO_BOT
from bot.dialogue.templates import CHANNEL, TemplateError, built_in
from bot.generation.streaming import pieces

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Responder:
    """Puts decisions into words, with the parts of an assistant."""

    parts: Components

    def composed(
        self, work: TurnContext, understanding: Understanding, decision: Decision
    ) -> Generator[str, None, tuple[Decision, Reply]]:
        """Compose the reply, and ask on for what a form still waits for."""
        decision = self._reachable(work, decision, work.language(understanding))
        decision, reply = yield from self._compose(work, understanding, decision)
        if decision.resumes is None or decision.route is Route.HANDOFF:
            return decision, reply
        name, values = self._named(decision.resumes, work)
        try:
            more = BETWEEN + self.say(name, work.language(understanding), work, **values)
        except TemplateError:  # what it asks about was taken back meanwhile: it asks again later
            return decision, reply
        yield more
        return decision, replace(reply, text=reply.text + more)

    def _compose(
        self, work: TurnContext, understanding: Understanding, decision: Decision
    ) -> Generator[str, None, tuple[Decision, Reply]]:
        language = work.language(understanding)
        with work.stage("compose"):
            if decision.route is Route.RETRIEVE:
                return decision, (yield from self._from_passages(work, language))
            if decision.route is Route.ACT and decision.slot is None and not decision.confirms:
                return (yield from self._act(work, decision, language))
            reply = self._from_template(work, decision, language)
            yield from pieces(reply.text)
            return decision, reply

    def _from_passages(self, work: TurnContext, language: str) -> Stream:
        threshold = 0.6 * work.found[0].score
        hits = [hit for hit in work.found if hit.score >= threshold]
        theirs = hits[0].chunk.language
        prefix = ""
        if theirs in {"en", "zh"} and theirs != language:
            prefix = self.say("passages_in_other_language", language, work) + "\n"
            yield prefix
        reply = yield from self.parts.composer.stream(work.question, hits, language, work.gone)
        titles = dict.fromkeys(hit.chunk.title for hit in hits if hit.chunk.title)
        cited = {citation.title for citation in reply.citations}
        related = tuple(title for title in titles if title not in cited)[:2]
        return replace(reply, text=prefix + reply.text, related=related)

    def _from_template(self, work: TurnContext, decision: Decision, language: str) -> Reply:
        if decision.reason == "with_human":
            return Reply("")  # one speaks at a time
        name, values = self._named(decision.template or "handoff", work)
        buttons = [
            Button(self.parts.templates.title(intent, language), f"/{intent}")
            for intent in decision.options
        ]
        if decision.confirms:
            buttons += (
                self._button("yes", YES, work, language),
                self._button("no", NO, work, language),
            )
        waits = work.state.owner is states.QUEUED and decision.reason != "contact_given"
        if decision.route is Route.HANDOFF and waits:
            name = "handoff_waiting"
            values["position"] = str(self.parts.log.queue_position(work.message.conversation_id))
            buttons.append(self._button("to_bot", TO_BOT, work, language))
        if decision.route is Route.CLARIFY and not buttons and name == "clarify":
            name = "clarify_open"
        text = self.say(name, language, work, **values)
        if not buttons:
            variant = self._variant(work)
            values[CHANNEL] = work.message.channel
            buttons += self.parts.templates.buttons(name, language, variant, **values)
        if decision.contact:
            text += "\n" + self.say("handoff_closed", language, work)
        return Reply(text, buttons=tuple(buttons))

    def _reachable(self, work: TurnContext, decision: Decision, language: str) -> Decision:
        """Note where a hand-off finds nobody: then the customer is asked for an address."""
        if decision.route is not Route.HANDOFF or work.state.owner not in WITH_BOT:
            return decision
        at = work.message.at
        there = self.parts.policy.is_open(at, language) or self.parts.log.is_staffed(
            decision.queue or "", at
        )
        return replace(decision, contact=not there)

    def _button(self, name: str, payload: str, work: TurnContext, language: str) -> Button:
        return Button(self.say(name, language, work), payload)

    def _named(self, name: str, work: TurnContext) -> tuple[str, dict[str, str]]:
        """Return the template that is there for a name, and the variables it may use."""
        values = {key: v for key, v in {**work.state.slots, **work.slots}.items() if v}
        if name.startswith("ask_") and not self.parts.templates.has(name):
            return "ask_slot", {**values, "slot": name.removeprefix("ask_").replace("_", " ")}
        return name, values

    def _act(
        self, work: TurnContext, decision: Decision, language: str
    ) -> Generator[str, None, tuple[Decision, Reply]]:
        """Run the action and speak as it speaks; where it cannot or fails, a person takes over."""
        text = ""
        buttons: list[Button] = []
        result: ActionOutcome | None = None
        try:
            if self.parts.actions and decision.action:
                steps = self.parts.actions.stream(self._call(work, decision, language))
                while result is None:
                    try:
                        said = next(steps)
                    except StopIteration as stop:
                        result = stop.value
                        break
                    words = said.text if said.text is not None else self._said(said, language, work)
                    words = words if said.continues or not text else f"\n{words}"
                    buttons += said.buttons
                    text += words
                    yield from pieces(words)
        except Exception:  # what was said stands; a person sees to the rest
            _logger.exception("%s failed for message %s", decision.action, work.message.id)
        if result:
            work.slots |= {key: value or "" for key, value in result.slots.items()}
        work.acted += (_acted(decision, text, buttons, result),)
        if result and not result.failed:
            done = replace(decision, slot=result.asks)
            return done, Reply(text, buttons=tuple(buttons), composer="action")
        decision = self._reachable(work, self.parts.policy.action_failed(decision), language)
        reply = self._from_template(work, decision, language)
        more = f"\n{reply.text}" if text else reply.text
        yield from pieces(more)
        return decision, replace(reply, text=text + more)

    def _call(self, work: TurnContext, decision: Decision, language: str) -> ActionCall:
        known = {**work.state.slots, **work.slots}
        return ActionCall(
            name=decision.action or "",
            conversation_id=work.message.conversation_id,
            message_id=work.message.id,
            text=work.message.text,
            language=language,
            slots={key: value for key, value in known.items() if value},
            customer=work.message.customer,
            intent=decision.intent,
            at=work.message.at,
        )

    def _said(self, said: ActionResponse, language: str, work: TurnContext) -> str:
        """Return the words of an action's template; its variables may be slots as well."""
        name, values = self._named(said.template or "error", work)
        return self.say(name, language, work, **{**values, **said.values})

    def say(self, name: str, language: str, work: TurnContext, /, **values: str) -> str:
        """Return the words of a template; another variant each time."""
        values[CHANNEL] = work.message.channel
        return self.parts.templates.render(name, language, self._variant(work), **values)

    def _variant(self, work: TurnContext) -> int:
        return sum(1 for line in work.state.history if line.role is Role.BOT)

    def give_up(self, work: TurnContext) -> tuple[Understanding, Decision, Reply]:
        """Return the hand-off of a message that could not be answered."""
        language = work.state.language or "en"
        understanding = Understanding(language, "neutral", "calm", None, 0.0)
        queue = self.parts.policy.content.default_queue
        decision = Decision(Route.HANDOFF, "error", template="error", queue=queue)
        return understanding, decision, Reply(built_in("error", language))


def _acted(
    decision: Decision, text: str, buttons: Sequence[Button], result: ActionOutcome | None
) -> ActionRecord:
    """Return what came of an action; without a result it did not run to its end."""
    slots = tuple(result.slots.items()) if result else ()
    asks, failed = (result.asks, result.failed) if result else (None, "error")
    return ActionRecord(decision.action or "", text, tuple(buttons), slots, asks, failed)
