"""Commands on who may sign in: users add, list, remove, password."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store.accounts import Users

users = typer.Typer(help="Who may sign in to the Gradio app.", no_args_is_help=True)
app.add_typer(users, name="users")
_User = Annotated[str, typer.Argument(help="The name to sign in with.")]


def _users(home: "Path | None") -> "Users":
    from bot.store.accounts import Users

    place = open_home(home)
    place.log()  # the tables are there then
    return Users(place.engine)


def _password() -> str:
    """Ask for a password, twice on a terminal; scripts write it to standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@users.command()
def add(
    user: _User,
    *,
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")] = "agent",
    name: Annotated[str, typer.Option(help="The name customers read.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, who is an agent of the desk too; the password is asked for."""
    from bot.store.accounts import AccessLevel

    if role not in list(AccessLevel):
        message = f"{role} is no role: write agent, supervisor or admin"
        raise typer.BadParameter(message)
    made = _users(home).add(user, name or user, AccessLevel(role), _password())
    result = {"user": made.id, "name": made.name, "role": made.level.value}
    show(result, as_json=as_json, text=lambda: f"{made.id} may sign in as {made.level.value}")


@users.command(name="list")
def list_(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the users and their roles."""
    found = [{"user": u.id, "name": u.name, "role": u.level.value} for u in _users(home).all()]
    lines = [f"{one['user']}  {one['role']}  {one['name']}" for one in found]
    empty = "no users: add the first with `careline users add NAME --role admin`"
    show(found, as_json=as_json, text=lambda: "\n".join(lines) or empty)


@users.command()
def remove(user: _User, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Remove a user; what the agent said to customers stays."""
    _users(home).remove(user)
    show({"removed": user}, as_json=as_json, text=lambda: f"{user} can no longer sign in")


@users.command()
def password(user: _User, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Give a user another password, which is asked for; sessions end."""
    _users(home).change_password(user, _password())
    show({"user": user}, as_json=as_json, text=lambda: f"{user} has another password")
