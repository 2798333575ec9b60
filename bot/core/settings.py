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
DOORS: Final[tuple[Secret, ...]] = ("api_key", "rasa_token")  # secrets that clients present


class Promise(BaseModel):
    """The maximum share of wrong answers, and the probability that it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrong_among_answered: float = Field(0.02, gt=0.0, lt=1.0)
    confidence: float = Field(0.95, gt=0.0, lt=1.0)


class Settings(BaseSettings):
    """All settings of an operator; each name is `CARELINE_<NAME>` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="CARELINE_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    home: Path = Path("data")
    cache: Path | None = None
    database_url: str | None = None
    base: str = "e5-small"
    english_base: str = "minilm"  # a second encoder for English passages; "" for none
    engine: Literal["auto", "torch"] = "auto"
    composer: Literal["extractive", "transformers", "openai"] = "extractive"
    generator: str = "smollm2"
    generator_precision: Literal["auto", "int8", "int4"] = "auto"
    generator_url: str | None = None
    generator_key: SecretStr | None = None
    generator_key_file: Path | None = None
    generator_seconds: float = Field(20.0, gt=0.0, le=600.0)
    prompt_price: float = Field(0.0, ge=0.0)  # of a million tokens
    completion_price: float = Field(0.0, ge=0.0)
    # Of an action server (http://…, or grpc://…, which streams); else the home's own actions.
    actions_url: str | None = Field(None, pattern=r"^(https?|grpcs?)://\S+$")
    actions_seconds: float = Field(8.0, gt=0.0, le=120.0)
    actions_token: SecretStr | None = None  # sent to actions_url, required by `careline actions`
    actions_token_file: Path | None = None
    burst_seconds: float = Field(
        0.0, ge=0.0, le=10.0
    )  # of silence; messages before it are one turn
    max_message_characters: int = Field(4000, ge=1, le=100_000)
    promise: Promise | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    allowed_origins: tuple[str, ...] = ()
    # Whether a conversation's id alone gives access to it, without a visitor's token.
    visitor_tokens: Literal["optional", "required"] = "optional"
    identity_secret: SecretStr | None = None  # with which your pages prove a visitor's identity
    identity_secret_file: Path | None = None
    attachment_bytes: int = Field(5 * 2**20, ge=0, le=50 * 2**20)  # of one file; 0 refuses files
    screens: bool = True
    public_url: str | None = None
    session_minutes: float = Field(720.0, gt=0.0, le=43_200.0)  # how long a login lasts
    reply_minutes: float = Field(5.0, gt=0.0)  # target for the waiting time of customers
    business: str = ""
    api_key: SecretStr | None = None  # of the OpenAI-compatible routes; without one they are open
    api_key_file: Path | None = None
    rasa_token: SecretStr | None = None  # of Rasa's routes; without one the webhook is open
    rasa_token_file: Path | None = None
    seal_key: SecretStr | None = None  # encrypts the values in open forms; else the home's own
    seal_key_file: Path | None = None
    chatwoot_url: str | None = None
    chatwoot_token: SecretStr | None = None
    chatwoot_token_file: Path | None = None
    chatwoot_secret: SecretStr | None = None
    chatwoot_secret_file: Path | None = None
    webhook_url: str | None = None  # receives the events of conversations
    webhook_secret: SecretStr | None = None
    webhook_secret_file: Path | None = None
    webhook_events: tuple[Literal["handoff", "message", "surge"], ...] = ("handoff", "surge")

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
