"""What the routes work with: the assistant of a home, kept up to date while it serves."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from bot.assistant import Assistant
from bot.bootstrap import Home, assistant
from bot.server.secrets_file import Secrets, load_or_make
from bot.store import database
from bot.store.log import SqlLog
from bot.store.reading import Reader
from bot.types import CarelineError, NotFoundError
from knowledge_base.documents import Document, KnowledgeError

_logger = logging.getLogger(__name__)
_RELOAD_SECONDS: Final = 0.5
_THREADS: Final = 16
_WAITING: Final = 128  # messages in work or waiting before others are asked to come back


class BusyError(CarelineError):
    """Too many messages at once."""


@dataclass
class Service:
    """One process's share of the serving."""

    home: Home
    log: SqlLog
    assistant: Assistant
    secrets: Secrets

    def __post_init__(self) -> None:
        """Start with nothing in work."""
        self.reader = Reader(self.home.engine)
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="message")
        self._in_work = threading.Semaphore(_WAITING)
        self._fingerprint = fingerprint(self.home)
        self._stopped = threading.Event()

    @classmethod
    def start(cls, home: Home) -> "Service":
        """Load everything and answer what a crash left behind."""
        log = home.log()
        database.check_known(home.engine)
        service = cls(home, log, assistant(home, log), load_or_make(home.path))
        left = service.assistant.recover()
        if left:
            _logger.warning("answered %d messages that a stop had left unanswered", left)
        threading.Thread(target=service.watch, daemon=True, name="reload").start()
        return service

    def stop(self) -> None:
        """Finish the messages in work and let go of the database."""
        self._stopped.set()
        self.threads.shutdown(wait=True)
        self.home.engine.dispose()

    def take(self) -> None:
        """Take a place among the messages in work; raise BusyError when there is none."""
        if not self._in_work.acquire(blocking=False):
            message = "too many messages at once: try again in a moment"
            raise BusyError(message)

    def release(self) -> None:
        """Give a place back."""
        self._in_work.release()

    def watch(self) -> None:
        """Swap in what was published or edited while serving; a broken edit changes nothing."""
        while not self._stopped.wait(_RELOAD_SECONDS):
            try:
                self.reload()
            except (CarelineError, KnowledgeError) as error:
                _logger.error("the new content is not served: %s", error)  # noqa: TRY400
            except Exception:  # whatever is wrong with the new content, the old one serves on
                _logger.exception("the new content is not served")

    def reload(self) -> bool:
        """Rebuild the assistant when the home changed; return whether it did."""
        seen = fingerprint(self.home)
        if seen == self._fingerprint:
            return False
        self._fingerprint = seen
        self.assistant = assistant(self.home, self.log, after=self.assistant)
        _logger.info("now serving %s", self.assistant.served_by())
        return True

    def article(self, identifier: str) -> Document:
        """Return an article of the knowledge that is served."""
        knowledge = self.assistant.parts.knowledge
        found = knowledge.article(identifier) if knowledge else None
        if found is None:
            message = f"there is no article {identifier[:200]}"
            raise NotFoundError(message)
        return found

    def problems(self) -> list[str]:
        """Return why this process is not ready; nothing when it is."""
        found = []
        if database.revision(self.home.engine) != database.head():
            found.append("the database is not migrated: run `careline migrate`")
        served = self.assistant.served_by()
        if served.model != self.home.models.current_id():
            found.append("the active model is not loaded yet")
        if served.knowledge != self.home.knowledge_versions.current_id():
            found.append("the active knowledge is not loaded yet")
        return found


def fingerprint(home: Home) -> tuple[object, ...]:
    """Return what changes when a version is activated or the home's content is edited."""
    files = [home.path / name for name in ("policy.yml", "synonyms.yml", "prompt.yml")]
    files += sorted((home.path / "templates").glob("*.yml"))
    return (
        home.models.current_id(),
        home.knowledge_versions.current_id(),
        *((str(f), f.stat().st_mtime_ns) for f in files if f.exists()),
    )
