"""All commands; importing a module registers its commands with `app`."""

from bot.cli import (
    actions,
    bench,
    build,
    conversation,
    conversation_tests,
    corrections,
    data,
    evaluate,
    insights,
    kb,
    operations,
    reply,
    users,
    verify,
)
from bot.cli.app import app

MODULES = (
    actions,
    bench,
    build,
    corrections,
    data,
    evaluate,
    insights,
    kb,
    operations,
    reply,
    conversation,
    conversation_tests,
    users,
    verify,
)

__all__ = ["MODULES", "app"]
