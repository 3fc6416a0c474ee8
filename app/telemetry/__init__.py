"""Logs, and every metric in one table."""

from app.telemetry.logs import (
    LOGGER,
    configure_logging,
    log_event,
    log_exception,
    log_warning,
    logger,
)
from app.telemetry.metrics import Metrics
from app.telemetry.table import METRICS, PREFIX, PROCESS, Metric

__all__ = [
    "LOGGER",
    "METRICS",
    "PREFIX",
    "PROCESS",
    "Metric",
    "Metrics",
    "configure_logging",
    "log_event",
    "log_exception",
    "log_warning",
    "logger",
]
