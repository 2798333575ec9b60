"""Announcements of turns and surges to the business's own system, through the outbox."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.core.failures import log_failure
from bot.core.settings import Settings
from bot.core.types import Turn, now
from bot.integrations import webhooks
from bot.server.background.outbox_worker import OutboxWorker
from bot.store.conversation_log import SqlLog
from bot.store.read_model import ConversationReader

_logger = logging.getLogger(__name__)
_MAX_RECENT: Final = 200  # turns that are announced again after a start
_RECENT: Final = timedelta(hours=1)


class Announcer:
    """Adds the configured events to the outbox; each is delivered once."""

    def __init__(
        self, settings: Settings, log: SqlLog, reader: ConversationReader, worker: OutboxWorker
    ) -> None:
        """Store the settings, the log with its read model, and the delivering worker."""
        self._settings = settings
        self._log = log
        self._reader = reader
        self._worker = worker

    def announce(self, turn: Turn) -> None:
        """Announce a turn; the customer does not wait for it."""
        if self._settings.webhook_url is None:
            return
        # The reply is already in the log: a failure is only reported.
        with log_failure(_logger, "turn %s could not be announced", turn.message.id):
            before = self._reader.trace(turn.message.id).get("before", {}).get("owner", "")
            events = webhooks.turn_events(self._settings, turn, before)
            self._worker.outbox.add(events)
            if events:
                self._worker.wake()

    def announce_recent(self) -> None:
        """Announce the turns of the last hour, in case a stop came before it."""
        if self._settings.webhook_url is None:
            return
        for message_id in self._reader.answered(_MAX_RECENT):
            turn = self._log.answered(message_id)
            if turn and now() - turn.message.at < _RECENT:
                self.announce(turn)

    def announce_surges(self, surges: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        """Announce surges; `surges` is called only if webhooks are configured."""
        if self._settings.webhook_url is None:
            return
        events = webhooks.surge_events(self._settings, surges())
        self._worker.outbox.add(events)
        if events:
            self._worker.wake()
