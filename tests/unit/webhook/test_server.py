import asyncio
import logging
import ssl

import pytest

from app.telemetry import LOGGER
from app.webhook.server import _log_fault


async def test_a_fault_that_nobody_waits_for_is_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    _log_fault(loop, {"message": "it broke", "exception": ValueError("why")})
    (record,) = caplog.records
    assert (LOGGER, logging.ERROR) == (record.name, record.levelno)
    expected = {"message": "it broke", "error": "ValueError('why')"}
    assert expected == record.fields  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [ConnectionResetError(), ssl.SSLError(), OSError()])
async def test_what_strangers_can_cause_is_not_logged(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    loop = asyncio.get_running_loop()
    _log_fault(loop, {"message": "it broke", "exception": error})
    assert [] == caplog.records
