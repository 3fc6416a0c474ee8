"""Logs: JSON, one object a line, on standard error; a review leaves exactly one.

Events go straight to the handler of `configure_logging`; errors, and events where
somebody else listens, take the whole way of `logging`. A line looks the same on both.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TextIO

import msgspec

LOGGER: Final = "imagecompat"

_LOG: Final = logging.getLogger(LOGGER)
_LEVELS: Final = {logging.INFO: "info", logging.WARNING: "warning"}
_encoder: Final = msgspec.json.Encoder(enc_hook=str)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        entry = dict(fields) if isinstance(fields, Mapping) else {}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        level = record.levelname.lower()
        return _line(record.created, level, record.getMessage(), entry)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes events without a `LogRecord`, which costs more than all the rest."""

    def write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        """Writes one line; like any handler it never raises."""
        self.acquire()
        try:
            line = _line(time.time(), _LEVELS[level], event, fields)
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except Exception:  # noqa: BLE001 - a line that is lost fails no review
            self.handleError(_record(level, event, fields))
        finally:
            self.release()


def _line(seconds: float, level: str, event: str, fields: Mapping[str, object]) -> str:
    """The object; `seconds` since 1970."""
    whole = int(seconds)
    ts = f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"
    entry = {"ts": ts, "level": level, "event": event, **fields}
    return _encoder.encode(entry).decode()


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    """In UTC; many lines share one."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def logger() -> logging.Logger:
    """The package's logger; silent until `configure_logging`."""
    return _LOG


def configure_logging(level: str = "INFO") -> None:
    """Sends JSON lines of `level` and above to standard error."""
    handler = _Lines(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(level)
    _LOG.propagate = False


def log_event(event: str, **fields: object) -> None:
    """Writes one line: `event`, and `fields` as they are."""
    _write(logging.INFO, event, fields)


def log_warning(event: str, **fields: object) -> None:
    """The same, of what a person should look at though we go on."""
    _write(logging.WARNING, event, fields)


def log_exception(event: str, **fields: object) -> None:
    """Writes one line with the exception that is being handled."""
    _LOG.error(event, exc_info=True, extra={"fields": fields})


def _write(level: int, event: str, fields: Mapping[str, object]) -> None:
    if not _LOG.isEnabledFor(level):
        return
    match _LOG.handlers:
        case [_Lines() as lines]:
            lines.write(level, event, fields)
        case _:
            _LOG.handle(_record(level, event, fields))


def _record(level: int, event: str, fields: Mapping[str, object]) -> logging.LogRecord:
    # Not `Logger.log`: that walks the stack for the caller, whom nobody reads.
    record = logging.LogRecord(LOGGER, level, "", 0, event, None, None)
    record.fields = fields
    return record
