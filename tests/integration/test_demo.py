"""The demo is real: what it shows is what its webhook answered over TLS."""

import asyncio
import re
import ssl
import subprocess
import sys
import urllib.request

import pytest

from app.demo import story
from app.demo.kubectl import Outcome
from app.demo.scenarios import Scenario

pytestmark = pytest.mark.integration

Told = list[tuple[Scenario, Outcome]]

STORY = (
    # what the title says, allowed, code
    ("A CUDA image that needs a newer driver", False, "IC101"),
    ("The image for the older driver is admitted", True, ""),
    ("Two images that fit different nodes", False, "IC101"),
    ("In a namespace with mode warn", True, "IC101"),
    ("In a namespace with mode audit", True, ""),
    ("A registry that cannot answer", True, "IC202"),
    ("A broken artifact is its author's fault", True, "IC205"),
    ("An image without an artifact", True, ""),
    ("The Pod of a DaemonSet", True, "IC101"),
    ("An index: each platform has its own spec", True, ""),
    ("A selector that leaves no node", True, "IC102"),
    ("A node that NFD has not described yet", True, "IC103"),
    ("A Deployment is warned about", True, "IC101"),
    ("An update to an image", False, "IC101"),
    ("Debugging a Pod that does not fit", True, ""),
    ("Our annotations cannot be forged", True, ""),
)


@pytest.fixture(scope="module")
def told() -> tuple[Told, str]:
    """What the demo did, and what it printed."""
    lines: list[str] = []
    outcomes = asyncio.run(story.tell(lines.append))
    return outcomes, "\n".join(lines)


@pytest.mark.parametrize(
    ("number", "title", "allowed", "code"),
    [(number, *row) for number, row in enumerate(STORY)],
    ids=[row[0] for row in STORY],
)
def test_each_scenario_ends_as_its_title_says(
    told: tuple[Told, str], number: int, title: str, allowed: bool, code: str
) -> None:
    scenario, outcome = told[0][number]
    assert scenario.title.startswith(title)
    assert allowed == outcome.allowed
    assert code == next(iter(re.findall(r"\[(IC\d+)\]", "\n".join(outcome.lines))), "")


def test_every_scenario_of_the_demo_is_expected_here(told: tuple[Told, str]) -> None:
    assert len(STORY) == len(told[0])


def test_the_first_denial_names_the_closest_node(told: tuple[Told, str]) -> None:
    assert (
        "closest: amzn2023-eks-p5, 1 change would do: local.label "
        "nvidia.com/cuda.runtime-version.full: want version >= 13.0, found 12.4"
    ) in told[1]


def test_admitted_pods_are_annotated(told: tuple[Told, str]) -> None:
    fits = told[0][1][1].annotations
    assert "fits" == fits["imagecompat.dev/verdict"]
    assert "candidates=14,fits=2,unknown=0" == fits["imagecompat.dev/nodes"]
    audited = told[0][4][1].annotations
    assert "does not fit" == audited["imagecompat.dev/verdict"]
    forged = told[0][15][1].annotations
    assert "fits" == forged["imagecompat.dev/verdict"]


def test_serve_keeps_it_running() -> None:
    command = [sys.executable, "-u", "-m", "app", "demo", "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            where = demo.stdout.readline()
            found = re.match(
                r"(https://127\.0\.0\.1:\d+)/v1/validate +\(CA: (.+)\)", where
            )
            assert found is not None, where
            context = ssl.create_default_context(cafile=found[2])
            with urllib.request.urlopen(
                f"{found[1]}/readyz", timeout=10, context=context
            ) as answer:
                assert b"ok\n" == answer.read()
        finally:
            demo.terminate()
