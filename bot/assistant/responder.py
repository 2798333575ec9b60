"""The respond step: the reply of a decision, from a template, from passages or from an action."""

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.actions.calls import ActionCall
from bot.assistant.protocols import ActionOutcome, ActionResponse, Components, ReplyTokens
from bot.assistant.reply_assembly import BETWEEN
from bot.assistant.turn_context import Response, Retrieval, StepTimer, TurnContext
from bot.core.failures import log_failure
from bot.core.types import ActionRecord, Button, Decision, Reply, Role, Route, Understanding
from bot.dialogue.forms import NO, YES
from bot.dialogue.handoff import WITH_BOT
from bot.dialogue.policy import TO_BOT
from bot.dialogue.state import QUEUED
from bot.dialogue.templates import CHANNEL, TemplateError, built_in
from bot.generation.streaming import pieces
from knowledge_base.documents import SearchHit

_logger = logging.getLogger(__name__)
_SCORE_SHARE: Final = 0.6  # of the best passage's score; weaker passages are not quoted
_RELATED: Final = 2  # titles of passages that were found but not cited


@dataclass(frozen=True)
class Responder:
    """Makes replies with the components of an assistant."""

    components: Components

    def respond(
        self,
        context: TurnContext,
        understanding: Understanding,
        retrieval: Retrieval,
        timer: StepTimer,
    ) -> Generator[str, None, Response]:
        """Yield the reply's tokens; then ask for what an interrupted form still waits for."""
        language = context.language(understanding)
        decision = self._with_contact(context, retrieval.decision, language)
        with timer.step("compose"):
            hits = retrieval.passages.hits
            response = yield from self._compose(context, decision, hits, language)
        decision = response.decision
        if decision.resumes is None or decision.route is Route.HANDOFF:
            return response
        own = context.with_slots(response.slots)
        name, values = self._template(decision.resumes, own)
        try:
            more = BETWEEN + self.render(name, language, own, **values)
        except TemplateError:  # a value it names was taken back meanwhile: it asks again later
            return response
        yield more
        reply = response.reply
        return replace(response, reply=replace(reply, text=reply.text + more))

    def _compose(
        self,
        context: TurnContext,
        decision: Decision,
        hits: Sequence[SearchHit],
        language: str,
    ) -> Generator[str, None, Response]:
        if decision.route is Route.RETRIEVE:
            reply = yield from self._from_passages(context, hits, language)
            return Response(decision, reply)
        if decision.route is Route.ACT and decision.slot is None and not decision.confirms:
            return (yield from self._from_action(context, decision, language))
        reply = self._from_template(context, decision, language)
        yield from pieces(reply.text)
        return Response(decision, reply)

    def _from_passages(
        self, context: TurnContext, hits: Sequence[SearchHit], language: str
    ) -> ReplyTokens:
        threshold = _SCORE_SHARE * hits[0].score
        hits = [hit for hit in hits if hit.score >= threshold]
        passage_language = hits[0].chunk.language
        prefix = ""
        if passage_language in {"en", "zh"} and passage_language != language:
            prefix = self.render("passages_in_other_language", language, context) + "\n"
            yield prefix
        reply = yield from self.components.composer.stream(
            context.question, hits, language, context.is_cancelled
        )
        titles = dict.fromkeys(hit.chunk.title for hit in hits if hit.chunk.title)
        cited = {citation.title for citation in reply.citations}
        related = tuple(title for title in titles if title not in cited)[:_RELATED]
        return replace(reply, text=prefix + reply.text, related=related)

    def _from_template(self, context: TurnContext, decision: Decision, language: str) -> Reply:
        if decision.reason == "with_human":
            return Reply("")  # only the person speaks
        templates = self.components.templates
        name, values = self._template(decision.template or "handoff", context)
        buttons = [
            Button(templates.title(intent, language), f"/{intent}") for intent in decision.options
        ]
        if decision.confirms:
            buttons += (
                self._button("yes", YES, context, language),
                self._button("no", NO, context, language),
            )
        is_waiting = context.state.owner is QUEUED and decision.reason != "contact_given"
        if decision.route is Route.HANDOFF and is_waiting:
            name = "handoff_waiting"
            conversation_id = context.message.conversation_id
            values["position"] = str(self.components.log.queue_position(conversation_id))
            buttons.append(self._button("to_bot", TO_BOT, context, language))
        if decision.route is Route.CLARIFY and not buttons and name == "clarify":
            name = "clarify_open"
        text = self.render(name, language, context, **values)
        if not buttons:
            values[CHANNEL] = context.message.channel
            buttons += templates.buttons(name, language, _variant(context), **values)
        if decision.contact:
            text += "\n" + self.render("handoff_closed", language, context)
        return Reply(text, buttons=tuple(buttons))

    def _with_contact(self, context: TurnContext, decision: Decision, language: str) -> Decision:
        """Note where nobody is there for a hand-off: the customer is asked for an address."""
        if decision.route is not Route.HANDOFF or context.state.owner not in WITH_BOT:
            return decision
        at = context.message.at
        is_staffed = self.components.policy.is_open(at, language) or self.components.log.is_staffed(
            decision.queue or "", at
        )
        return replace(decision, contact=not is_staffed)

    def _button(self, name: str, payload: str, context: TurnContext, language: str) -> Button:
        return Button(self.render(name, language, context), payload)

    def _template(self, name: str, context: TurnContext) -> tuple[str, dict[str, str]]:
        """Return the template that exists for a name, and the variables it may use."""
        values = context.known_slots
        if name.startswith("ask_") and not self.components.templates.has(name):
            return "ask_slot", {**values, "slot": name.removeprefix("ask_").replace("_", " ")}
        return name, values

    def _from_action(
        self, context: TurnContext, decision: Decision, language: str
    ) -> Generator[str, None, Response]:
        """Run the action and stream its replies; where it fails, a person takes over."""
        text = ""
        buttons: list[Button] = []
        outcome: ActionOutcome | None = None
        # What was said is kept; an agent handles the rest.
        with log_failure(_logger, "%s failed for message %s", decision.action, context.message.id):
            if self.components.actions and decision.action:
                steps = self.components.actions.stream(_call(context, decision, language))
                while outcome is None:
                    try:
                        part = next(steps)
                    except StopIteration as stop:
                        outcome = stop.value
                        break
                    words = self._action_text(part, language, context)
                    words = words if part.continues or not text else f"\n{words}"
                    buttons += part.buttons
                    text += words
                    yield from pieces(words)
        slots = {name: value or "" for name, value in outcome.slots.items()} if outcome else {}
        records = (_record(decision, text, buttons, outcome),)
        if outcome and not outcome.failed:
            decision = replace(decision, slot=outcome.asks)
            reply = Reply(text, buttons=tuple(buttons), composer="action")
            return Response(decision, reply, slots, records)
        decision = self.components.policy.action_failed(decision)
        decision = self._with_contact(context, decision, language)
        reply = self._from_template(context.with_slots(slots), decision, language)
        more = f"\n{reply.text}" if text else reply.text
        yield from pieces(more)
        return Response(decision, replace(reply, text=text + more), slots, records)

    def _action_text(self, part: ActionResponse, language: str, context: TurnContext) -> str:
        """Return the text of an action's response; a template's variables may be slots too."""
        if part.text is not None:
            return part.text
        name, values = self._template(part.template or "error", context)
        return self.render(name, language, context, **{**values, **part.values})

    def render(self, name: str, language: str, context: TurnContext, /, **values: str) -> str:
        """Return the text of a template; another variant each time."""
        values[CHANNEL] = context.message.channel
        return self.components.templates.render(name, language, _variant(context), **values)

    def hand_off_after_error(self, context: TurnContext) -> tuple[Understanding, Decision, Reply]:
        """Return the hand-off of a message that could not be answered."""
        language = context.state.language or "en"
        understanding = Understanding(language, "neutral", "calm", None, 0.0)
        queue = self.components.policy.content.default_queue
        decision = Decision(Route.HANDOFF, "error", template="error", queue=queue)
        return understanding, decision, Reply(built_in("error", language))


def _variant(context: TurnContext) -> int:
    return sum(1 for line in context.state.history if line.role is Role.BOT)


def _call(context: TurnContext, decision: Decision, language: str) -> ActionCall:
    message = context.message
    return ActionCall(
        name=decision.action or "",
        conversation_id=message.conversation_id,
        message_id=message.id,
        text=message.text,
        language=language,
        slots=context.known_slots,
        customer=message.customer,
        intent=decision.intent,
        at=message.at,
    )


def _record(
    decision: Decision, text: str, buttons: Sequence[Button], outcome: ActionOutcome | None
) -> ActionRecord:
    """Return what came of an action; without an outcome it did not run to its end."""
    slots = tuple(outcome.slots.items()) if outcome else ()
    asks, failed = (outcome.asks, outcome.failed) if outcome else (None, "error")
    return ActionRecord(decision.action or "", text, tuple(buttons), slots, asks, failed)
