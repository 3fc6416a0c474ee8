"""One node, walked through specs of every shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.checker import Options
from app.cli.checking.explaining import Explained, walk
from app.cli.checking.images import Images, spec
from app.cli.checking.judging import Asked, Judge
from app.cli.checking.manifests import Manifest
from app.cli.checking.walks import render
from app.cli.nodes.known import KnownNodes
from app.cli.reports.formats import ReportFormat
from app.compat.features import Features
from app.compat.outcome import UnpublishedFeatures
from app.ports import (
    ImageNotFound,
    ImageOutcome,
    Missing,
    PlatformAbsent,
    Resolved,
    Snapshot,
    Unavailable,
)
from app.scheduling import candidates
from app.scheduling.kinds import POD
from app.scheduling.node import Node, Taint
from app.scheduling.selector import Requirement
from tests.tools.doubles import AMD64, ARM, ARM64, LINUX, FakeArtifacts

DEVICES = ({"vendor": "10de", "class": "0200"}, {"vendor": "8086", "class": "0300"})
NODES = {
    "a": Node("a", LINUX),
    "arm": Node("arm", ARM),
    "bare": Node("bare", {}),
    "new": Node("new", LINUX),
    "kept": Node("kept", LINUX, taints=(Taint("gpu", "", "NoSchedule"),)),
}
FEATURES = {
    name: Features(
        flags={"kernel.loadedmodule": frozenset({"vfio"})},
        attributes={"kernel.version": {"major": "five"}},
        instances={"pci.device": DEVICES},
    )
    for name in NODES
    if name != "new"
}


async def walked(
    outcome: ImageOutcome | bytes,
    node: str = "a",
    *,
    options: Options | None = None,
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN,
    selector: Mapping[str, str] | None = None,
) -> Explained:
    chosen = options or Options()
    if isinstance(outcome, bytes):
        both = dict.fromkeys((AMD64, ARM64), spec(outcome))
        outcome = Resolved("sha256:x", both)
    images = Images(FakeArtifacts({"app": outcome}), {})
    containers = [{"name": "c", "image": "app"}]
    pod = {"containers": containers, "nodeSelector": selector or {}}
    obj: dict[str, Any] = {"spec": pod}
    asked = Asked(Manifest(POD, "", "x", "x.yaml:1", obj))
    judge = Judge(KnownNodes(Snapshot(NODES, FEATURES), ""), images, chosen)
    only = Snapshot({node: NODES[node]}, {})
    alone = Judge(KnownNodes(only, ""), images, chosen)
    async with judge.running(), alone.running():
        found = await walk(judge, alone, asked, NODES[node], unpublished)
    assert isinstance(found, Explained)
    return found


def lines(found: Explained) -> list[str]:
    """What is printed below the line of the image."""
    return render([found], ReportFormat.TABLE).splitlines()[2:]


def rule(text: str) -> bytes:
    return f"version: v1alpha1\ncompatibilities:\n- rules:\n  - {text}\n".encode()


def terms(*texts: str) -> bytes:
    return rule(f"{{name: r, matchFeatures: [{', '.join(texts)}]}}")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        pytest.param(
            "{feature: kernel.loadedmodule}",
            "kernel.loadedmodule: want published, found published: yes",
            id="the feature itself",
        ),
        pytest.param(
            "{feature: kernel.loadedmodule, matchName: {op: In, value: [vfio]}}",
            "kernel.loadedmodule a name: want a name In [vfio], "
            "found there is one: yes",
            id="a name",
        ),
        pytest.param(
            "{feature: kernel.loadedmodule, matchName: {op: In, value: [x]}}",
            "kernel.loadedmodule a name: want a name In [x], found none: no",
            id="no such name",
        ),
        pytest.param(
            "{feature: off.now, matchExpressions: {x: {op: Exists}}}",
            "off.now x: want Exists, found no such feature: unknown",
            id="switched off",
        ),
        pytest.param(
            "{feature: off.now, matchName: {op: Exists}}",
            "off.now a name: want a name Exists, found no such feature: unknown",
            id="a name, switched off",
        ),
    ],
)
async def test_a_term_is_told(term: str, expected: str) -> None:
    assert f"      {expected}" == lines(await walked(terms(term)))[-1]


async def test_devices_may_satisfy_each_expression_and_none_all() -> None:
    both = "vendor: {op: In, value: ['10de']}, class: {op: In, value: ['0300']}"
    text = f"{{feature: pci.device, matchExpressions: {{{both}}}}}"
    assert [
        "      pci.device class: want In [0300], found 0200, 0300: yes",
        "      pci.device vendor: want In [10de], found 10de, 8086: yes",
        "      pci.device a device: want one that satisfies all, found none: no",
    ] == lines(await walked(terms(text)))[-3:]


async def test_why_a_rule_is_unknown_is_told() -> None:
    text = "{feature: off.now, matchExpressions: {x: {op: Exists}}}"
    assert (
        "      not known: off.now: none does: it may be switched off in NFD"
        in lines(await walked(terms(text)))
    )


async def test_features_that_are_off_may_count_as_absent() -> None:
    text = "{feature: off.now, matchExpressions: {x: {op: Exists}}}"
    no = UnpublishedFeatures.NO
    options = Options(unpublished=no)
    found = await walked(terms(text), options=options, unpublished=no)
    assert "      off.now x: want Exists, found no such feature: no" == lines(found)[-1]
    assert ("does not fit", "does not fit") == (found.verdict, found.images[0].verdict)


async def test_an_error_is_told_in_nfds_words() -> None:
    text = (
        "{feature: kernel.version, matchExpressions: {major: {op: Gt, value: ['5']}}}"
    )
    found = lines(await walked(terms(text)))
    assert '    rule "r": unknown' == found[1]
    assert found[2].startswith("      not known: evaluation: ")
    assert "five" in found[2]


async def test_alternatives_are_told_one_by_one() -> None:
    one = "{matchFeatures: [{feature: kernel.loadedmodule, matchName: {op: Exists}}]}"
    two = "{matchFeatures: [{feature: pci.device, matchName: {op: In, value: [x]}}]}"
    there = "kernel.loadedmodule a name: want a name Exists, found there is one: yes"
    found = lines(await walked(rule(f"{{name: r, matchAny: [{one}, {two}]}}")))
    assert [
        '    rule "r": fits',
        "      alternative 1 of 2",
        f"        {there}",
        "      alternative 2 of 2",
        "        pci.device a name: want a name In [x], found none: no",
    ] == found[1:]


async def test_variables_of_rules_are_seen_by_later_ones() -> None:
    text = """\
version: v1alpha1
compatibilities:
- rules:
  - name: says
    vars: {x: "1"}
    matchFeatures: [{feature: kernel.loadedmodule}]
  - name: looks
    matchFeatures:
    - {feature: rule.matched, matchExpressions: {x: {op: In, value: ["1"]}}}
"""
    found = lines(await walked(text.encode()))
    assert "      rule.matched x: want In [1], found 1: yes" == found[-1]


async def test_variables_of_unknown_rules_are_unknown() -> None:
    text = """\
version: v1alpha1
compatibilities:
- rules:
  - name: off
    matchFeatures: [{feature: off.now}]
  - name: looks
    matchFeatures:
    - {feature: rule.matched, matchExpressions: {x: {op: In, value: ["1"]}}}
"""
    found = lines(await walked(text.encode()))
    assert "      not known: rule.matched: an unknown one" in found
    assert found[-1].endswith(": unknown")


async def test_an_error_behind_a_term_that_failed_is_not_known() -> None:
    """NFD leaves such a term out, and does not notice."""
    failed = "{feature: kernel.loadedmodule, matchName: {op: In, value: [x]}}"
    erring = "{feature: kernel.version, matchName: {op: Gt, value: ['1']}}"
    found = lines(await walked(terms(failed, erring)))
    assert found[-1].endswith(": unknown")


# Where there is no spec to walk through ------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "node", "expected"),
    [
        pytest.param(
            Resolved("x", {AMD64: Missing(), ARM64: Missing()}),
            "a",
            ("fits", "no compatibility spec is attached: it asks for nothing"),
            id="nothing attached",
        ),
        pytest.param(
            ImageNotFound("gone"),
            "a",
            ("unknown", "not judged: not found: gone"),
            id="no image",
        ),
        pytest.param(
            Resolved("x", {AMD64: spec(terms("{feature: a.b}")),
                           ARM64: PlatformAbsent(has_spec=True)}),
            "arm",
            ("does not fit", "the image index has no manifest for linux/arm64"),
            id="another platform",
        ),
        pytest.param(
            Resolved("x", {AMD64: spec(terms("{feature: a.b}")), ARM64: Missing()}),
            "bare",
            (
                "unknown",
                "the node does not say its platform (kubernetes.io/os and arch)",
            ),
            id="no labels",
        ),
        pytest.param(
            Resolved("x", {AMD64: spec(terms("{feature: a.b}"))}),
            "arm",
            ("unknown", "its spec could not be judged in time"),
            id="late",
        ),
        pytest.param(
            terms("{feature: a.b}"),
            "new",
            ("unknown", "NFD has published nothing of this node"),
            id="no features",
        ),
        pytest.param(
            b"version: [",
            "a",
            ("unknown", "not judged: its compatibility spec is invalid: "),
            id="an invalid spec",
        ),
    ],
)  # fmt: skip
async def test_what_is_known_instead(
    outcome: ImageOutcome | bytes, node: str, expected: tuple[str, str]
) -> None:
    (image,) = (found := await walked(outcome, node)).images
    assert expected[0] == image.verdict == found.verdict
    assert image.said.startswith(expected[1])


async def test_an_image_that_asks_nothing_of_this_platform_fits() -> None:
    outcome = Resolved("x", {AMD64: spec(terms("{feature: a.b}")), ARM64: Missing()})
    (image,) = (await walked(outcome, "arm")).images
    assert "fits" == image.verdict


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("a", "no compatibility spec is attached: it asks for nothing"),
        ("arm", "not judged: its registry could not answer: 500"),
        ("bare", "not judged: its registry could not answer: 500"),
    ],
)
async def test_what_is_known_of_another_platform_says_nothing(
    node: str, said: str
) -> None:
    outcome = Resolved("x", {AMD64: Missing(), ARM64: Unavailable("Status", "500")})
    (image,) = (await walked(outcome, node)).images
    expected = "fits" if node == "a" else "unknown"
    assert (expected, said) == (image.verdict, image.said)


async def test_a_spec_without_a_tag_that_counts_asks_for_nothing() -> None:
    found = await walked(terms("{feature: a.b}"), options=Options(tags=("none",)))
    said = "no set of its spec has a tag that counts: it asks for nothing"
    assert ("fits", said) == (found.images[0].verdict, found.images[0].said)


async def test_a_node_that_is_no_candidate_says_so() -> None:
    found = await walked(terms("{feature: kernel.loadedmodule}"), "kept")
    assert "TaintToleration" == found.excluded_by
    assert ("does not fit", "fits") == (found.verdict, found.images[0].verdict)
    text = render([found], ReportFormat.TABLE)
    assert (
        "not a candidate: the scheduler's TaintToleration takes the node out\n"
        "  taint gpu:NoSchedule is not tolerated (1 node)\n"
    ) in text


async def test_what_images_ask_is_told_of_a_node_of_a_platform_without_candidates() -> (
    None
):
    """Though the verdict needs no spec for it."""
    selector = {"kubernetes.io/arch": "amd64"}
    content = terms("{feature: kernel.loadedmodule, matchName: {op: In, value: [x]}}")
    found = await walked(content, "arm", selector=selector)
    (image,) = found.images
    assert ("NodeAffinity", "does not fit", 1) == (
        found.excluded_by,
        image.verdict,
        len(image.sets),
    )
    text = "nodeSelector kubernetes.io/arch=amd64 (holds on 0 of 1 node)"
    assert (text,) == found.obstacles


async def test_of_a_node_that_nobody_describes_only_that_is_told() -> None:
    options = Options(
        candidates=candidates.Options(
            ignore=(Requirement("kubernetes.io/arch", "In", ("arm64",)),)
        )
    )
    found = await walked(terms("{feature: a.b}"), "arm", options=options)
    assert ("Ignored", "does not fit") == (found.excluded_by, found.verdict)
    said = "not looked up for this node's platform: no candidate has it"
    assert ("unknown", said) == (found.images[0].verdict, found.images[0].said)


async def test_hostile_names_cannot_move_the_terminal() -> None:
    text = 'rules: [{name: "\\e[31m", matchFeatures: [{feature: kernel.loadedmodule}]}]'
    content = f"version: v1alpha1\ncompatibilities:\n- {{{text}}}\n".encode()
    assert "\x1b" not in render([await walked(content)], ReportFormat.TABLE)
