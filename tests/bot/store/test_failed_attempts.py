"""Wrong guesses: counted over processes, forgotten in time, and without the names themselves."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from bot.core.types import now
from bot.server.api_errors import RefusedRequestError
from bot.server.auth import rate_limits
from bot.server.auth.rate_limits import ATTEMPT_WINDOW, MAX_ATTEMPTS, AttemptLimiter
from bot.store import database
from bot.store.tables import guesses


def counted(engine: Engine, kind: str = "login") -> AttemptLimiter:
    return AttemptLimiter(engine, kind, b"key", "too many")


def test_who_guesses_waits_in_every_process_and_nobody_else_does(engine: Engine) -> None:
    database.migrate(engine)
    one, other = counted(engine), counted(engine)
    for number in range(MAX_ATTEMPTS):
        one.check("ann")
        (one, other)[number % 2].wrong("ann")
    for process in (one, other):
        with pytest.raises(RefusedRequestError) as refused:
            process.check("ann")
        assert refused.value.status_code == 429
        process.check("bo")
    counted(engine, "order").check("ann")


def test_guesses_are_forgotten_after_a_while_and_after_a_right_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.migrate(engine)
    found = counted(engine)
    for name in ("ann", "bo"):
        for _ in range(MAX_ATTEMPTS):
            found.wrong(name)
    found.right("bo")
    found.check("bo")
    later = now() + ATTEMPT_WINDOW + timedelta(seconds=1)
    monkeypatch.setattr(rate_limits, "now", lambda: later)
    found.check("ann")
    found.wrong("ann")
    with engine.connect() as connection:
        assert len(connection.execute(select(guesses.c.id)).all()) == 1


def test_what_was_typed_for_a_name_is_not_kept(engine: Engine) -> None:
    database.migrate(engine)
    counted(engine).wrong("correct horse")
    with engine.connect() as connection:
        (who,) = connection.execute(select(guesses.c.who)).scalars()
    assert "horse" not in who
    assert len(who) == 64
