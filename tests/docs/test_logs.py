"""The page of logs, compared with real lines and with the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.admission.exemption import Exemption
from app.admission.policy import Mode, NodesMayAppear, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options
from app.ports import ImageNotFound, Mark
from app.telemetry import Metrics, configure_logging, logger
from tests.tools import events
from tests.tools.doubles import FakeArtifacts, FakeCluster, resolved, wants_module

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "logs.md"
COMMON = {"ts", "level", "event"}
CANARY = "secret-of-the-registry"


def table(title: str) -> list[list[str]]:
    """The cells of the first table with three columns or more below a title."""
    text = PAGE.read_text().partition(f"\n## {title}")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)
    assert rows, title
    return [row.split(" | ") for row in rows]


def documented(title: str) -> dict[str, str]:
    """Field, or key -> when it is there."""
    return {cells[0].strip("`"): cells[1] for cells in table(title)}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Leaves the package's logger as it was."""
    yield
    logger().handlers.clear()
    logger().propagate = True


def review(*images: str, kind: str = "Pod", **spec: object) -> Review:
    containers = [{"name": f"c{n}", "image": one} for n, one in enumerate(images)]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4"}
    obj = {
        "metadata": {
            "ownerReferences": [{**owner, "controller": True}],
            "annotations": {"imagecompat.dev/nodes": "forged"},
        },
        "spec": {
            "containers": containers,
            "imagePullSecrets": [{"name": CANARY}],
            **spec,
        },
    }
    return Review(
        uid="0d8bd2c1",
        kind=kind,
        resource="pods",
        operation="CREATE",
        namespace="default",
        object=obj,
    )


def checker(exemptions: tuple[Exemption, ...] = (), **policy: Any) -> Checker:
    """On two nodes; `gpu` fits none, `broken` ends in an error of ours.

    That there is no image `gone` is remembered.
    """
    cluster, artifacts = FakeCluster(), FakeArtifacts()
    cluster.add("a", "vfio")
    cluster.add("b", "vfio")
    artifacts.images = {
        "gpu": resolved(wants_module("nvidia")),
        "net": resolved(wants_module("vfio")),
        "gone": ImageNotFound("x", Mark.REMEMBERED),
    }
    options = Options(Policy(**policy), exemptions=exemptions)
    return Checker(cluster, artifacts, Metrics(), options)


async def answered() -> list[tuple[str, Response]]:
    """A review of each kind, and what became of it."""
    many = [{"key": f"k{n}", "operator": "Exists"} for n in range(5000)]
    volumes = [{"name": "v", "image": {"reference": "data:1"}}]
    exempt = (Exemption("team-a", "legacy", images=("net",)),)
    maybe: dict[str, Any] = {"nodes_may_appear": NodesMayAppear.YES}
    asked = [
        ("deny", checker(), review("gpu")),
        ("allow", checker(), review("net", volumes=volumes, tolerations=many)),
        ("warn", checker(**maybe), review("gpu")),
        ("exempt", checker(exempt), review("net")),
        ("partly exempt", checker(exempt), review("gpu", "net")),
        ("off", checker(mode=Mode.OFF), review("net")),
        ("kind", checker(), review("net", kind="Service")),
        ("remembered", checker(), review("gone")),
        ("error", checker(), review("broken")),
    ]
    return [
        (name, await one.validate(each, deadline_seconds=4.0))
        for name, one, each in asked
    ]


async def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every line that these reviews, and one of the other webhook, leave."""
    configure_logging()
    await answered()
    await checker().mutate(review("net"), deadline_seconds=4.0)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_a_line_has_the_fields_of_the_page_and_no_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = [line for line in await lines(capsys) if line["event"] == "review"]
    assert len(written) == 10
    page = documented("`review`")
    always = {name for name, when in page.items() if when == "always"}
    for line in written:
        assert line.keys() >= COMMON | always
        assert line.keys() <= COMMON | page.keys()
        judged = {name for name, when in page.items() if when == "judged"}
        is_judged = "verdict" in line
        assert judged & line.keys() == (judged if is_judged else set())
    assert set().union(*written) == COMMON | page.keys()


async def test_every_key_of_the_audit_record_is_on_the_page() -> None:
    page = documented("The API server's audit log")
    records = dict(await answered())
    found = {name: set(response.audit) for name, response in records.items()}
    assert set().union(*found.values()) == page.keys()
    judged = {name for name, when in page.items() if when == "judged"}
    assert judged <= found["deny"]
    assert judged.isdisjoint(found["exempt"])


async def test_no_line_names_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert CANARY not in json.dumps(await lines(capsys))


async def test_the_example_is_a_line_as_it_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (example,) = re.findall(r"^```json\n(.*)\n```$", PAGE.read_text(), re.MULTILINE)
    shown = json.loads(example)
    (line,) = (
        one
        for one in await lines(capsys)
        if one.get("decision") == "deny" and "exempted" not in one
    )
    line.pop("waited_for")
    assert list(line) == list(shown)
    assert all(isinstance(line[key], type(shown[key])) for key in shown)


def told_of(event: str) -> set[str]:
    """The fields that the page lists for a line."""
    if event == "review":
        return set(documented("`review`"))
    rows = [cells for cells in table("All other lines") if f"`{event}`" in cells[0]]
    ((_, _, fields, _),) = rows
    return set(re.findall(r"`([^`]+)`", fields))


def shown() -> list[Any]:
    """The lines that any page shows."""
    found = re.compile(r'^{ ?"ts".*$', re.MULTILINE)
    return [
        pytest.param(line, id=f"{page.stem} {number}")
        for page in sorted(PAGE.parents[1].rglob("*.md"))
        for number, line in enumerate(found.findall(page.read_text()))
    ]


@pytest.mark.parametrize("line", shown())
def test_lines_that_a_page_shows_can_be_searched_for_as_they_stand(line: str) -> None:
    """Without spaces, as the runbooks' `grep` expects, and with fields that exist."""
    fields = json.loads(line)
    assert msgspec.json.encode(fields).decode() == line
    assert set(fields) - COMMON <= told_of(fields["event"])
    assert fields["level"] in events.written()[fields["event"]].level.split(" or ")


def test_every_event_of_the_code_is_on_the_page_with_its_level() -> None:
    page = {
        name: level
        for names, level, *_ in table("All other lines")
        for name in re.findall(r"`([^`]+)`", names)
    }
    code = {one.name: one.level for one in events.written().values()}
    assert code == page | {"review": "info"}


@pytest.mark.parametrize("event", events.written())
def test_fields_that_the_code_gives_by_name_are_on_the_page(event: str) -> None:
    assert set(events.written()[event].fields) <= told_of(event)
