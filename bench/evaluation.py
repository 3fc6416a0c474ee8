"""Specs against many nodes, and NFD's own evaluator beside."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Final

import msgspec

from app.compat import features, matching, parse, status
from app.demo import images
from bench.figure import Figure, Rows
from bench.timing import repeat


def judge_one_node() -> Iterator[Figure]:
    """One recorded host against a spec of the demo, report included."""
    host = resources.files("app.demo") / "data" / "hosts" / "ubuntu2404-metal-h100.json"
    node = features.from_json(msgspec.json.decode(host.read_bytes()))
    spec = parse.read(images.spec("cuda-12.4"))
    content = host.read_bytes()
    judged = repeat(
        lambda: status.to_json(status.report(matching.judge(spec, node))), times=200
    )
    decoded = repeat(lambda: msgspec.json.decode(content), times=200)
    yield Figure(
        name="judge_one_node",
        value=judged.median * 1e6,
        unit="microseconds",
        goal=1000.0,
        beside={
            **judged.scaled(1e6, "microseconds"),
            "decoding that node's JSON, microseconds": decoded.median * 1e6,
        },
    )


ROWS: Final[Rows] = {"judge_one_node": judge_one_node}
