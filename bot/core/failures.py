"""A context manager that logs an error instead of raising it."""

import logging
from contextlib import AbstractContextManager
from types import TracebackType


class log_failure(AbstractContextManager[None, bool]):  # noqa: N801 — used like contextlib.suppress
    """Log an error of the block instead of raising it; the caller goes on after the block."""

    def __init__(self, logger: logging.Logger, message: str, *args: object) -> None:
        """Set what is logged.

        Args:
            logger: The logger of the calling module.
            message: A format string without personal data, as for `Logger.exception`.
            *args: The arguments of the format string.
        """
        self._logger = logger
        self._message = message
        self._args = args

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool:
        """Log an `Exception` and suppress it; let others, such as `KeyboardInterrupt`, pass."""
        if not isinstance(error, Exception):
            return False
        self._logger.error(self._message, *self._args, exc_info=error)
        return True
