"""Failed attempts, such as wrong passwords: a hash of the client, and the time."""

from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select

from bot.store.tables import guesses


def count(engine: Engine, who: str, since: datetime) -> int:
    """Return the number of a client's failed attempts since a time."""
    query = select(func.count()).where(guesses.c.who == who, guesses.c.at >= since)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def add(engine: Engine, who: str, at: datetime, forget: datetime) -> None:
    """Store a failed attempt; all attempts from before `forget` are removed."""
    with engine.begin() as connection:
        connection.execute(delete(guesses).where(guesses.c.at < forget))
        connection.execute(insert(guesses).values(who=who, at=at))


def clear(engine: Engine, who: str) -> None:
    """Remove the failed attempts of a client."""
    with engine.begin() as connection:
        connection.execute(delete(guesses).where(guesses.c.who == who))
