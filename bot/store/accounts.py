"""User accounts: a role each, and passwords as argon2 hashes."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.types import CarelineError, NotFoundError, now
from bot.store.tables import agents, users

MIN_PASSWORD_LENGTH: Final = 8  # characters of a password (NIST SP 800-63B, 5.1.1.2)
MAX_PASSWORD_LENGTH: Final = 256
_HASHER: Final = PasswordHasher()  # argon2id with the parameters of RFC 9106, low memory


class AccessLevel(StrEnum):
    """The rights of a user; each level includes the ones before it."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    def covers(self, required: "AccessLevel") -> bool:
        """Return whether this level includes the required one."""
        order = list(AccessLevel)
        return order.index(self) >= order.index(required)


@dataclass(frozen=True)
class User:
    """Somebody who may sign in; a new `password_hash` ends the sessions begun before it."""

    id: str
    name: str
    level: AccessLevel
    password_hash: str


class UserError(CarelineError):
    """A user cannot be changed this way; the message says what to do."""


def check_id(identifier: str) -> None:
    """Raise UserError for an id that nobody can sign in with."""
    if not re.fullmatch(r"[A-Za-z0-9_.\-]{1,64}", identifier):
        message = "a user is named with letters, digits, dots, hyphens and underscores"
        raise UserError(message)


class Users:
    """The users of a home; each is an agent of the desk too, under the same id."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def add(self, identifier: str, name: str, level: AccessLevel, password: str) -> User:
        """Add a user; raise UserError for an id in use, or for a password that is too short."""
        check_id(identifier)
        user = User(identifier, name, level, _hash(password))
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    insert(users).values(
                        id=user.id,
                        name=user.name,
                        role=user.level.value,
                        password_hash=user.password_hash,
                        created_at=now(),
                    )
                )
                agent_row = select(agents.c.id).where(agents.c.id == user.id)
                if connection.execute(agent_row).one_or_none() is None:
                    everything = {"queues": [], "languages": [], "capacity": 5}
                    connection.execute(
                        insert(agents).values(id=user.id, name=user.name, **everything)
                    )
        except IntegrityError as error:
            message = f"there is a user {identifier} already: remove it, or change its password"
            raise UserError(message) from error
        return user

    def all(self) -> list[User]:
        """Return the users by id."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(users).order_by(users.c.id)).all()
        return [User(row.id, row.name, AccessLevel(row.role), row.password_hash) for row in rows]

    def find(self, identifier: str) -> User | None:
        """Return a user, None for nobody."""
        with self._engine.begin() as connection:
            row = connection.execute(select(users).where(users.c.id == identifier)).one_or_none()
        return User(row.id, row.name, AccessLevel(row.role), row.password_hash) if row else None

    def check(self, identifier: str, password: str) -> User | None:
        """Return the user with this id and password, None where one of them is wrong.

        An unknown id takes the same time, so that it cannot be told from a wrong password.
        """
        user = self.find(identifier)
        try:
            _HASHER.verify(user.password_hash if user else _hash_of_nobody(), password)
        except (VerificationError, InvalidHashError):
            return None
        return user

    def change_password(self, identifier: str, password: str) -> None:
        """Change a password, which ends the sessions; raise NotFoundError for an unknown id."""
        values = {"password_hash": _hash(password)}
        with self._engine.begin() as connection:
            condition = users.c.id == identifier
            if connection.execute(update(users).where(condition).values(**values)).rowcount == 0:
                raise _no_such_user(identifier)

    def remove(self, identifier: str) -> None:
        """Remove a user, which ends the sessions; the messages of the agent stay.

        Raises NotFoundError for an unknown id, UserError for the last admin: nobody could add
        another.
        """
        with self._engine.begin() as connection:
            query = select(users.c.role).where(users.c.id == identifier)
            role = connection.execute(query).scalar_one_or_none()
            if role is None:
                raise _no_such_user(identifier)
            admins = (
                select(func.count()).select_from(users).where(users.c.role == AccessLevel.ADMIN)
            )
            if role == AccessLevel.ADMIN and connection.execute(admins).scalar_one() == 1:
                message = f"{identifier} is the last admin: add another one first"
                raise UserError(message)
            connection.execute(delete(users).where(users.c.id == identifier))

    def begin_with(self, identifier: str, password: str) -> None:
        """Add the first admin where there is no user at all; only one of several processes does."""
        if self.all():
            return
        try:
            self.add(identifier, identifier.capitalize(), AccessLevel.ADMIN, password)
        except UserError:  # another process was faster
            return


def _hash(password: str) -> str:
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        message = f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
        raise UserError(message)
    return _HASHER.hash(password)


def _no_such_user(identifier: str) -> NotFoundError:
    message = f"there is no user {identifier[:64]}: see `careline users list`"
    return NotFoundError(message)


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash("a password that nobody has")
