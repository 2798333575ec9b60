"""Commands on the users of the staff app: users add, list, remove, password."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store.accounts import Users

users = typer.Typer(help="Users of the Gradio app.", no_args_is_help=True)
app.add_typer(users, name="users")
_User = Annotated[str, typer.Argument(help="User name for signing in.")]


def _users(home: "Path | None") -> "Users":
    from bot.store.accounts import Users

    opened = open_home(home)
    opened.log()  # creates the tables
    return Users(opened.engine)


def _read_password() -> str:
    """Ask for a password, twice on a terminal; scripts write it to standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@users.command()
def add(
    user: _User,
    *,
    role: Annotated[str, typer.Option(help="Role: agent, supervisor or admin.")] = "agent",
    name: Annotated[str, typer.Option(help="Name that customers see.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, who is also an agent of the desk; asks for a password."""
    from bot.store.accounts import AccessLevel

    if role not in list(AccessLevel):
        message = f"{role} is not a role: give agent, supervisor or admin"
        raise typer.BadParameter(message)
    new = _users(home).add(user, name or user, AccessLevel(role), _read_password())
    result = {"user": new.id, "name": new.name, "role": new.level.value}
    show(result, as_json=as_json, text=lambda: f"{new.id} may sign in as {new.level.value}")


@users.command(name="list")
def list_(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the users and their roles."""
    rows = [{"user": u.id, "name": u.name, "role": u.level.value} for u in _users(home).all()]
    lines = [f"{row['user']}  {row['role']}  {row['name']}" for row in rows]
    empty = "no users: add the first with `careline users add NAME --role admin`"
    show(rows, as_json=as_json, text=lambda: "\n".join(lines) or empty)


@users.command()
def remove(user: _User, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Remove a user; the agent's messages to customers stay."""
    _users(home).remove(user)
    show({"removed": user}, as_json=as_json, text=lambda: f"{user} can no longer sign in")


@users.command()
def password(user: _User, *, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Change the password of a user and end their sessions; asks for the new one."""
    _users(home).change_password(user, _read_password())
    show({"user": user}, as_json=as_json, text=lambda: f"{user} has a new password")
