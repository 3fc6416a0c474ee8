"""Our filters against kube-scheduler's own, on generated Pods and Nodes.

`IMAGECOMPAT_CASES` sets how many pairs (2,000 by default), `IMAGECOMPAT_SEED`
repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from app.scheduling.candidates import FILTERS, Options, find
from app.scheduling.kinds import POD
from app.scheduling.podspec import of
from tests.conformance import scheduling_cases
from tests.conformance.scheduling_cases import Case
from tests.tools.build import ToolError
from tests.tools.build import find as find_tool

ANSWERS = {
    "NodeName": "nodeName",
    "NodeUnschedulable": "nodeUnschedulable",
    "NodeAffinity": "nodeAffinity",
    "TaintToleration": "taintToleration",
}
NOBODY_IS_IGNORED = Options(ignore=())


@pytest.fixture(scope="module")
def oracle() -> Path:
    try:
        return find_tool("scheduling-oracle")
    except ToolError as error:
        pytest.skip(f"no scheduling oracle: {error}")


def ask(oracle: Path, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    text = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        [oracle], input=text, capture_output=True, text=True, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_filters_answer_as_the_scheduler_does(oracle: Path) -> None:
    seed = int(
        os.environ.get("IMAGECOMPAT_SEED") or random.SystemRandom().getrandbits(32)
    )
    count = int(os.environ.get("IMAGECOMPAT_CASES") or 2000)
    print(f"IMAGECOMPAT_SEED={seed} IMAGECOMPAT_CASES={count}")
    generator = scheduling_cases.Generator(seed)
    cases = [generator.case(number) for number in range(count)]
    now = ask(oracle, ({"id": c.id, "pod": c.pod, "node": c.node} for c in cases))
    later = ask(
        oracle,
        (
            {"id": c.id, "pod": c.pod, "node": scheduling_cases.settled(c.node)}
            for c in cases
        ),
    )
    assert count == len(now) == len(later)

    passed: Counter[str] = Counter()
    differences = []
    for case, today, tomorrow in zip(cases, now, later, strict=True):
        expected = {name: today[key] for name, key in ANSWERS.items()}
        passed.update(name for name, admits in expected.items() if admits)
        in_the_end = {name: tomorrow[key] for name, key in ANSWERS.items()}
        if expected != filters(case) or views(expected, in_the_end) != found(case):
            differences.append((case, today, tomorrow, filters(case), found(case)))
    print("passed", {name: f"{n / count:.0%}" for name, n in sorted(passed.items())})
    print("hits", dict(sorted(generator.hits.items())))
    assert [] == differences[:3]
    assert [] == scheduling_cases.gaps(generator.hits, passed, count)


def filters(case: Case) -> dict[str, bool]:
    """What each of our filters says."""
    placement = of(POD, case.pod).placement
    node = scheduling_cases.node_of(case.node)
    return {name: FILTERS[name](placement)(node) for name in ANSWERS}


def found(case: Case) -> tuple[bool, bool]:
    """Whether `find` has the node in `now` and in `eventual`, name aside."""
    pod = {**case.pod, "spec": {**case.pod["spec"], "nodeName": ""}}
    node = scheduling_cases.node_of(case.node)
    result = find(of(POD, pod).placement, [node], options=NOBODY_IS_IGNORED)
    return node in result.now, node in result.eventual


def views(now: dict[str, bool], later: dict[str, bool]) -> tuple[bool, bool]:
    """The same from the scheduler's answers; the name is compared by itself."""
    rest = [name for name in ANSWERS if name != "NodeName"]
    return all(now[name] for name in rest), all(later[name] for name in rest)
