"""Settings of the channels: what belongs together, and secrets in files of their own."""

from pathlib import Path

import pytest

from bot.core.settings import Settings
from bot.core.types import CarelineError


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"chatwoot_url": "https://chat.example.com"}, "chatwoot_token"),
        ({"chatwoot_url": "https://x", "chatwoot_token": "t"}, "chatwoot_secret"),
        ({"chatwoot_url": "chat.example.com"}, "http://"),
        ({"webhook_url": "https://example.com/hook"}, "webhook_secret"),
        ({"webhook_events": ("rain",)}, "webhook_events"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, given: dict[str, str], complaint: str) -> None:
    with pytest.raises(CarelineError, match=complaint):
        Settings.load(tmp_path, **given)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n", encoding="utf-8")
    settings = Settings.load(
        tmp_path, webhook_url="https://x", webhook_secret_file=file, api_key="given"
    )
    assert settings.secret("webhook_secret") == "from the file"
    assert settings.secret("api_key") == "given"
    assert settings.secret("rasa_token") is None
    assert "given" not in repr(settings)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, api_key_file=tmp_path / "missing")
    with pytest.raises(CarelineError, match="api_key_file"):
        settings.secret("api_key")


def test_an_empty_file_opens_no_door(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    settings = Settings.load(tmp_path, api_key_file=tmp_path / "empty")
    with pytest.raises(CarelineError, match="is empty"):
        settings.secret("api_key")
