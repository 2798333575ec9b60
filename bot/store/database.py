"""The database of the log: engines, migrations and the revision of the schema."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine as Engine  # noqa: PLC0414 — the type, for layers that know no SQL
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bot.core.types import CarelineError

Database: TypeAlias = Engine  # for layers that only pass the database on


def connect(url: str) -> Engine:
    """Return an engine; SQLite gets write-ahead logging and waits for locks.

    Raises CarelineError for an address that no driver supports.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        message = (
            f"DATABASE_URL is not usable ({type(error).__name__}): write sqlite:///FILE or "
            "postgresql://…, the latter with pip install 'careline[postgres]'"
        )
        raise CarelineError(message) from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # A deferred transaction that becomes a writer fails at once when another process writes; asking
    # for the lock first makes it wait instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "bot.store:migrations")
    return config


def head() -> str:
    """Return the newest revision that this code supports."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:  # pragma: no cover — the first revision always exists
        raise AssertionError
    return revision


def revision(engine: Engine) -> str | None:
    """Return the revision of the database, None for an empty one."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        message = f"the database {engine.url.render_as_string()} cannot be opened: {reason}"
        raise CarelineError(message) from error


def migrate(engine: Engine, target: str = "head") -> str | None:
    """Bring the database to a revision and return it; a revision from newer code is refused."""
    check_known(engine)
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        if target == "head":
            command.upgrade(config, target)
        else:
            command.downgrade(config, target)
    return revision(engine)


def check_known(engine: Engine) -> None:
    """Raise CarelineError when the database was written by a newer version of this program."""
    current = revision(engine)
    supported = {
        script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
    }
    if current is not None and current not in supported:
        message = (
            f"the database is at revision {current}, which this version does not know: "
            "upgrade Careline or restore the backup made before the upgrade"
        )
        raise CarelineError(message)


def utc(at: datetime) -> datetime:
    """Return a time with its zone: SQLite stores none, and everything is written in UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
