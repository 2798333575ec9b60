"""The service: everything that the routes of one process use."""

import logging
from datetime import timedelta
from typing import Any, Final

from bot.agent_assist.reply_suggester import ReplySuggester
from bot.analytics import reports, topic_updates
from bot.assistant.pipeline import Assistant
from bot.authoring.jobs import JobStore
from bot.authoring.publications import PublicationStore
from bot.container import Home
from bot.core.settings import CLIENT_SECRETS
from bot.dialogue.handoff import CustomerNotice
from bot.integrations import webhooks
from bot.integrations.chatwoot import client
from bot.integrations.delivery import DeliveryChannel
from bot.server.auth.rate_limits import AttemptLimiter
from bot.server.auth.secrets_file import Secrets, load_or_create
from bot.server.auth.visitor_tokens import VisitorTokens
from bot.server.background.announcer import Announcer
from bot.server.background.outbox_worker import OutboxWorker
from bot.server.background.scheduler import ScheduledJob, Scheduler
from bot.server.message_service import MessageService
from bot.server.serving import ServingAssistant
from bot.store import conversation_summary, database, topic_store
from bot.store.accounts import Users
from bot.store.attachments import Attachments
from bot.store.conversation_log import SqlLog
from bot.store.conversation_notes import ConversationNotes
from bot.store.corrections import Corrections
from bot.store.daily_aggregates import ReportQuery
from bot.store.handoff_desk import HandoffDesk
from bot.store.outbox import Outbox
from bot.store.read_model import ConversationReader
from bot.store.visitors import VisitorConversations

_logger = logging.getLogger(__name__)
_RELOAD_SECONDS: Final = 0.5
_CLOCK_SECONDS: Final = 2.0  # for leases, long waits, silent customers and changed articles
_ANALYTICS_SECONDS: Final = 3600.0
_FIRST_ANALYTICS: Final = 60.0
_FRESH_DAYS: Final = 2  # older surges are not announced
FIRST_USER: Final = "admin"  # may sign in if no user was added


class Service:
    """The dependencies of the routes, and the background jobs of the process."""

    def __init__(self, home: Home, log: SqlLog, secrets: Secrets) -> None:
        """Build the parts; nothing runs in the background before `start`."""
        self.home = home
        self.log = log
        self.secrets = secrets
        engine, seal = home.engine, home.seal
        self.serving = ServingAssistant(home, log)
        self.reader = ConversationReader(engine)
        self.desk = HandoffDesk(engine, self._render_notice)
        self.notes = ConversationNotes(engine)
        self.corrections = Corrections(engine)
        self.users = Users(engine)
        self.session_key = seal.key_for("sessions")
        self.login_limiter = self._limiter("login", "too many wrong passwords: try again later")
        self.lookup_limiter = self._limiter("order", "too many failed look-ups: try again later")
        self.suggester = ReplySuggester(engine, home.encoder, home.path / "dialogs")
        self.topics = topic_updates.TopicUpdater(
            engine, home.encoder, home.small_talk, patient=True
        )
        self.jobs = JobStore(home.path.resolve())
        self.publications = PublicationStore(home.path)
        self.visitor_conversations = VisitorConversations(engine)
        self.attachments = Attachments(engine, seal)
        self.visitor_tokens = VisitorTokens(seal.key_for("visitors"))
        self.outbox_worker = OutboxWorker(Outbox(engine), self._channels())
        self.announcer = Announcer(home.settings, log, self.reader, self.outbox_worker)
        self.messages = MessageService(
            lambda: self.assistant, self.announcer.announce, home.settings.burst_seconds
        )
        self.scheduler = Scheduler(
            [
                ScheduledJob("reload", self.serving.reload, _RELOAD_SECONDS),
                ScheduledJob("handoff-clock", self.advance_handoffs, _CLOCK_SECONDS),
                ScheduledJob("ingest-changes", self.jobs.start_due, _CLOCK_SECONDS),
                ScheduledJob(
                    "analytics", self.update_analytics, _ANALYTICS_SECONDS, _FIRST_ANALYTICS
                ),
            ]
        )

    @classmethod
    def start(cls, home: Home) -> "Service":
        """Load everything, answer messages left by a crash, and start the background jobs."""
        log = home.log()
        database.check_known(home.engine)
        for name in CLIENT_SECRETS:
            home.settings.secret(name)  # report an unreadable file at the start
        service = cls(home, log, load_or_create(home.path))
        service.users.begin_with(FIRST_USER, service.secrets.password)
        if recovered := service.assistant.recover():
            _logger.warning("answered %d messages that a stop had left unanswered", recovered)
        service.scheduler.start()
        service.announcer.announce_recent()
        service.outbox_worker.start()
        return service

    def stop(self) -> None:
        """Finish the messages in flight and close the database."""
        self.scheduler.stop()
        self.messages.stop()
        self.outbox_worker.stop()
        self.home.engine.dispose()

    @property
    def assistant(self) -> Assistant:
        """The active assistant."""
        return self.serving.current

    def _limiter(self, kind: str, message: str) -> AttemptLimiter:
        return AttemptLimiter(self.home.engine, kind, self.home.seal.key_for("guesses"), message)

    def _channels(self) -> dict[str, DeliveryChannel]:
        settings = self.home.settings
        channels: dict[str, DeliveryChannel] = {}
        if settings.webhook_url:
            secret = settings.secret("webhook_secret") or ""
            channels[webhooks.CHANNEL] = webhooks.WebhookChannel(settings.webhook_url, secret)
        if settings.chatwoot_url:
            token = settings.secret("chatwoot_token") or ""
            chatwoot = client.ChatwootChannel(settings.chatwoot_url, token, self.log)
            channels[client.CHANNEL] = chatwoot
        return channels

    def surges(self, period: ReportQuery) -> list[dict[str, Any]]:
        """Return the surges of a period, with examples and the changes before them."""
        return reports.alerts(self.home.engine, period, self.home.catalog.changed_articles)

    def update_analytics(self) -> None:
        """Find new topics (once per hour across processes) and announce surges."""
        try:
            if topic_store.claim(self.home.engine, topic_updates.SPACING):
                self.topics.look()
        except topic_store.TopicUpdateRunningError:
            _logger.info("another process is looking for topics")
        self.announcer.announce_surges(lambda: self.surges(reports.query(_FRESH_DAYS)))

    def advance_handoffs(self) -> None:
        """Handle expired leases, long waits, and conversations of silent customers."""
        content = self.assistant.components.policy.content
        silence = content.silence_minutes
        self.desk.apply_timeouts(
            timedelta(minutes=content.patience_minutes),
            timedelta(minutes=silence) if silence else None,
        )

    def _render_notice(self, notice: CustomerNotice, language: str) -> str:
        templates = self.assistant.components.templates
        return templates.render(notice.template, language, 0, **notice.values)

    def summary(self, conversation_id: str) -> dict[str, Any]:
        """Return a short summary of a conversation, for the agent who takes it over."""
        return conversation_summary.summary(self.home.engine, conversation_id)
