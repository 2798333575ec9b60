from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.core.settings import FILE, Settings
from bot.core.types import CarelineError


def write(home: Path, text: str) -> None:
    (home / FILE).write_text(text, encoding="utf-8")


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    assert settings.home == tmp_path
    assert settings.base == "e5-small"
    assert settings.composer == "extractive"
    assert settings.promise is None


def test_the_file_wins_over_the_default(tmp_path: Path) -> None:
    write(tmp_path, 'base = "minilm"\n[promise]\nconfidence = 0.9\n')
    settings = Settings.load(tmp_path)
    assert settings.base == "minilm"
    assert settings.promise is not None
    assert settings.promise.confidence == 0.9
    assert settings.promise.wrong_among_answered == 0.02


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'base = "minilm"\nlog_level = "debug"\n[promise]\nconfidence = 0.9\n')
    monkeypatch.setenv("CARELINE_BASE", "e5-small")
    monkeypatch.setenv("CARELINE_PROMISE__CONFIDENCE", "0.8")
    settings = Settings.load(tmp_path)
    assert settings.base == "e5-small"
    assert settings.promise is not None
    assert settings.promise.confidence == 0.8
    assert settings.log_level == "debug"


def test_what_the_caller_says_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINE_BASE", "minilm")
    monkeypatch.setenv("CARELINE_HOME", str(tmp_path / "elsewhere"))
    settings = Settings.load(tmp_path, base="e5-small")
    assert (settings.base, settings.home) == ("e5-small", tmp_path)


def test_the_environment_names_the_home_whose_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'base = "minilm"\n')
    monkeypatch.setenv("CARELINE_HOME", str(tmp_path))
    settings = Settings.load()
    assert (settings.home, settings.base) == (tmp_path, "minilm")


def test_all_wrong_settings_are_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'colour = "blue"\nmax_message_characters = 0\n')
    monkeypatch.setenv("CARELINE_LOG_LEVEL", "loud")
    monkeypatch.setenv("CARELINE_PROMISE__CONFIDENCE", "3")
    with pytest.raises(CarelineError) as caught:
        Settings.load(tmp_path)
    message = str(caught.value)
    for name in ("colour", "max_message_characters", "log_level", "promise.confidence"):
        assert name in message
    assert str(tmp_path / FILE) in message


@pytest.mark.parametrize("name", ["CARELINE_ALLOWED_ORIGINS", "CARELINE_PROMISE"])
def test_a_list_in_the_environment_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "https://shop.example, [")
    with pytest.raises(CarelineError, match=name.removeprefix("CARELINE_").lower()):
        Settings.load(tmp_path)


def test_origins_may_stand_in_the_environment_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINE_ALLOWED_ORIGINS", '["https://shop.example"]')
    assert Settings.load(tmp_path).allowed_origins == ("https://shop.example",)


@pytest.mark.parametrize("content", [b"base = ", b"base: minilm", b"base = '\xff'"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CarelineError, match=r"careline\.toml is not TOML"):
        Settings.load(tmp_path)


def test_the_log_lies_in_the_home_unless_an_address_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings.load(tmp_path).database == f"sqlite:///{tmp_path / 'careline.db'}"
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/one")
    assert Settings.load(tmp_path).database == "postgresql://db/one"
    monkeypatch.setenv("CARELINE_DATABASE_URL", "postgresql://db/two")
    assert Settings.load(tmp_path).database == "postgresql://db/two"


def test_converted_models_are_shared_by_the_homes_of_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Settings.load(tmp_path).cache_folder == tmp_path / "xdg" / "careline"
    own = Settings.load(tmp_path, cache=tmp_path / "own")
    assert own.cache_folder == tmp_path / "own"


def test_settings_do_not_change_once_read(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.base = "minilm"  # type: ignore[misc] # that it is read-only is the point
