"""`careline users`: the users of the staff app."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.commands import app
from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import NotFoundError
from bot.store.accounts import AccessLevel, UserError, Users

PASSWORD = "correct horse\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(Settings.load(tmp_path / "home"))
    yield home
    home.engine.dispose()


def run(home: Home, *arguments: str, password: str = PASSWORD) -> Any:
    command = ["users", *arguments, "--home", str(home.path)]
    return CliRunner().invoke(app, command, input=password)


def test_users_can_be_added_listed_changed_and_removed(home: Home) -> None:
    added = run(home, "add", "ann", "--role", "admin", "--name", "Ann", "--json")
    assert json.loads(added.stdout) == {"user": "ann", "name": "Ann", "role": "admin"}
    run(home, "add", "bo")
    rows = json.loads(run(home, "list", "--json").stdout)
    assert [(row["user"], row["role"]) for row in rows] == [("ann", "admin"), ("bo", "agent")]
    users = Users(home.engine)
    assert users.check("ann", "correct horse") == users.find("ann")
    assert run(home, "password", "ann", password="another horse\n").exit_code == 0
    assert users.check("ann", "correct horse") is None
    assert users.check("ann", "another horse")
    assert users.check("nobody", "another horse") is None
    run(home, "remove", "bo")
    assert [user.id for user in users.all()] == ["ann"]
    stored = users.find("ann")
    assert stored
    assert stored.password_hash.startswith("$argon2id$")


def test_errors_say_the_reason(home: Home) -> None:
    run(home, "add", "ann", "--role", "admin")
    users = Users(home.engine)
    with pytest.raises(UserError, match="last admin"):
        users.remove("ann")
    with pytest.raises(UserError, match="already"):
        users.add("ann", "Ann", AccessLevel.AGENT, "correct horse")
    with pytest.raises(UserError, match="8 to 256"):
        users.add("bo", "Bo", AccessLevel.AGENT, "short")
    with pytest.raises(UserError, match="letters"):
        users.add("b|o", "Bo", AccessLevel.AGENT, "correct horse")
    with pytest.raises(NotFoundError):
        users.change_password("bo", "correct horse")
    assert run(home, "add", "bo", "--role", "boss").exit_code == 2


def test_the_first_admin_is_created_if_there_is_no_user(home: Home) -> None:
    home.log()
    users = Users(home.engine)
    users.begin_with("admin", "from the file")
    users.begin_with("other", "from the file")
    assert [(user.id, user.level) for user in users.all()] == [("admin", AccessLevel.ADMIN)]
