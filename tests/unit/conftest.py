"""What every folder here may use."""

import logging
from collections.abc import Iterator

import pytest

from app.telemetry import LOGGER


@pytest.fixture
def events() -> Iterator[list[dict[str, object]]]:
    """What our logger writes while a test runs, as fields."""
    found: list[dict[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields = getattr(record, "fields", {})
            level = record.levelname.lower()
            found.append({"level": level, "event": record.getMessage(), **fields})

    log, handler = logging.getLogger(LOGGER), Keep()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield found
    log.removeHandler(handler)
    log.setLevel(level)
