"""The guide to the channels: its programs run, and it names every route and setting of theirs."""

import contextlib
import io
import re
import time
import tomllib

import httpx
import pytest

from bot.core.settings import Settings
from bot.core.signatures import signature
from tests.conftest import ROOT
from tests.running import Server

GUIDE = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.split("\n")[0])
def test_a_program_of_the_guide_runs(server: Server, block: str) -> None:
    said, names = io.StringIO(), dict[str, object]()
    with contextlib.redirect_stdout(said):
        exec(block.replace("http://127.0.0.1:8000", server.url), names)
    if "print(" in block:
        assert "rain" in said.getvalue().lower() or "30" in said.getvalue()
    check = names.get("is_ours")
    if callable(check):
        timestamp = str(int(time.time()))
        assert check("s", timestamp, b"{}", signature("s", timestamp, b"{}"))
        assert not check("s", timestamp, b"{ }", signature("s", timestamp, b"{}"))


def test_settings_in_the_guide_are_settings() -> None:
    for block in blocks("toml"):
        assert tomllib.loads(block).keys() <= Settings.model_fields.keys()


def test_every_route_and_setting_of_the_channels_is_named(server: Server) -> None:
    routes = httpx.get(f"{server.url}/openapi.json", timeout=300).json()["paths"]
    prefixes = ("/v1/", "/webhooks/", "/model/", "/conversations/")
    missing = [path for path in routes if path.startswith(prefixes) and path not in GUIDE]
    names = ("api_key", "rasa_", "chatwoot_", "webhook_")
    settings = [name for name in Settings.model_fields if name.startswith(names)]
    assert missing == []
    assert [name for name in settings if f"`{name}`" not in GUIDE] == []
