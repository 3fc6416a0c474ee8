"""Every recipe on every recorded host, as NFD's own evaluator answers.

The suite that says what they are expected to be is the one that authors would write:
`tests/data/suites/recipes.yaml`, run by `imagecompat test-spec`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.cli.suites import reading
from app.cli.suites.suite import Answer, Expected
from app.recipes import NAMED, RECIPES
from tests.conformance import live, replay
from tests.tools import needed

DATA = Path(__file__).resolve().parent.parent / "data"
SUITE = DATA / "suites" / "recipes.yaml"


def expected(answer: dict[str, Any]) -> Expected:
    """What NFD's report says: the highest weight of a set whose rules all match."""
    if answer["error"] is not None:
        return Expected(answer=Answer.ERROR)
    if not answer["fits"]:
        return Expected(answer=Answer.DOES_NOT_FIT)
    fitting = [
        one.get("weight", 0)
        for one in answer["report"]
        if all(rule["isMatch"] for rule in one["rules"] or ())
    ]
    return Expected(answer=Answer.FITS, score=max(fitting))


def test_nfd_says_of_every_recipe_on_every_host_what_the_suite_says() -> None:
    (oracle,) = needed.programs("nfd-oracle")
    suite, problems = reading.read(SUITE.read_bytes(), str(SUITE))
    assert () == problems
    hosts = {
        path.stem: json.loads(path.read_bytes())
        for path in sorted((DATA / "hosts").iterdir())
    }
    lines = [
        {
            "id": case.title,
            "spec": NAMED[case.spec].content.decode(),
            "features": hosts[case.node],
        }
        for case in suite.cases
    ]
    assert {(r.name, h) for r in RECIPES for h in hosts} == {
        (case.spec, case.node) for case in suite.cases
    }
    answers = live.ask(oracle, lines)
    assert {case.title: case.expected for case in suite.cases} == {
        line["id"]: expected(answer)
        for line, answer in zip(lines, answers, strict=True)
    }
    keys = ("error", "error_kind", "report", "fits")
    differences = [
        replay.difference({**line, "expected": {key: answer.get(key) for key in keys}})
        for line, answer in zip(lines, answers, strict=True)
    ]
    assert [None] * 240 == differences
