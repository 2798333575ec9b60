"""Settings from the environment, the home's careline.toml and defaults, validated together."""

import os
import tomllib
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.core.types import CarelineError

FILE = "careline.toml"

Secret = Literal[
    "generator_key",
    "actions_token",
    "api_key",
    "rasa_token",
    "chatwoot_token",
    "chatwoot_secret",
    "webhook_secret",
    "seal_key",
    "identity_secret",
]
CLIENT_SECRETS: Final[tuple[Secret, ...]] = (
    "api_key",
    "rasa_token",
)  # secrets that clients present


class Promise(BaseModel):
    """The maximum share of wrong answers, and the probability that it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrong_among_answered: float = Field(0.02, gt=0.0, lt=1.0)
    confidence: float = Field(0.95, gt=0.0, lt=1.0)


class Settings(BaseSettings):
    """All settings of an operator; each name is `CARELINE_<NAME>` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="CARELINE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    home: Path = Path("data")
    """The folder of the business, where `--home` is not given. In the environment only."""
    cache: Path | None = None
    """The folder of converted base models, shared by all homes of a user; default
    `~/.cache/careline`."""
    database_url: str | None = None
    """The database of the log, also as `DATABASE_URL`; default `careline.db` in the home.
    PostgreSQL needs the extra `postgres`."""
    base: str = "e5-small"
    """The encoder for training and search: `e5-small`, `minilm`, a model folder, or the name of a
    model on a hub."""
    english_base: str = "minilm"
    """A second encoder for English passages; empty for none."""
    engine: Literal["auto", "torch"] = "auto"
    """`auto` serves with the int8 engine where it is as accurate as its original, `torch` never
    does."""
    composer: Literal["extractive", "transformers", "openai"] = "extractive"
    """Who writes answers from passages: `extractive` quotes them; `transformers` runs a language
    model here, `openai` one over HTTP. Each generated sentence is checked against the passages."""
    generator: str = "smollm2"
    """The language model: a folder, a `.gguf` file, a name on a hub, or its name at the engine."""
    generator_precision: Literal["auto", "int8", "int4"] = "auto"
    """Weights of the language model on a CUDA GPU with bitsandbytes."""
    generator_url: str | None = None
    """The address of an OpenAI-compatible engine for `composer = "openai"`, such as
    `http://127.0.0.1:8001/v1`."""
    generator_key: SecretStr | None = None
    """The engine's API key; better in the environment than in the file."""
    generator_key_file: Path | None = None
    """A file with the engine's API key."""
    generator_seconds: float = Field(20.0, gt=0.0, le=600.0)
    """The longest time for a generated answer; after it the extractive answer is used."""
    prompt_price: float = Field(0.0, ge=0.0)
    """The price of a million prompt tokens, in any currency."""
    completion_price: float = Field(0.0, ge=0.0)
    """The price of a million completion tokens, in the same currency."""
    actions_url: str | None = Field(None, pattern=r"^(https?|grpcs?)://\S+$")
    """An action server that is used instead of the home's own actions: `http://…`, or `grpc://…`,
    which streams."""
    actions_seconds: float = Field(8.0, gt=0.0, le=120.0)
    """The longest time for an action; after it a person takes over."""
    actions_token: SecretStr | None = None
    """The token that is sent to `actions_url`, and that `careline actions` requires."""
    actions_token_file: Path | None = None
    """A file with that token."""
    burst_seconds: float = Field(0.0, ge=0.0, le=10.0)
    """Seconds of quiet to wait for, so that messages in a row are read as one; every reply comes
    that much later."""
    max_message_characters: int = Field(4000, ge=1, le=100_000)
    """Longer messages are refused with a clear error."""
    promise: Promise | None = None
    """`{wrong_among_answered = 0.02, confidence = 0.95}` answers only where the share of wrong
    answers is certified to stay below; otherwise the bot asks back or hands off. Where nothing
    can be certified, `careline train` and `serve` say so and the policy's thresholds decide."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The level of the logs on standard error."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may use the API and the widget."""
    visitor_tokens: Literal["optional", "required"] = "optional"
    """With `required` a conversation's id alone opens nothing ([widget](../widget.md))."""
    identity_secret: SecretStr | None = None
    """The secret with which your server signs a visitor's identity ([widget](../widget.md))."""
    identity_secret_file: Path | None = None
    """A file with that secret."""
    attachment_bytes: int = Field(5 * 2**20, ge=0, le=50 * 2**20)
    """The largest file a customer may send; 0 refuses files."""
    screens: bool = True
    """Serve the page, the widget and the staff app."""
    public_url: str | None = None
    """The address that people reach the server by; default host and port."""
    session_minutes: float = Field(720.0, gt=0.0, le=43_200.0)
    """How long a login to the staff app lasts."""
    reply_minutes: float = Field(5.0, gt=0.0)
    """The longest time a customer should wait for a person; the console warns after it."""
    business: str = ""
    """The name that customers see in the widget and staff in the app."""
    api_key: SecretStr | None = None
    """The key of the OpenAI-compatible routes; without one they are open."""
    api_key_file: Path | None = None
    """A file with that key."""
    rasa_token: SecretStr | None = None
    """The token of the Rasa-compatible routes; without one the webhook is open."""
    rasa_token_file: Path | None = None
    """A file with that token."""
    seal_key: SecretStr | None = None
    """The key that encrypts what open forms hold (addresses, telephone numbers) in the database;
    several machines share one. Default: a key in the home."""
    seal_key_file: Path | None = None
    """A file with that key."""
    chatwoot_url: str | None = None
    """The address of Chatwoot; Careline is its agent bot then."""
    chatwoot_token: SecretStr | None = None
    """The access token of the agent bot."""
    chatwoot_token_file: Path | None = None
    """A file with that token."""
    chatwoot_secret: SecretStr | None = None
    """The secret of Chatwoot's signed webhooks."""
    chatwoot_secret_file: Path | None = None
    """A file with that secret."""
    webhook_url: str | None = None
    """Your address that is notified of events in conversations."""
    webhook_secret: SecretStr | None = None
    """The secret that signs those webhooks."""
    webhook_secret_file: Path | None = None
    """A file with that secret."""
    webhook_events: tuple[Literal["handoff", "message", "surge"], ...] = ("handoff", "surge")
    """The events that are sent: `handoff`, `message`, `surge`."""

    @model_validator(mode="after")
    def _check_generator(self) -> Self:
        if self.composer == "openai" and not self.generator_url:
            message = 'composer = "openai" needs generator_url, such as http://127.0.0.1:8001/v1'
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_integrations(self) -> Self:
        needed = {
            "chatwoot_url": ("chatwoot_token", "chatwoot_secret"),
            "webhook_url": ("webhook_secret",),
        }
        for address, secrets in needed.items():
            value = getattr(self, address)
            if value is None:
                continue
            if not value.startswith(("http://", "https://")):
                message = f"{address} is no address: it starts with http:// or https://"
                raise ValueError(message)
            for name in secrets:
                if not (getattr(self, name) or getattr(self, f"{name}_file")):
                    message = f"{address} needs {name}, or {name}_file"
                    raise ValueError(message)
        return self

    @property
    def engine_key(self) -> str | None:
        """The key of the generator's API."""
        return self.secret("generator_key")

    def secret(self, name: Secret) -> str | None:
        """Return a secret, from its own file if there is one; None if it is not set."""
        file: Path | None = getattr(self, f"{name}_file")
        if file is None:
            secret: SecretStr | None = getattr(self, name)
            return secret.get_secret_value() if secret else None
        try:
            content = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            message = f"{name}_file {file} cannot be read: {error}"
            raise CarelineError(message) from error
        if not content:  # with an empty secret, access would not be restricted
            message = f"{name}_file {file} is empty: write the secret into it"
            raise CarelineError(message)
        return content

    @property
    def cache_folder(self) -> Path:
        """The folder of converted base models, for all homes of this user."""
        if self.cache:
            return self.cache
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(root) / "careline"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database, by default the home's SQLite file."""
        return (
            self.database_url
            or os.environ.get("DATABASE_URL")
            or f"sqlite:///{self.home.resolve() / 'careline.db'}"
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the environment precedence over the home's file."""
        del dotenv_settings, file_secret_settings
        home = init_settings().get("home") or Path("data")
        file = TomlConfigSettingsSource(settings_cls, Path(home) / FILE)
        return init_settings, env_settings, file

    @classmethod
    def load(cls, home: Path | None = None, **overrides: Any) -> Self:
        """Read the settings of a home; raise CarelineError that names every invalid one."""
        home = home or Path(os.environ.get("CARELINE_HOME") or "data")
        try:
            return cls(home=home, **overrides)
        except ValidationError as error:
            lines = [
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
                for e in error.errors(include_input=False, include_url=False)
            ]
            message = f"wrong settings ({home / FILE} or CARELINE_*): " + "; ".join(lines)
            raise CarelineError(message) from error
        except SettingsError as error:
            message = f"wrong settings (CARELINE_*): {error}; lists and tables are written as JSON"
            raise CarelineError(message) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            message = f"{home / FILE} is not TOML: {error}"
            raise CarelineError(message) from error
