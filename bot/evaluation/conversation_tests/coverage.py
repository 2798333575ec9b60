"""Coverage of conversation tests: intents, templates, actions and rules of the policy."""

from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bot.actions.calls import ActionCall
from bot.assistant.protocols import ActionOutcome, ActionResponse, Actions
from bot.core.types import OUT_OF_SCOPE, Decision, Turn
from bot.dialogue.policy_file import PolicyContent, matches
from bot.dialogue.safety import emergency
from bot.dialogue.templates import Templates
from bot.evaluation.conversation_tests.expectations import intent_of

# Reasons of decisions that exist in every policy. Further ones have a name after a colon:
# `route:` and `informs:` that of an intent, `escalation:` and `emergency:` that of an entry.
REASONS: Final = frozenset(
    {
        "abuse", "accepted_offer", "action_failed", "anger", "confirm", "confirm_again",
        "declined_offer", "file_received",
        "confirmed", "contact_given", "corrected", "form_cancelled", "maintenance",
        "missing_slot", "no_evidence", "no_knowledge", "no_model", "no_question", "no_rule",
        "no_template", "no_words", "other_language", "out_of_scope", "paused", "promise",
        "refused", "repeated_failure", "slot_filled", "slot_invalid", "smalltalk", "unsure",
        "unsure_search", "with_human", "withdrawn",
    }
)  # fmt: skip
ENTRIES: Final = frozenset({"escalation", "emergency"})
PREFIXES: Final = frozenset({"route:", "informs:"})
_BUILT_IN_EMERGENCIES: Final = ("self_harm", "danger")


def rules_of(content: PolicyContent, *, promises: bool) -> list[str]:
    """Return the names of a policy's rules; `promise` is a rule only where the home makes one."""
    names = REASONS if promises else REASONS - {"promise"}
    rules = [*sorted(names)]
    for intent, rule in sorted(content.routes.items()):
        # An action that needs a confirmation is never run by the first message.
        if not content.is_kind(intent, "small_talk") and not rule.confirm:
            rules.append(f"route:{intent}")
        if rule.informs:
            rules.append(f"informs:{intent}")
    rules += [f"escalation:{number}" for number, _ in enumerate(content.escalations, start=1)]
    rules += [f"emergency:{number}" for number, _ in enumerate(content.emergencies, start=1)]
    return rules + [f"emergency:{kind}" for kind in _BUILT_IN_EMERGENCIES]


def fired_rules(turn: Turn, decision: Decision, content: PolicyContent) -> Iterator[str]:
    """Yield the rule that made a decision, by its name in `rules_of`."""
    text = turn.message.text
    if decision.reason == "escalation":
        for number, rule in enumerate(content.escalations, start=1):
            if rule.fires(text, decision.intent):
                yield f"escalation:{number}"
                return
    elif decision.reason == "emergency":
        yield from _emergency(text, content)
    else:
        yield decision.reason


def _emergency(text: str, content: PolicyContent) -> Iterator[str]:
    for number, own in enumerate(content.emergencies, start=1):
        if matches(own.patterns, text):
            yield f"emergency:{number}"
            return
    yield (emergency(PolicyContent(), text) or "").replace("emergency_", "emergency:")


@dataclass(frozen=True)
class CoveredItems(Templates):
    """Templates that record which of them are rendered."""

    rendered: list[str] = field(default_factory=list)

    @classmethod
    def recording(cls, templates: Templates, without: Collection[str] = ()) -> "CoveredItems":
        """Return recording templates, except those named in `without`."""
        texts = {
            code: {name: v for name, v in own.items() if name not in without}
            for code, own in templates.texts.items()
        }
        return cls(texts, templates.titles, templates.version)

    def render(self, name: str, language: str, variant: int = 0, **values: str) -> str:
        """Return the text, and record its name."""
        self.rendered.append(name)
        return super().render(name, language, variant, **values)


@dataclass(frozen=True)
class RecordingActions:
    """Actions that record which of them ran."""

    actions: Actions
    ran: list[str] = field(default_factory=list)

    def run(self, call: ActionCall, /) -> ActionOutcome:
        """Run an action, and record its name."""
        self.ran.append(call.name)
        return self.actions.run(call)

    def stream(self, call: ActionCall, /) -> Generator[ActionResponse, None, ActionOutcome]:
        """Stream an action, and record its name."""
        self.ran.append(call.name)
        return self.actions.stream(call)


@dataclass
class Coverage:
    """All items, and those that tests touched."""

    available: dict[str, tuple[str, ...]]
    touched: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        intents: Iterable[str],
        templates: Iterable[str],
        actions: Iterable[str],
        rules: Iterable[str],
    ) -> "Coverage":
        """Return the coverage before any test."""
        kinds = {"intents": intents, "templates": templates, "actions": actions, "rules": rules}
        return cls({kind: tuple(dict.fromkeys(sorted(names))) for kind, names in kinds.items()})

    def add(self, kind: str, names: Iterable[str | None]) -> None:
        """Record touched items."""
        self.touched.setdefault(kind, set()).update(name for name in names if name)

    def add_turn(self, turn: Turn, content: PolicyContent) -> None:
        """Record the intents and the rules of a turn."""
        self.add("intents", (intent_of(turn, decision) for decision in turn.decisions))
        for decision in turn.decisions:
            self.add("rules", fired_rules(turn, decision, content))

    def as_json(self) -> dict[str, Any]:
        """Return the public JSON: the number of items, the touched ones, and the missing ones."""
        result: dict[str, Any] = {}
        for kind, names in self.available.items():
            missing = [name for name in names if name not in self.touched.get(kind, ())]
            result[kind] = {
                "touched": len(names) - len(missing),
                "of": len(names),
                "missing": missing,
            }
        return result


def intents_of(labels: Collection[str], content: PolicyContent) -> list[str]:
    """Return all intents: the model's, those that have a route, and out of scope."""
    return [*labels, *content.routes, OUT_OF_SCOPE]
