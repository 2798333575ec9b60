"""`careline users`: who may sign in."""

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
def place(tmp_path: Path) -> Iterator[Home]:
    found = Home(Settings.load(tmp_path / "home"))
    yield found
    found.engine.dispose()


def run(place: Home, *arguments: str, given: str = PASSWORD) -> Any:
    line = ["users", *arguments, "--home", str(place.path)]
    return CliRunner().invoke(app, line, input=given)


def test_users_are_added_listed_given_another_password_and_removed(place: Home) -> None:
    made = run(place, "add", "ann", "--role", "admin", "--name", "Ann", "--json")
    assert json.loads(made.stdout) == {"user": "ann", "name": "Ann", "role": "admin"}
    run(place, "add", "bo")
    found = json.loads(run(place, "list", "--json").stdout)
    assert [(one["user"], one["role"]) for one in found] == [("ann", "admin"), ("bo", "agent")]
    users = Users(place.engine)
    assert users.check("ann", "correct horse") == users.find("ann")
    assert run(place, "password", "ann", given="another horse\n").exit_code == 0
    assert users.check("ann", "correct horse") is None
    assert users.check("ann", "another horse")
    assert users.check("nobody", "another horse") is None
    run(place, "remove", "bo")
    assert [user.id for user in users.all()] == ["ann"]
    stored = users.find("ann")
    assert stored
    assert stored.password_hash.startswith("$argon2id$")


def test_what_cannot_be_done_says_why(place: Home) -> None:
    run(place, "add", "ann", "--role", "admin")
    users = Users(place.engine)
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
    assert run(place, "add", "bo", "--role", "boss").exit_code == 2


def test_the_first_admin_is_made_where_there_is_nobody(place: Home) -> None:
    place.log()
    users = Users(place.engine)
    users.begin_with("admin", "from the file")
    users.begin_with("other", "from the file")
    assert [(user.id, user.level) for user in users.all()] == [("admin", AccessLevel.ADMIN)]
