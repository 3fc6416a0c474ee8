"""Logs: JSON, one object a line, on standard error; a review leaves exactly one."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Final

import msgspec

LOGGER: Final = "imagecompat"

_encoder: Final = msgspec.json.Encoder(enc_hook=str)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "ts": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            entry.update(fields)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _encoder.encode(entry).decode()


def logger() -> logging.Logger:
    """The package's logger; silent until `configure_logging`."""
    return logging.getLogger(LOGGER)


def configure_logging(level: str = "INFO") -> None:
    """Sends JSON lines of `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    log = logger()
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False


def log_event(event: str, **fields: object) -> None:
    """Writes one line: `event`, and `fields` as they are."""
    _write(logging.INFO, event, fields)


def log_warning(event: str, **fields: object) -> None:
    """The same, of what a person should look at though we go on."""
    _write(logging.WARNING, event, fields)


def log_exception(event: str, **fields: object) -> None:
    """Writes one line with the exception that is being handled."""
    logger().error(event, exc_info=True, extra={"fields": fields})


def _write(level: int, event: str, fields: Mapping[str, object]) -> None:
    log = logger()
    if log.isEnabledFor(level):
        # Not `Logger.log`: that walks the stack for the caller, whom nobody reads.
        record = logging.LogRecord(LOGGER, level, "", 0, event, None, None)
        record.fields = fields
        log.handle(record)
