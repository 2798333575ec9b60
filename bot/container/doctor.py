"""Checks of a home: is everything there, does it fit together, what is to be done."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.container.home import Home
from bot.core.types import CarelineError
from bot.dialogue import policy_checks
from bot.nlu.entities.extractor import BUILT_IN
from knowledge_base.documents import KnowledgeError


@dataclass(frozen=True)
class DoctorCheck:
    """The result of one check."""

    name: str
    ok: bool
    message: str


def examine(home: Home) -> list[DoctorCheck]:
    """Run all checks; one that fails does not keep the others from running."""
    checks: tuple[tuple[str, Callable[[Home], str]], ...] = (
        ("home", lambda h: str(h.path.resolve())),
        ("base encoder", _encoder),
        ("model", _model),
        ("knowledge", _knowledge),
        ("templates", lambda h: f"{len(h.templates().names)} texts ({h.templates().version})"),
        ("policy", _policy),
        ("actions", _actions),
        ("database", _database),
        ("device", _device),
    )
    return [_check(name, check, home) for name, check in checks]


def _check(name: str, check: Callable[[Home], str], home: Home) -> DoctorCheck:
    try:
        return DoctorCheck(name, ok=True, message=check(home))
    except (CarelineError, KnowledgeError, OSError) as error:
        return DoctorCheck(name, ok=False, message=str(error))


def _encoder(home: Home) -> str:
    encoder = home.encoder()
    return f"{encoder.id}, {encoder.dimension} dimensions"


def _model(home: Home) -> str:
    model = home.model()
    if model is None:
        return "none yet: `careline train` makes one; until then everything is searched"
    return f"{model.version}, {len(model.intents)} intents"


def _knowledge(home: Home) -> str:
    knowledge = home.knowledge()
    if knowledge is None:
        return "none yet: `careline ingest` builds it"
    return f"{knowledge.version}, {len(knowledge.documents)} articles"


def _policy(home: Home) -> str:
    policy = home.policy()
    model = home.models.current()
    labels = model.details["labels"] if model else ()
    if issues := policy_checks.find_issues(policy.content, labels, home.templates().names):
        raise CarelineError("; ".join(issue.message for issue in issues))
    routes = f"{len(policy.content.routes)} routes ({policy.version})"
    unfilled = policy_checks.find_unfilled_slots(policy.content, BUILT_IN)
    return "; ".join([routes, *unfilled, *policy.content.undeclared(labels)])


def _actions(home: Home) -> str:
    from bot.actions.runner import ActionRunner

    named = {rule.action for rule in home.policy().content.routes.values() if rule.action}
    actions = home.actions(dry=True)
    if isinstance(actions, ActionRunner):
        if missing := sorted(named - set(actions.names())):
            message = f"policy.yml names actions that do not exist: {', '.join(missing)}"
            raise CarelineError(message)
        return ", ".join(actions.names()) or "none"
    if actions is not None:
        return f"those of {home.settings.actions_url}"
    if named:
        message = (
            f"policy.yml names {', '.join(sorted(named))}, but the home has no folder `actions/`: "
            "add it, or set `actions_url`"
        )
        raise CarelineError(message)
    return "none: no intent needs one"


def _database(home: Home) -> str:
    from bot.store import database

    database.check_known(home.engine)
    current, newest = database.revision(home.engine), database.head()
    if current != newest:
        message = f"it is at revision {current}, not {newest}: run `careline migrate`"
        raise CarelineError(message)
    return f"{home.engine.url.render_as_string()} at revision {current}"


def _device(_home: Home) -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
