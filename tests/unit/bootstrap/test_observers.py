"""What is counted and logged of registries and certificates."""

import logging
from collections.abc import Iterator

import pytest

from app.bootstrap.certificates import CertificateObserver
from app.bootstrap.observers import LINES, RegistryObserver
from app.oci.registry.breaker import Way
from app.telemetry import Metrics, logger


def test_a_request_to_a_registry_is_counted_and_timed() -> None:
    metrics = Metrics()
    RegistryObserver(metrics).request("token", "2xx", seconds=0.02)
    text = metrics.text().decode()
    name = "imagecompat_registry_request"
    assert f'{name}s_total{{kind="token",outcome="2xx"}} 1.0' in text
    assert f'{name}_duration_seconds_sum{{kind="token"}} 0.02' in text


def test_whether_a_certificate_is_refused_now_is_a_gauge() -> None:
    metrics = Metrics()
    observer = CertificateObserver(metrics)
    found = []
    for is_refused in (True, False):
        observer.refused(is_refused=is_refused)
        (line,) = (
            line
            for line in metrics.text().decode().splitlines()
            if line.startswith("imagecompat_certificate_refused ")
        )
        found.append(line.split()[1])
    assert ["1.0", "0.0"] == found


# Registries that are left alone --------------------------------------------------


class Lines(logging.Handler):
    """What the log gets: event and fields."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.getMessage(), getattr(record, "fields", None)))


@pytest.fixture
def lines() -> Iterator[list[tuple[str, object]]]:
    """The lines that the log gets."""
    handler, level = Lines(), logger().level
    logger().addHandler(handler)
    logger().setLevel("INFO")
    yield handler.seen
    logger().removeHandler(handler)
    logger().setLevel(level)


def way(number: int = 0) -> Way:
    return Way(f"{number}.example", f"tokens.{number}.example", repository="team/app")


def test_a_registry_that_is_left_alone_is_counted_and_told(
    lines: list[tuple[str, object]],
) -> None:
    metrics = Metrics()
    observer = RegistryObserver(metrics)
    observer.opened(way())
    observer.closed(way())
    fields = {
        "registry": "0.example",
        "asked": "tokens.0.example",
        "repository": "team/app",
        "unsaid": 0,
    }
    expected = [("registry left alone", fields), ("registry answers again", fields)]
    assert expected == lines
    text = metrics.text().decode()
    assert "imagecompat_registry_circuits_opened_total 1.0" in text


def test_registries_that_anybody_names_do_not_fill_the_log(
    lines: list[tuple[str, object]],
) -> None:
    """Ten lines in a minute; what was left out is counted in the next one."""
    metrics, now = Metrics(), [100.0]
    observer = RegistryObserver(metrics, clock=lambda: now[0])
    for number in range(LINES + 2):
        observer.opened(way(number))
    observer.closed(way())
    assert LINES == len(lines)
    text = metrics.text().decode()
    assert f"imagecompat_registry_circuits_opened_total {LINES + 2}.0" in text
    now[0] += 59.9
    observer.opened(way())
    assert LINES == len(lines)
    now[0] += 0.1
    observer.opened(way())
    observer.closed(way())
    told = [fields["unsaid"] for _, fields in lines[LINES:]]  # type: ignore[index]
    assert [4, 0] == told
