"""What the routes work with: the assistant of a home, kept up to date while it serves."""

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bot.agent_assist import reply_suggester
from bot.agent_assist.reply_suggester import ReplySuggester
from bot.analytics import reports, topic_updates
from bot.analytics.period_report import ReportQuery
from bot.assistant.pipeline import Assistant
from bot.authoring.jobs import JobStore
from bot.authoring.publications import PublicationStore
from bot.container import Home, build_assistant
from bot.core.settings import DOORS
from bot.core.types import CarelineError, NotFoundError, Turn, now
from bot.dialogue.handoff import CustomerNotice
from bot.integrations import webhooks
from bot.integrations.chatwoot import client
from bot.integrations.delivery import DeliveryChannel
from bot.server.auth.rate_limits import AttemptLimiter
from bot.server.auth.secrets_file import Secrets, load_or_make
from bot.server.auth.visitor_tokens import VisitorTokens
from bot.server.background.outbox_worker import OutboxWorker
from bot.server.message_service import MessageService
from bot.store import conversation_summary, database, reply_suggestions
from bot.store import topic_store as topics_kept
from bot.store.accounts import Users
from bot.store.attachments import Attachments
from bot.store.conversation_log import SqlLog
from bot.store.handoff_desk import HandoffDesk
from bot.store.outbox import Outbox
from bot.store.read_model import ConversationReader
from bot.store.visitors import VisitorConversations
from knowledge_base.documents import Document, KnowledgeError

_logger = logging.getLogger(__name__)
_RELOAD_SECONDS: Final = 0.5
_TICKS: Final = 4  # looks at the home between two looks at the desk
_HOUR: Final = round(3600 / _RELOAD_SECONDS)  # looks at the home between two at the figures
_SOON: Final = round(60 / _RELOAD_SECONDS)  # and before the first
_FRESH_DAYS: Final = 2  # a surge before yesterday is no news
_LATELY: Final = 200  # turns
_RECENT: Final = timedelta(hours=1)
FIRST: Final = "admin"  # who may sign in where no user was added


@dataclass
class Service:
    """One process's share of the serving."""

    home: Home
    log: SqlLog
    assistant: Assistant
    secrets: Secrets

    def __post_init__(self) -> None:
        """Start with nothing in work."""
        self.reader = ConversationReader(self.home.engine)
        self.desk = HandoffDesk(self.home.engine, self._notice)
        self.users = Users(self.home.engine)
        self.session_key = self.home.seal.key_for("sessions")
        self.logins = self._tries("login", "too many wrong passwords: try again later")
        self.lookups = self._tries("order", "too many orders that do not fit: try again later")
        self.advisor = ReplySuggester(
            self.home.engine, self.home.encoder, self.home.path / "dialogs"
        )
        self.looker = topic_updates.TopicUpdater(self.home.engine, self.home.encoder, patient=True)
        self.jobs = JobStore(self.home.path.resolve())
        self.publications = PublicationStore(self.home.path)
        self.outbox = Outbox(self.home.engine)
        self.visits = VisitorConversations(self.home.engine)
        self.attachments = Attachments(self.home.engine, self.home.seal)
        self.tickets = VisitorTokens(self.home.seal.key_for("visitors"))
        self.courier = OutboxWorker(self.outbox, self._carriers())
        self.messages = MessageService(
            lambda: self.assistant, self.announce, self.home.settings.burst_seconds
        )
        self._fingerprint = fingerprint(self.home)
        self._stopped = threading.Event()

    def _tries(self, kind: str, complaint: str) -> AttemptLimiter:
        return AttemptLimiter(self.home.engine, kind, self.home.seal.key_for("guesses"), complaint)

    @classmethod
    def start(cls, home: Home) -> "Service":
        """Load everything and answer what a crash left behind."""
        log = home.log()
        database.check_known(home.engine)
        for name in DOORS:
            home.settings.secret(name)  # a file that cannot be read is said now, not to a client
        service = cls(home, log, build_assistant(home, log), load_or_make(home.path))
        service.users.begin_with(FIRST, service.secrets.password)
        left = service.assistant.recover()
        if left:
            _logger.warning("answered %d messages that a stop had left unanswered", left)
        threading.Thread(target=service.watch, daemon=True, name="reload").start()
        service.announce_again()
        service.courier.start()
        return service

    def stop(self) -> None:
        """Finish the messages in work and let go of the database."""
        self._stopped.set()
        self.messages.stop()
        self.courier.stop()
        self.home.engine.dispose()

    def _carriers(self) -> dict[str, DeliveryChannel]:
        settings = self.home.settings
        carriers: dict[str, DeliveryChannel] = {}
        if settings.webhook_url:
            secret = settings.secret("webhook_secret") or ""
            carriers[webhooks.CHANNEL] = webhooks.WebhookChannel(settings.webhook_url, secret)
        if settings.chatwoot_url:
            token = settings.secret("chatwoot_token") or ""
            bot = client.ChatwootChannel(settings.chatwoot_url, token, self.log)
            carriers[client.CHANNEL] = bot
        return carriers

    def announce(self, turn: Turn) -> None:
        """Tell the business's own system of a turn, soon; the customer is not kept waiting."""
        settings = self.home.settings
        if settings.webhook_url is None:
            return
        try:
            before = self.reader.trace(turn.message.id).get("before", {}).get("owner", "")
            parcels = webhooks.turn_events(settings, turn, before)
            self.outbox.add(parcels)
        except Exception:  # a record fails softly: the reply is in the log and on its way
            _logger.exception("turn %s could not be announced", turn.message.id)
        else:
            if parcels:
                self.courier.wake()

    def surges(self, period: ReportQuery) -> list[dict[str, Any]]:
        """Return the surges of a period, with examples and what had changed before them."""
        return reports.alerts(self.home.engine, period, self.home.catalog.changed_articles)

    def announce_surges(self) -> None:
        """Tell the business's own system of surges of today and yesterday, each once."""
        if self.home.settings.webhook_url is None:
            return
        try:
            found = self.surges(reports.query(_FRESH_DAYS))
            self.outbox.add(webhooks.surge_events(self.home.settings, found))
        except Exception:  # the next look finds them again
            _logger.exception("surges could not be announced")
        else:
            if found:
                self.courier.wake()

    def look_for_topics(self) -> None:
        """Look for what customers talk about, where no other process did within the hour."""
        try:
            if topics_kept.claim(self.home.engine, topic_updates.SPACING):
                self.looker.look()
        except topics_kept.TopicUpdateRunningError:
            _logger.info("another process looks for topics")
        except Exception:  # the next look finds them
            _logger.exception("topics could not be looked for")

    def _hourly(self) -> None:
        self.look_for_topics()
        self.announce_surges()

    def announce_again(self) -> None:
        """Announce the turns of the last hour: a stop may have come before they were."""
        if self.home.settings.webhook_url is None:
            return
        for message_id in self.reader.answered(_LATELY):
            turn = self.log.answered(message_id)
            if turn and now() - turn.message.at < _RECENT:
                self.announce(turn)

    def watch(self) -> None:
        """Swap in what was published or edited while serving; a broken edit changes nothing.

        And let time do its part at the desk.
        """
        ticks = 0
        while not self._stopped.wait(_RELOAD_SECONDS):
            ticks += 1
            if ticks % _TICKS == 0:
                self.tick()
            if ticks % _HOUR == _SOON:  # it may take a while: the home is looked at meanwhile
                threading.Thread(target=self._hourly, daemon=True, name="hourly").start()
            try:
                self.reload()
            except (CarelineError, KnowledgeError) as error:
                _logger.error("the new content is not served: %s", error)  # noqa: TRY400
            except Exception:  # whatever is wrong with the new content, the old one serves on
                _logger.exception("the new content is not served")

    def tick(self) -> None:
        """See to leases that ran out, long waits, customers who left, and articles that changed."""
        content = self.assistant.components.policy.content
        silence = content.silence_minutes
        try:
            self.desk.tick(
                timedelta(minutes=content.patience_minutes),
                timedelta(minutes=silence) if silence else None,
            )
        except Exception:  # the next tick sees to it
            _logger.exception("the desk's clock failed")
        try:
            self.jobs.start_due()
        except Exception:  # so it does for this
            _logger.exception("changed articles could not be ingested")

    def _notice(self, notice: CustomerNotice, language: str) -> str:
        return self.assistant.components.templates.render(
            notice.template, language, 0, **notice.values
        )

    def summary(self, conversation_id: str) -> dict[str, Any]:
        """Return a conversation in short, for the person who takes it over."""
        return conversation_summary.summary(self.home.engine, conversation_id)

    def suggestions(self, conversation_id: str) -> dict[str, Any]:
        """Return three replies that would fit now; what was offered is kept.

        What people answered is learnt in the background, the first time it is asked for: until
        then templates and passages are offered.
        """
        if self.advisor.is_behind():
            threading.Thread(target=self.advisor.learn, daemon=True, name="advisor").start()
        said = reply_suggestions.lines(self.home.engine, conversation_id)
        found = self.advisor.suggest(self.assistant.components, said)
        shown = [reply_suggester.suggestion_json(one) for one in found]
        identifier = (
            reply_suggestions.offer(self.home.engine, conversation_id, shown) if shown else None
        )
        return {"id": identifier, "suggestions": shown}

    def chose(self, suggestion: str, place: int, message_id: str, text: str) -> None:
        """Note which suggestion an agent sent; a record fails softly, the words are sent."""
        try:
            reply_suggestions.choose(self.home.engine, suggestion, place, message_id, text)
        except NotFoundError as error:
            _logger.warning("a choice could not be kept: %s", error)

    def reload(self) -> bool:
        """Rebuild the assistant when the home changed; return whether it did."""
        seen = fingerprint(self.home)
        if seen == self._fingerprint:
            return False
        self._fingerprint = seen
        self.assistant = build_assistant(self.home, self.log, after=self.assistant)
        _logger.info("now serving %s", self.assistant.served_by())
        return True

    def article(self, identifier: str) -> Document:
        """Return an article of the knowledge that is served."""
        knowledge = self.assistant.components.knowledge
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
