"""The modules of the demo's actions, as a home loads them."""

from typing import Any

from bot.actions import loader
from tests.conftest import DEMO

_package: Any = loader.load(DEMO)
changes: Any = _package.changes
identity: Any = _package.identity
orders_db: Any = _package.orders_db
rules: Any = _package.rules
