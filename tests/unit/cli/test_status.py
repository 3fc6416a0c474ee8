"""How `imagecompat status` prints what it has seen, and its exit status."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.cli import status as command
from app.cli.installed import document, printing, problems
from tests.unit.cli.installation import (
    FEATURES,
    MUTATING,
    NOW,
    PODS,
    look,
    names,
    objects,
    told,
    with_labels,
)

WEBHOOK_ROW = (
    "pods.imagecompat.dev validating configuration imagecompat Ignore 5 s present "
    "imagecompat, kube-system"
)


async def printed(world: Mapping[str, Any], ignore: str | None = None) -> str:
    seen, _ = await look(world, ignore)
    file = io.StringIO()
    found, unread = problems.find(seen, NOW), problems.unread(seen)
    printing.render(seen, found, unread, colour=False, file=file)
    return file.getvalue()


async def test_problems_stand_at_the_top() -> None:
    text = await printed(with_labels("of"))
    assert text.startswith("problem: namespace ml has the label ")
    assert ", do: kubectl label namespace ml --overwrite" in text.splitlines()[0]


async def test_nothing_that_a_pod_says_reaches_the_terminal_as_it_is() -> None:
    hostile = "\x1b]0;owned\x07\r\n"
    world = objects(
        problems=[hostile],
        software=hostile,
        rules={"mode": hostile},
        warnings=[hostile],
    )
    text = await printed(world)
    assert "owned" in text
    assert not {"\x1b", "\x07", "\r"} & set(text)


async def test_the_tables_tell_what_decides_and_what_was_decided() -> None:
    world = {**objects(), FEATURES: {"rows": None}, "/api/v1/nodes": names("bare")}
    text = await printed(world, "")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "no problems" == lines[0]
    for line in (
        "imagecompat in namespace imagecompat: 2 of 2 Pods ready, 2 up to date",
        "mode enforce; namespaces may choose: any; Pods may choose: off; exemptions: 0",
        "nodes may appear: no (nodesMayAppear: auto)",
        "a yes 0.1.0 3 0 0 0 0 2027-02-01T00:00:00+00:00 2026-11-20T00:00:00Z",
        "a nodes all yes 2 -",
        WEBHOOK_ROW,
        "ml warn",
        "2026-11-20T10:00:00Z b deny (dry run) IC101 Pod ml 0 of 3",
        "bare",
    ):
        assert line in lines, text
    times = [line[:20] for line in lines if line.startswith("2026-11-20T1")]
    assert sorted(times, reverse=True) == times
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())


async def test_of_many_decisions_the_newest_are_shown() -> None:
    decided = [{"time": f"2026-11-20T10:{minute:02}:00Z"} for minute in range(20)]
    text = await printed(objects(decisions=decided))
    times = re.findall(r"^2026-11-20T10:(\d\d)", text, re.MULTILINE)
    assert sorted([str(n) for n in range(10, 20)] * 2, reverse=True) == times


async def test_nothing_that_was_read_still_prints() -> None:
    text = await printed(dict.fromkeys(objects(), 403))
    assert text.startswith("not seen: pods: ")


async def test_the_json_is_stable() -> None:
    seen, _ = await look(objects())
    found = json.loads(document.of(seen, (), ()))
    assert {
        "version", "release", "namespace", "isHealthy", "problems", "notSeen",
        "deployment", "replicas", "webhooks", "readyEndpoints", "namespaceModes",
        "isNodeFeatureInstalled", "untrustedNamespaces", "nodesWithoutFeatures",
    } == set(found)  # fmt: skip
    assert (1, True, []) == (found["version"], found["isHealthy"], found["problems"])
    assert "enforce" == found["replicas"][0]["status"]["rules"]["mode"]
    assert found["webhooks"][0]["hasCaBundle"] is True
    assert {"name": "imagecompat", "wanted": 2, "ready": 2, "updated": 2} == (
        found["deployment"]
    )
    assert [{"namespace": "ml", "mode": "warn"}] == found["namespaceModes"]


async def test_the_json_has_null_for_what_was_not_read() -> None:
    seen, _ = await look(dict.fromkeys(objects(), 403))
    found = json.loads(document.of(seen, (), problems.unread(seen)))
    assert found["isHealthy"] is False
    assert {"deployment", "replicas", "readyEndpoints", "namespaceModes"} <= {
        key for key, value in found.items() if value is None
    }


@pytest.mark.parametrize(
    ("world", "status"),
    [
        pytest.param(objects(), 0, id="healthy"),
        pytest.param(with_labels("of"), 1, id="a problem"),
        pytest.param({**objects(), MUTATING: 403}, 3, id="not seen"),
        pytest.param({**with_labels("of"), MUTATING: 403}, 1, id="both"),
    ],
)
@pytest.mark.parametrize("output", list(command.Output))
async def test_the_exit_status_says_it_in_one_digit(
    world: dict[str, Any],
    status: int,
    output: command.Output,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = datetime.now(UTC) + timedelta(days=90)
    for name in "ab":
        path = f"{PODS}/{name}:8081/proxy/statusz"
        world = {**world, path: told(certificate={"notAfter": ends.isoformat()})}
    seen, _ = await look(world)
    assert status == command.show(seen, output)
    assert capsys.readouterr().out
