"""Checks of a policy against the labels of the model and the answer templates."""

from collections.abc import Collection
from typing import Final

from bot.core.types import OUT_OF_SCOPE, ConfigurationIssue
from bot.dialogue.policy_file import RESERVED, PolicyContent, SlotRule

UNKNOWN_INTENT: Final = "unknown_intent"  # a warning in drafts: the model may learn it later
# Templates without variables that are used with any routes.
_FIXED_TEMPLATES: Final = (
    *("abuse", "anger", "clarify", "clarify_open", "contact_taken", "error", "form_cancelled"),
    *("handoff", "handoff_closed", "handoff_contact", "handoff_withdrawn", "maintenance"),
    *("no_evidence", "no_question", "other_language", "out_of_scope", "refused", "unreadable"),
    *("passages_in_other_language", "reopened", "yes", "no", "to_bot", "still_there", "closed"),
    "file_received",
)


def find_issues(
    content: PolicyContent, intents: Collection[str], templates: Collection[str]
) -> list[ConfigurationIssue]:
    """Return the entries that do not match the labels of the model and the templates."""
    issues = [
        ConfigurationIssue(
            f"intent `{name}` in policy.yml is unknown to the model",
            UNKNOWN_INTENT,
            {"intent": name},
        )
        for name in sorted(set(content.routes) - set(intents) - {OUT_OF_SCOPE})
        if intents
    ]
    for name, rule in sorted(content.routes.items()):
        if rule.route == "act" and not rule.action:
            message = f"intent `{name}` in policy.yml acts but names no action"
            issues.append(ConfigurationIssue(message, "no_action", {"intent": name}))
        template_name = rule.template or (name if rule.route == "template" else None)
        named = (template_name, rule.confirm, rule.informs)
        issues += [
            ConfigurationIssue(
                f"template `{template}` of intent `{name}` does not exist",
                "no_template",
                {"template": template, "intent": name},
            )
            for template in named
            if template and template != OUT_OF_SCOPE and template not in templates
        ]
    issues += [
        ConfigurationIssue(
            f"template `{emergency.template}` of an emergency does not exist",
            "no_emergency_template",
            {"template": emergency.template},
        )
        for emergency in content.emergencies
        if emergency.template not in templates
    ]
    issues += [
        ConfigurationIssue(
            f"slot `{name}` in policy.yml is not used by any intent",
            "slot_unasked",
            {"slot": name},
        )
        for name in sorted(set(content.slots) - content.wanted())
    ]
    return issues


def find_unfilled_slots(content: PolicyContent, built_in: Collection[str]) -> list[str]:
    """Return advice on slots that no message can fill; `built_in` are kinds of entities."""
    kinds = {*built_in, *content.entities}
    rules = {name: content.slots.get(name, SlotRule()) for name in content.wanted() - RESERVED}
    return [
        f"no message fills the slot `{name}`, unless an action sets it: "
        f"add an entity `{name}`, or `{name}: {{free_text: true}}` under `slots`"
        for name, rule in sorted(rules.items())
        if not rule.free_text and kinds.isdisjoint(rule.entities or (name,))
    ]


def template_variables(content: PolicyContent) -> dict[str, frozenset[str]]:
    """Return the templates that the policy uses, with the variables each one gets."""
    names = {name: frozenset[str]() for name in _FIXED_TEMPLATES}
    for intent, rule in content.routes.items():
        named = rule.template or (intent if rule.route in {"template", "handoff"} else None)
        names |= {name: frozenset() for name in (named, rule.informs) if name}
        names |= {f"ask_{slot}": frozenset() for slot in rule.slots}
        if rule.confirm:
            names[rule.confirm] = frozenset(rule.slots)
    names |= {emergency.template: frozenset() for emergency in content.emergencies}
    return names | {
        "handoff_waiting": frozenset({"position"}),
        "handoff_joined": frozenset({"agent"}),
        "ask_slot": frozenset({"slot"}),
    }
