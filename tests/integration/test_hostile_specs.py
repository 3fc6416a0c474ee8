"""Specs made to cost much, from a registry to the answer that a user gets.

What each of them means to the reader is `tests/unit/compat`'s business; here it goes
through a whole review: bounded in time, an outcome for its own image, and nothing for
the Pods of others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.admission.review import Response, Review
from app.bootstrap.options import options
from app.checker import Checker
from app.demo.registry import Registry
from app.settings.sections import Settings
from app.telemetry import Metrics
from tests.tools.doubles import FakeCluster, wants_module
from tests.tools.hostile import DATE, reading

pytestmark = pytest.mark.integration

SECONDS = 3.0
"""For a hostile spec on a busy machine; each takes some milliseconds."""

INVALID = "[IC205]"
MISFIT = "[IC101]"
UNKNOWN = "[IC103]"
"""As NFD: a pattern that cannot be compiled is an error of its rule."""


def spec(expressions: str, before: str = "") -> bytes:
    """A spec of one rule on kernel modules."""
    return f"""\
version: v1alpha1
{before}compatibilities:
- rules:
  - name: r
    matchFeatures:
    - feature: kernel.loadedmodule
      {expressions}
""".encode()


def laughs(width: int, levels: int) -> bytes:
    """Each level stands `width` times for the one before."""
    lines = ["l0: &l0 [x, x]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*l{level - 1}"] * width)
        lines.append(f"l{level}: &l{level} [{aliases}]")
    return spec("matchName: {op: In, value: [x]}", "\n".join([*lines, ""]))


def pattern(text: str) -> bytes:
    return spec(f"matchName: {{op: InRegexp, value: ['{text}']}}")


BOMBS = [
    pytest.param(laughs(9, 9), INVALID, id="aliases"),
    pytest.param(laughs(2, 400), INVALID, id="aliases-in-a-chain"),
    pytest.param(b"a: &a [*a]\n", INVALID, id="alias-of-itself"),
    pytest.param(b"[" * 200_000, INVALID, id="nested-lists"),
    pytest.param(b"{a: " * 60_000, INVALID, id="nested-maps"),
    pytest.param(b"- " * 100_000, INVALID, id="nested-blocks"),
    pytest.param(b"a: " + b"x" * 200_000, INVALID, id="giant-scalar"),
    pytest.param(b"x" * 200_000, INVALID, id="giant-document"),
    pytest.param(b"? " * 100_000, INVALID, id="nested-keys"),
    pytest.param(
        b"".join(b"k%d: v\n" % at for at in range(25_000)), INVALID, id="flat-map"
    ),
    pytest.param(b"a: " + b"9" * 100_000, INVALID, id="huge-number"),
    pytest.param(b"a: " + b"1:" * 60_000 + b"1", INVALID, id="base-60-number"),
    pytest.param(b"a: 2026-01-01T00:00:00." + b"9" * 90_000, INVALID, id="date"),
    pytest.param(
        b"a: !!python/object/apply:os.system ['touch bombed']", INVALID, id="tag"
    ),
    pytest.param(b"a: !!binary " + b"A" * 100_000, INVALID, id="binary"),
    pytest.param(b"\xff\xfe" + b"\x00" * 1000, INVALID, id="utf-16"),
    pytest.param(b"a: \x00", INVALID, id="null-byte"),
    pytest.param(b"a: '\\ud800'\n\xed\xa0\x80", INVALID, id="half-a-pair"),
    pytest.param(b"%YAML 9.9\n---\n", INVALID, id="version"),
    pytest.param(b"---\n" * 60_000, INVALID, id="documents"),
    pytest.param(wants_module("no").encode() + b"---\n[" * 999, MISFIT, id="second"),
    pytest.param(b'{"a":' * 50_000, INVALID, id="json-nested"),
    pytest.param(b'{"compatibilities": NaN}', INVALID, id="json-nan"),
    pytest.param(pattern("^(a+)+$"), MISFIT, id="pattern-of-patterns"),
    pytest.param(pattern("^(a|a)*c$"), MISFIT, id="pattern-of-choices"),
    pytest.param(pattern("(((x{30}){30}){30}){30}"), UNKNOWN, id="pattern-repeated"),
    pytest.param(pattern("(" * 400 + "z" + ")" * 400), MISFIT, id="pattern-nested"),
    pytest.param(pattern("(?=a)"), UNKNOWN, id="pattern-that-looks-ahead"),
    pytest.param(pattern("a" * 1025), INVALID, id="long-pattern"),
    pytest.param(
        spec(f"matchName: {{op: In, value: [{'x, ' * 5000}]}}"), INVALID, id="values"
    ),
]


@asynccontextmanager
async def checking(registry: Registry) -> AsyncIterator[Checker]:
    """The whole, but for the API server; a node whose modules are long names."""
    cluster = FakeCluster()
    cluster.add("a", "a" * 50_000 + "b", "vfio")
    settings = Settings.model_validate({"policy": {"nodesMayAppear": "no"}})
    async with reading(registry) as artifacts:
        checker = Checker(cluster, artifacts, Metrics(), options(settings))
        async with checker.running():
            yield checker


def carrying(**specs: bytes) -> Registry:
    """An image for each spec."""
    registry = Registry()
    for name, content in specs.items():
        repository = registry.repository(f"team/{name}")
        image = repository.image("amd64", name)
        repository.tag(image, "1")
        repository.attach(image, content, created=DATE)
    return registry


async def review(checker: Checker, registry: Registry, name: str) -> Response:
    image = f"{registry.address}/team/{name}:1"
    pod = {"spec": {"containers": [{"name": "c", "image": image}]}}
    asked = Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object=pod,
    )
    return await checker.validate(asked, deadline_seconds=20.0)


@pytest.mark.parametrize(("bomb", "expected"), BOMBS)
async def test_a_hostile_spec_is_an_outcome_in_time(bomb: bytes, expected: str) -> None:
    registry = carrying(bomb=bomb)
    async with registry.serving(), checking(registry) as checker:
        started = time.monotonic()
        response = await review(checker, registry, "bomb")
        seconds = time.monotonic() - started
    said = " ".join((response.message, *response.warnings))
    assert expected in said
    assert "[IC301]" not in said
    assert "[IC202]" not in said
    assert response.allowed is (expected != MISFIT)
    assert seconds < SECONDS


@pytest.mark.parametrize("bomb", [laughs(9, 9), pattern("^(a+)+$"), b"[" * 200_000])
async def test_a_hostile_spec_changes_nothing_for_another_image(bomb: bytes) -> None:
    fits, misfit = wants_module("vfio").encode(), wants_module("nvidia").encode()
    alone = carrying(fits=fits, misfit=misfit)
    beside = carrying(fits=fits, misfit=misfit, bomb=bomb)
    answers = []
    for registry, names in ((alone, ()), (beside, ("bomb",) * 20)):
        async with registry.serving(), checking(registry) as checker:
            others = [
                asyncio.create_task(review(checker, registry, name)) for name in names
            ]
            got = [await review(checker, registry, one) for one in ("fits", "misfit")]
            answers.append([(one.allowed, one.code) for one in got])
            await asyncio.gather(*others)
    assert answers[0] == answers[1]
    assert [True, False] == [is_allowed for is_allowed, _ in answers[0]]
