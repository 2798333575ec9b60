"""A home: the folder of one business, and the parts that are loaded from it."""

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bot.actions import loader
from bot.assistant.protocols import Actions
from bot.core.settings import Settings
from bot.core.types import CarelineError, ServingVersions
from bot.dialogue import policy, templates
from bot.dialogue.policy import Policy
from bot.dialogue.templates import Templates
from bot.store.version_catalog import KNOWLEDGE, MODELS, VersionCatalog
from knowledge_base.index.versions import Version, Versions
from knowledge_base.retrieval import version_loader

if TYPE_CHECKING:
    from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer
    from bot.generation.language_models import TextGenerator
    from bot.nlu.dialogue_acts import DialogueActClassifier
    from bot.nlu.intent_classifier import IntentModel
    from bot.nlu.retrieval_gate import RetrievalGate
    from bot.store.conversation_log import SqlLog
    from bot.store.database import Engine
    from bot.store.encryption import FieldCipher
    from knowledge_base.encoders.base_models import ModelEncoder, TorchEncoder
    from knowledge_base.ingest import EncoderSpec
    from knowledge_base.retrieval.search import KnowledgeBase

_logger = logging.getLogger(__name__)


class Home:
    """One business on disk. Each part is loaded when it is first used, and only then."""

    def __init__(self, settings: Settings) -> None:
        """Open the home of the settings; a missing one is created bare."""
        self.settings = settings
        self.path = settings.home
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"the home {self.path} cannot be created: {error.strerror}"
            raise CarelineError(message) from error
        self._encoders: dict[str, ModelEncoder] = {}

    @cached_property
    def models(self) -> Versions:
        """The versions of the intent classifier."""
        return Versions(self.path / "models", MODELS, "m")

    @cached_property
    def knowledge_versions(self) -> Versions:
        """The versions of the knowledge."""
        return Versions(self.path / "indexes", KNOWLEDGE, "k")

    @cached_property
    def catalog(self) -> VersionCatalog:
        """All versions of the home: models, knowledge, templates and policy."""
        return VersionCatalog(self.models, self.knowledge_versions, self.content_versions)

    def encoder(self, base: str | None = None) -> "ModelEncoder":
        """Return the encoder that serves: the fast engine, made once, or torch where it cannot."""
        from knowledge_base.encoders import base_models, onnx_encoder

        name = base or self.settings.base
        if name not in self._encoders:
            model = base_models.resolve(name, self.settings.cache_folder)
            folder = self.settings.cache_folder / "engines" / model.id.replace("/", "_")
            if self.settings.engine == "auto" and not onnx_encoder.is_current(folder):
                _logger.warning("making the int8 engine of %s, once, in %s", name, folder)
                try:
                    onnx_encoder.export(base_models.TorchEncoder(model), folder)
                except OSError as error:
                    message = (
                        f"{folder} cannot be written: {error.strerror}; set CARELINE_CACHE, "
                        'or engine = "torch"'
                    )
                    raise CarelineError(message) from error
            quick = self.settings.engine == "auto" and onnx_encoder.is_usable(folder)
            encoder = onnx_encoder.OnnxEncoder(model, folder) if quick else self.torch_encoder(base)
            self._encoders[name] = encoder
        return self._encoders[name]

    def torch_encoder(self, base: str | None = None) -> "TorchEncoder":
        """Return a base encoder that can be fine-tuned."""
        from knowledge_base.encoders import base_models

        model = base_models.resolve(base or self.settings.base, self.settings.cache_folder)
        return base_models.TorchEncoder(model)

    def model(self, version: str | None = None) -> "IntentModel | None":
        """Open a version of the classifier, the active one by default; None before the first."""
        from bot.nlu import intent_classifier

        current = self.models.open(version) if version else self.models.current()
        if current is None:
            return None
        folder = self.models.folder(current.id)
        own = (folder / "encoder").is_dir()
        encoder = None if own else self.encoder(str(current.details["base"]))
        return intent_classifier.load(folder, current, encoder, engine=self.settings.engine)

    def labels(self) -> tuple[str, ...]:
        """Return the intents of the active model, without loading it; none before the first."""
        current = self.models.current()
        return tuple(current.details["labels"]) if current else ()

    def small_talk(self) -> frozenset[str]:
        """Return the intents of the active model that are small talk."""
        return self.policy().content.small_talk(self.labels())

    def retrieval_gate(self, model: "IntentModel | None") -> "RetrievalGate | None":
        """Open the retrieval gate of a model's version; None where it has none."""
        from bot.nlu import retrieval_gate

        folder = self.models.folder(model.version) / retrieval_gate.FOLDER if model else None
        return retrieval_gate.RetrievalGate.load(folder) if folder and folder.is_dir() else None

    def dialogue_acts(self, model: "IntentModel | None") -> "DialogueActClassifier | None":
        """Open the dialogue act classifier of a model's version; None where it has none."""
        from bot.nlu import dialogue_acts

        folder = self.models.folder(model.version) / dialogue_acts.FOLDER if model else None
        if folder is None or not folder.is_dir():
            return None
        return dialogue_acts.DialogueActClassifier.load(folder)

    def knowledge(
        self, version: str | None = None, content: Path | None = None
    ) -> "KnowledgeBase | None":
        """Open a version of the knowledge, the active one by default; None before the first."""
        from knowledge_base.retrieval.synonyms import Synonyms

        versions = self.knowledge_versions
        current = versions.open(version) if version else versions.current()
        if current is None:
            return None
        synonyms = Synonyms.load((content or self.path) / "synonyms.yml")
        folder = versions.folder(current.id)
        return version_loader.load(folder, current.details, current.id, self.encoder, synonyms)

    def indexing_encoders(self) -> "list[EncoderSpec]":
        """Return the encoders that new passages are indexed with: the base and one for English."""
        from knowledge_base.ingest import EncoderSpec

        base, english = self.settings.base, self.settings.english_base
        encoders = [EncoderSpec(base, self.encoder(base))]
        if english and english != base:
            encoders.append(EncoderSpec(english, self.encoder(english), english=True))
        return encoders

    @cached_property
    def engine(self) -> "Engine":
        """The engine of the log's database."""
        from bot.store import database

        return database.connect(self.settings.database)

    def migrate(self) -> str | None:
        """Bring the log's database to the newest revision and return it."""
        from bot.store import database

        return database.migrate(self.engine)

    def log(self) -> "SqlLog":
        """Return the conversation log, migrated."""
        from bot.store import database
        from bot.store.conversation_log import SqlLog

        if database.revision(self.engine) != database.head():
            self.migrate()
        return SqlLog(self.engine, self.seal)

    @cached_property
    def seal(self) -> "FieldCipher":
        """The cipher of personal data in the database, and of visitors' tokens."""
        from bot.store import encryption

        return encryption.load_or_make(self.path, self.settings.secret("seal_key"))

    def actions(self, *, dry: bool = False) -> "Actions | None":
        """Return the actions of the server in the settings, or those of the home's `actions/`.

        Dry ones change nothing: they act on a copy, and a server is not asked.
        """
        settings = self.settings
        if url := settings.actions_url:
            from bot.actions.http_remote import DisabledRemoteActions, HttpRemoteActions

            if dry:
                return DisabledRemoteActions()
            token = settings.secret("actions_token")
            if not url.startswith("grpc"):
                return HttpRemoteActions(url, settings.actions_seconds, token)
            from bot.actions.grpc_remote import GrpcRemoteActions

            return GrpcRemoteActions(url, settings.actions_seconds, token)
        if not loader.has_actions(self.path):
            return None
        from bot.actions.runner import ActionRunner

        return ActionRunner(self.path, dry=dry)

    def sentence_encoder(self) -> "ModelEncoder | None":
        """Return the encoder that compares sentences with passages; None without knowledge."""
        current = self.knowledge_versions.current()
        return self.encoder(current.details.get("base")) if current else None

    def composer(self) -> "ExtractiveAnswerer | LlmAnswerer":
        """Return the composer the settings name."""
        from bot.generation import prompts
        from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer, TokenPrices

        extractive = ExtractiveAnswerer(self.sentence_encoder())
        if self.settings.composer == "extractive":
            return extractive
        settings = self.settings
        return LlmAnswerer(
            self.generator,
            extractive,
            prompts.load(self.path, settings.business),
            seconds=settings.generator_seconds,
            prices=TokenPrices(settings.prompt_price, settings.completion_price),
        )

    @cached_property
    def generator(self) -> "TextGenerator":
        """The language model the settings name, loaded once."""
        settings = self.settings
        if settings.composer == "openai":
            from bot.generation.openai_client import OpenAIGenerator

            return OpenAIGenerator(
                settings.generator_url or "", settings.generator, settings.engine_key
            )
        from bot.generation.transformers_model import LocalGenerator

        return LocalGenerator(
            settings.generator, settings.cache_folder, settings.generator_precision
        )

    def policy(self, content: Path | None = None) -> Policy:
        """Read the policy of the home, or of a content snapshot."""
        return policy.load((content or self.path) / "policy.yml")

    def templates(self, content: Path | None = None) -> Templates:
        """Read the templates of the home, or of a content snapshot."""
        return templates.load((content or self.path) / "templates")

    def served_by(self) -> ServingVersions:
        """Return the active versions of everything that answers."""
        return ServingVersions(
            self.models.current_id(),
            self.knowledge_versions.current_id(),
            self.templates().version,
            self.policy().version,
        )

    def content_versions(self) -> list[Version]:
        """Return the present templates and policy as versions."""
        ids = (("templates", self.templates().version), ("policy", self.policy().version))
        return [Version(identifier, kind, "") for kind, identifier in ids]
