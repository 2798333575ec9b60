"""Alembic migrations of the conversation log."""
