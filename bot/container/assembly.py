"""The assistant of a home, assembled from its parts."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import Components, ConversationLog
from bot.container.home import Home
from bot.core.types import OUT_OF_SCOPE, CarelineError
from bot.dialogue import policy_checks
from bot.dialogue.policy import Policy
from bot.dialogue.templates import Templates
from bot.store import content_snapshots

if TYPE_CHECKING:
    from bot.assistant.question_suggestions import QuestionSuggester
    from bot.nlu.intent_classifier import IntentModel

_logger = logging.getLogger(__name__)
_DIALOGS: Final = "*.jsonl*"


def _is_certified(home: Home, model: "IntentModel | None") -> bool:
    """Return whether the model keeps the promise of the settings; warn where it does not."""
    promise = home.settings.promise
    if promise is None or model is None:
        return False
    if model.calibration.covers(promise.wrong_among_answered, promise.confidence):
        return True
    why = model.calibration.missing or "it was certified for another one: run `careline train`"
    _logger.warning("model %s does not keep the promise (%s)", model.version, why)
    return False


def _suggester(
    home: Home,
    model: "IntentModel | None",
    policy: Policy,
    templates: Templates,
    *,
    with_log: bool,
) -> "QuestionSuggester":
    """Learn what follows what from the home's dialogs and, where `with_log` is set, from its log.

    While there is nothing to learn from, the intents whose titles are closest are suggested.
    """
    from bot.assistant.question_suggestions import QuestionSuggester
    from bot.store import query_log
    from bot.training import datasets

    files = sorted((home.path / "dialogs").glob(_DIALOGS))
    sessions = [
        [turn.intent for turn in conversation.turns if turn.intent]
        for conversation in datasets.read_transcripts(files)
        if not datasets.is_held_back(conversation.id)
    ]
    sessions += [list(steps) for steps in (query_log.sessions(home.engine) if with_log else ())]
    labels = model.labels if model else ()
    small_talk = policy.content.small_talk({*labels, *(item for s in sessions for item in s)})
    never = {*small_talk, OUT_OF_SCOPE}
    if model is None or any(len(set(steps)) > 1 for steps in sessions):
        return QuestionSuggester.fit(sessions, never=never)
    vectors = model.encoder.queries([templates.title(name, "en") for name in model.labels])
    content = dict(zip(model.labels, vectors, strict=True))
    return QuestionSuggester.fit(sessions, content=content, never=never)


def build_assistant(
    home: Home,
    log: ConversationLog | None = None,
    versions: Sequence[str] = (),
    *,
    after: Assistant | None = None,
    content: Path | None = None,
) -> Assistant:
    """Build the assistant of a home, with the active versions or those given by id.

    Without a log, the home's SQL log is used. `after` is the assistant this one takes over from,
    `content` a folder of content snapshots that replace the home's content.
    """
    from bot.nlu.entities.extractor import BUILT_IN, EntityExtractor
    from bot.nlu.understander import Understander
    from bot.store.conversation_log import SqlLog

    by_prefix: dict[str, str] = {}
    for identifier in versions:
        prefix = home.catalog.versions_of(identifier).prefix
        if prefix in by_prefix:
            message = f"{by_prefix[prefix]} and {identifier} are of one kind: give one of each"
            raise CarelineError(message)
        by_prefix[prefix] = identifier
    model = home.model(by_prefix.get("m"))
    knowledge = home.knowledge(by_prefix.get("k"), content)
    templates = home.templates(content)
    policy = replace(home.policy(content), has_knowledge=knowledge is not None)
    labels = model.labels if model else ()
    issues = policy_checks.find_issues(policy.content, labels, templates.names)
    variables = policy_checks.template_variables(policy.content)
    messages = [issue.message for issue in (*issues, *templates.problems(variables))]
    for message in (*messages, *policy_checks.find_unfilled_slots(policy.content, BUILT_IN)):
        _logger.warning("%s", message)
    return Assistant(
        Components(
            log=log or home.log(),
            understander=Understander(
                model,
                EntityExtractor(policy.content.entities),
                promise=_is_certified(home, model),
                retrieval_gate=home.retrieval_gate(model),
                dialogue_acts=home.dialogue_acts(model),
            ),
            policy=policy,
            templates=templates,
            composer=home.composer(),
            knowledge=knowledge,
            actions=home.actions(dry=not (log is None or isinstance(log, SqlLog))),
            suggester=_suggester(
                home, model, policy, templates, with_log=log is None or isinstance(log, SqlLog)
            ),
            model_version=model.version if model else None,
            content=None if content else content_snapshots.save(home.path),
            max_characters=home.settings.max_message_characters,
        ),
        after,
    )
