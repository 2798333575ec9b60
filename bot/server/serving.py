"""The active assistant, rebuilt when a version is activated or the content is edited."""

import logging

from bot.assistant.pipeline import Assistant
from bot.container import Home, build_assistant
from bot.core.types import CarelineError, NotFoundError
from bot.store import database
from bot.store.conversation_log import SqlLog
from knowledge_base.documents import Document, KnowledgeError

_logger = logging.getLogger(__name__)


class ServingAssistant:
    """The assistant of a home in its present state."""

    def __init__(self, home: Home, log: SqlLog) -> None:
        """Build the assistant from the active versions."""
        self._home = home
        self._log = log
        self.current: Assistant = build_assistant(home, log)
        self._fingerprint = fingerprint(home)

    def reload(self) -> bool:
        """Rebuild the assistant if the home changed, and return whether it did.

        New content with an error is logged and not served; the old content stays active.
        """
        present = fingerprint(self._home)
        if present == self._fingerprint:
            return False
        self._fingerprint = present
        try:
            self.current = build_assistant(self._home, self._log, after=self.current)
        except (CarelineError, KnowledgeError) as error:
            _logger.error("the new content is not served: %s", error)  # noqa: TRY400
            return False
        _logger.info("now serving %s", self.current.served_by())
        return True

    def article(self, identifier: str) -> Document:
        """Return an article of the active knowledge; raise NotFoundError if there is none."""
        knowledge = self.current.components.knowledge
        article = knowledge.article(identifier) if knowledge else None
        if article is None:
            message = f"there is no article {identifier[:200]}"
            raise NotFoundError(message)
        return article

    def problems(self) -> list[str]:
        """Return why this process is not ready; empty if it is."""
        problems = []
        if database.revision(self._home.engine) != database.head():
            problems.append("the database is not migrated: run `careline migrate`")
        served = self.current.served_by()
        if served.model != self._home.models.current_id():
            problems.append("the active model is not loaded yet")
        if served.knowledge != self._home.knowledge_versions.current_id():
            problems.append("the active knowledge is not loaded yet")
        return problems


def fingerprint(home: Home) -> tuple[object, ...]:
    """Return a value that changes when a version is activated or the home's content is edited."""
    files = [home.path / name for name in ("policy.yml", "synonyms.yml", "prompt.yml")]
    files += sorted((home.path / "templates").glob("*.yml"))
    return (
        home.models.current_id(),
        home.knowledge_versions.current_id(),
        *((str(f), f.stat().st_mtime_ns) for f in files if f.exists()),
    )
