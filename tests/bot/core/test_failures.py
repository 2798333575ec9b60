import logging

import pytest

from bot.core.failures import log_failure

LOGGER = logging.getLogger("failures")


def test_an_error_is_logged_with_its_cause_and_the_caller_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with log_failure(LOGGER, "delivery %s failed", 7):
        raise KeyError
    assert caplog.records[0].getMessage() == "delivery 7 failed"
    assert "KeyError" in caplog.text


def test_an_interruption_passes(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyboardInterrupt), log_failure(LOGGER, "no failure"):
        raise KeyboardInterrupt
    with log_failure(LOGGER, "no failure"):
        pass
    assert caplog.records == []
