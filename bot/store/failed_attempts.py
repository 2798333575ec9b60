"""Wrong guesses, such as of passwords: who made them, under a key, and when."""

from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select

from bot.store.tables import guesses


def count(engine: Engine, who: str, since: datetime) -> int:
    """Return how often somebody guessed wrong since a moment."""
    query = select(func.count()).where(guesses.c.who == who, guesses.c.at >= since)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def add(engine: Engine, who: str, at: datetime, forget: datetime) -> None:
    """Keep a wrong guess; everybody's from before `forget` are removed."""
    with engine.begin() as connection:
        connection.execute(delete(guesses).where(guesses.c.at < forget))
        connection.execute(insert(guesses).values(who=who, at=at))


def clear(engine: Engine, who: str) -> None:
    """Forget somebody's wrong guesses."""
    with engine.begin() as connection:
        connection.execute(delete(guesses).where(guesses.c.who == who))
