"""Logging to standard error as one JSON object per line, without personal data."""

import logging
import sys
from typing import Any

import structlog

from bot.core.privacy import redact


def configure(level: str) -> None:
    """Send all logs, including those of libraries, through one formatter."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "sentence_transformers", "faiss", "alembic", "bm25s"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Access lines contain addresses and conversation ids; the metrics count requests instead.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _without_personal_data(_logger: Any, _method: str, event: Any) -> Any:
    """Redact texts before they are encoded: an escaped line break would hide what follows it."""
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}
