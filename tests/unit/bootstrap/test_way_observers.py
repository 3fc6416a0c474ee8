"""How hosts, programs and Secrets fare: lines of the log, and counts."""

import pytest

from app.bootstrap import way_observers
from app.bootstrap.way_observers import (
    ProgramObserver,
    PullSecretObserver,
    WayObserver,
)
from app.telemetry import Metrics

Events = list[dict[str, object]]


def test_a_mirror_that_goes_and_comes_back_is_told_once_each(events: Events) -> None:
    told = WayObserver()
    for reason in ("", "Timeout", "Timeout", "UntrustedCertificate", "", ""):
        told.passed_over("m.example", reason)
    assert [
        ("warning", "mirror passed over", "Timeout"),
        ("warning", "mirror passed over", "UntrustedCertificate"),
        ("info", "mirror answers again", None),
    ] == [(one["level"], one["event"], one.get("reason")) for one in events]
    assert {"m.example"} == {one["host"] for one in events}


def test_hosts_are_told_apart_and_bounded(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way_observers, "MAX_KNOWN", 2)
    told = WayObserver()
    for host in ("a.example", "b.example", "c.example"):
        told.passed_over(host, "Timeout")
    told.passed_over("a.example", "")
    assert ["a.example", "b.example", "a.example"] == [one["host"] for one in events]


def test_a_program_that_fails_is_told_once(events: Events) -> None:
    told = ProgramObserver(Metrics())
    for outcome in ("given", "nothing", "failed", "failed", "invalid", "given"):
        told.program("plugin", "ecr", outcome, seconds=0.12345)
    told.program("helper", "ecr", "failed", seconds=1.0)
    assert [
        ("credential program failed", "plugin", "failed"),
        ("credential program failed", "plugin", "invalid"),
        ("credential program works again", "plugin", None),
        ("credential program failed", "helper", "failed"),
    ] == [(one["event"], one["kind"], one.get("reason")) for one in events]
    assert 0.123 == events[0]["seconds"]


def test_programs_are_counted_by_how_they_fared() -> None:
    metrics = Metrics()
    told = ProgramObserver(metrics)
    for outcome in ("given", "timeout", "timeout"):
        told.program("plugin", "ecr", outcome, seconds=1.0)
    text = metrics.text().decode()
    name = "imagecompat_credential_programs_total"
    assert f'{name}{{kind="plugin",outcome="given"}} 1.0' in text
    assert f'{name}{{kind="plugin",outcome="timeout"}} 2.0' in text
    assert f'{name}{{kind="helper",outcome="too_large"}} 0.0' in text


def test_secrets_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    told = PullSecretObserver(metrics)
    for event in ("read", "read", "absent"):
        told.counted("secrets", event)
    text = metrics.text().decode()
    name = "imagecompat_pull_secret_reads_total"
    assert f'{name}{{event="read",resource="secrets"}} 2.0' in text
    assert f'{name}{{event="absent",resource="secrets"}} 1.0' in text
