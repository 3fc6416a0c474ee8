"""Groups, the closest node, and what it costs to find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from app.admission.findings import Closest, Group, Unmet
from app.checker import explanation, misfit
from app.checker.demand import Asked, Demands, Lacking
from app.checker.explanation import Explainer, Misfit, Platforms
from app.compat import alike, parse
from app.compat.features import Features
from app.compat.index import Index, Limits
from app.ports import Platform
from app.scheduling.index import NodeIndex
from app.scheduling.node import Node
from tests.tools.doubles import AMD64, ARM, ARM64, LINUX, FakeCluster, wants_module

VFIO = Asked("sha256:v", parse.read(wants_module("vfio_pci").encode()))
NVIDIA = Asked("sha256:n", parse.read(wants_module("nvidia").encode()))


def asked(*terms: str, rule: str = "r", more: str = "") -> Asked:
    """A spec with one rule of these terms."""
    text = (
        "version: v1alpha1\ncompatibilities:\n- rules:\n"
        f"  - {{name: {rule}, matchFeatures: [{', '.join(terms)}]{more}}}\n"
    )
    return Asked(text, parse.read(text.encode()))


def wants(feature: str, name: str, expression: str = "op: Exists") -> str:
    return f"{{feature: {feature}, matchExpressions: {{{name}: {{{expression}}}}}}}"


def explainer(cluster: FakeCluster, tags: tuple[str, ...] = ()) -> Explainer:
    nodes = NodeIndex()
    nodes.update(cluster.nodes)
    index = Index(number=lambda name: nodes.number(name) or 0)
    index.update(cluster.features)
    return Explainer(index, nodes, tags)


def given(
    on: Explainer, demands: Sequence[Asked | Lacking | Mapping[Platform, Asked]]
) -> tuple[Demands, Platforms, int]:
    images = [
        one if isinstance(one, Mapping) else {AMD64: one, ARM64: one} for one in demands
    ]
    platforms = {
        Platform(*pair) if pair else None: bits
        for pair, bits in on.nodes.platforms(on.nodes.bits).items()
    }
    for image in images:
        for one in image.values():
            if isinstance(one, Asked):
                on.index.judge(one.digest, one.spec, on.tags)
    return images, platforms, on.nodes.bits


def explained(
    on: FakeCluster | Explainer, *demands: Asked | Lacking | Mapping[Platform, Asked]
) -> Misfit:
    on = explainer(on) if isinstance(on, FakeCluster) else on
    return on.begin(*given(on, demands)).run()


def lacks_module(image: int, name: str) -> Unmet:
    what = f"kernel.loadedmodule {name}"
    return Unmet(image, f"needs {name}", what, "Exists", "not loaded", changeable=True)


# Groups -------------------------------------------------------------------------


def test_groups_hold_nodes_that_lack_the_same_and_the_largest_is_first(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", "nvidia")
    cluster.add("b")
    cluster.add("c")
    vfio, nvidia = lacks_module(0, "vfio_pci"), lacks_module(1, "nvidia")
    assert explained(cluster, VFIO, NVIDIA) == Misfit(
        (Group(2, ("b", "c"), (vfio, nvidia)), Group(1, ("a",), (vfio,))),
        Closest("a", (vfio,)),
    )


def test_equal_groups_are_in_the_order_of_names_whatever_the_numbers() -> None:
    orders = []
    for names in (("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")):
        cluster = FakeCluster()
        for name in names:
            cluster.add(name, *({"a": ["nvidia"], "b": ["vfio_pci"]}.get(name, [])))
        orders.append(explained(cluster, VFIO, NVIDIA))
    assert orders[0] == orders[1] == orders[2]
    assert [("a",), ("b",), ("c",)] == [group.examples for group in orders[0].groups]


def test_five_groups_are_told_and_three_nodes_of_each(cluster: FakeCluster) -> None:
    kinds = [f"m{each}" for each in range(7)]
    for each, kind in enumerate(kinds):
        for copy in range(10 - each):
            cluster.add(f"{kind}-{copy}", kind)
    terms = [wants("kernel.loadedmodule", kind) for kind in kinds]
    found = explained(cluster, asked(*terms))
    assert [10, 9, 8, 7, 6] == [group.count for group in found.groups]
    assert ("m0-0", "m0-1", "m0-2") == found.groups[0].examples
    assert (3, 3) == (len(found.groups[0].unmet), found.groups[0].more)


def test_of_groups_as_large_as_the_fifth_the_first_names_are_told(
    cluster: FakeCluster,
) -> None:
    kinds = [f"m{each}" for each in range(7)]
    for kind in kinds:
        cluster.add(kind, kind)
    terms = [wants("kernel.loadedmodule", kind) for kind in reversed(kinds)]
    found = explained(cluster, asked(*terms))
    assert kinds[:5] == [group.examples[0] for group in found.groups]
    assert found.closest is not None
    assert ("m0", 3, 3) == (
        found.closest.node,
        len(found.closest.unmet),
        found.closest.more,
    )


def test_the_examples_of_a_large_group_are_its_first_names(
    cluster: FakeCluster,
) -> None:
    for each in reversed(range(1_000)):
        cluster.add(f"n{each:04}")
    on = explainer(cluster)
    found = explained(on, VFIO)
    assert (1_000, ("n0000", "n0001", "n0002")) == (
        found.groups[0].count,
        found.groups[0].examples,
    )
    assert found.closest is not None
    assert "n0000" == found.closest.node
    on.nodes.change({}, ("n0000",))
    on.index.change({"n0000": None})
    again = explained(on, VFIO)
    assert ("n0001", "n0002", "n0003") == again.groups[0].examples


def test_a_platform_that_the_index_lacks_is_a_reason(cluster: FakeCluster) -> None:
    cluster.add("a", labels=ARM)
    cluster.add("b", labels=ARM, known=False)
    unmet = Unmet(0, "", "image index", "a manifest for linux/arm64", "none")
    assert explained(cluster, Lacking(ARM64)) == Misfit(
        (Group(2, ("a", "b"), (unmet,)),), Closest("a", (unmet,))
    )


def test_each_platform_is_judged_by_its_own_spec(cluster: FakeCluster) -> None:
    cluster.add("amd")
    cluster.add("arm", labels=ARM)
    cluster.add("odd", labels={})
    found = explained(cluster, {AMD64: VFIO, ARM64: NVIDIA})
    assert [("amd",), ("arm",)] == [group.examples for group in found.groups]
    assert [lacks_module(0, "vfio_pci")] == list(found.groups[0].unmet)
    assert [lacks_module(0, "nvidia")] == list(found.groups[1].unmet)
    only_arm = explained(cluster, {ARM64: NVIDIA})
    assert [("arm",)] == [group.examples for group in only_arm.groups]


def test_tags_that_select_no_set_are_the_reason(cluster: FakeCluster) -> None:
    cluster.add("a", "vfio_pci")
    found = explained(explainer(cluster, tags=("x", "y")), VFIO)
    unmet = Unmet(0, "", "compatibility sets", "one with tag x or y", "none")
    assert Misfit((Group(1, ("a",), (unmet,)),)) == found


def test_tags_that_select_no_set_are_no_change_that_a_node_could_have(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", labels=ARM)
    found = explained(explainer(cluster, tags=("x",)), VFIO, Lacking(ARM64)).closest
    assert found is not None
    assert ["compatibility sets", "image index"] == [one.feature for one in found.unmet]
    assert not found.is_changeable


def test_a_spec_without_a_judgement_explains_nothing(cluster: FakeCluster) -> None:
    cluster.add("a")
    on = explainer(cluster)
    costly = Explainer(Index(Limits(calls=0)), on.nodes)
    demands, platforms, candidates = given(on, [VFIO])
    assert Misfit() == costly.begin(demands, platforms, candidates).run()


# What is found ------------------------------------------------------------------


def versions(*found: str) -> FakeCluster:
    """A node for each version of a driver."""
    cluster = FakeCluster()
    for each, version in enumerate(found):
        cluster.add(f"n{each:04}")
        cluster.features[f"n{each:04}"] = Features(
            attributes={"driver": {"version": version}} if version else {}
        )
    return cluster


DRIVER = asked(wants("driver", "version", "op: In, value: [good]"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(("1",), "1", id="one"),
        pytest.param(("2", "1"), "1 or 2", id="two"),
        pytest.param(("2", "1", "3"), "1 or 2 or others", id="more"),
        pytest.param(("2", ""), "2 or no such feature", id="not published"),
    ],
)
def test_what_is_found_may_differ_within_a_group(
    found: Sequence[str], expected: str
) -> None:
    (group,) = explained(versions(*found), DRIVER).groups
    assert expected == group.unmet[0].found


@pytest.mark.parametrize("count", [explanation.MAX_SETS, explanation.MAX_SETS + 1])
def test_beyond_the_bound_the_named_nodes_tell_what_is_found(count: int) -> None:
    same = ["4", "5", "4", *(["4"] * (count - 3))]
    (group,) = explained(versions(*same), DRIVER).groups
    is_all = count <= explanation.MAX_SETS
    assert ("4 or 5" if is_all else "4 or 5 or others") == group.unmet[0].found


def test_few_feature_sets_are_read_whatever_the_number_of_nodes() -> None:
    cluster = versions("1", "")
    old, new = cluster.features["n0000"], Features(attributes={"driver": {}})
    for each in range(600):
        cluster.add(f"m{each}")
        cluster.features[f"m{each}"] = new if each == 599 else old
    (group,) = explained(cluster, DRIVER).groups
    assert (602, "1 or absent or others") == (group.count, group.unmet[0].found)


def test_what_does_not_exist_is_absent_without_a_look() -> None:
    cluster = versions(*map(str, range(600)))
    exists = asked(wants("driver", "name"), "{feature: none}")
    cluster.features["n0000"] = Features(flags={"none": frozenset()})
    group, *_ = explained(cluster, exists).groups
    assert ["absent", "no such feature"] == [one.found for one in group.unmet]
    job = explainer(cluster)
    told = job.begin(*given(job, [exists])).groups[0].reasons[0]
    assert (1, ()) == (len(told.sets), told.nodes)


def test_a_device_is_none_and_one_value_of_a_device_is_shown() -> None:
    cluster = FakeCluster()
    for name, vendors in (("a", "8086"), ("b", "10de"), ("c", "")):
        cluster.add(name)
        devices = tuple({"vendor": one} for one in vendors.split())
        cluster.features[name] = Features(instances={"pci.device": devices})
    gpu = asked(
        "{feature: pci.device, matchExpressions: "
        "{vendor: {op: In, value: ['10de']}, class: {op: Exists}}}"
    )
    (group,) = explained(cluster, gpu).groups
    want = "one with class Exists, vendor In [10de]"
    assert ("pci.device", want, "none") == (
        group.unmet[0].feature,
        group.unmet[0].want,
        group.unmet[0].found,
    )
    (group,) = explained(cluster, asked(wants("pci.device", "class"))).groups
    assert ("pci.device class", "absent") == (
        group.unmet[0].feature,
        group.unmet[0].found,
    )


# The closest node ---------------------------------------------------------------


def test_the_closest_lacks_least_and_what_can_be_changed_counts_less() -> None:
    cluster = FakeCluster()
    for name, flags in (("a", ()), ("b", ("AVX",)), ("c", ("AVX", "SVE"))):
        cluster.add(name)
        cluster.features[name] = Features(
            flags={
                "cpu.cpuid": frozenset(flags),
                "kernel.loadedmodule": frozenset({"m"} - set(flags[1:] and "m")),
            }
        )
    spec = asked(
        wants("cpu.cpuid", "AVX"),
        wants("cpu.cpuid", "SVE"),
        wants("kernel.loadedmodule", "m"),
    )
    found = explained(cluster, spec).closest
    assert found is not None
    # b lacks SVE, which is fixed; c lacks a module.
    assert ("c", "kernel.loadedmodule m", True) == (
        found.node,
        found.unmet[0].feature,
        found.is_changeable,
    )


VARIABLES = asked(
    wants("rule.matched", "v", "op: In, value: ['2']"),
    wants("kernel.loadedmodule", "lost"),
)


def test_of_variables_the_closest_node_is_evaluated(cluster: FakeCluster) -> None:
    cluster.add("a")
    cluster.features["a"] = Features(
        flags={"kernel.loadedmodule": frozenset()},
        attributes={"rule.matched": {"v": "1"}},
    )
    on = explainer(cluster)
    job = on.begin(*given(on, [VARIABLES]))
    assert not job.is_light
    found = job.run()
    rule = Unmet(0, "r", "", "", "", changeable=True)
    assert (rule,) == found.groups[0].unmet
    assert found.closest is not None
    assert [("rule.matched v", "1"), ("kernel.loadedmodule lost", "not loaded")] == [
        (one.feature, one.found) for one in found.closest.unmet
    ]


def test_an_evaluation_that_costs_too_much_is_left_out(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add("a")
    cluster.features["a"] = Features(
        flags={"kernel.loadedmodule": frozenset()},
        attributes={"rule.matched": {"x": "1"}},
    )
    monkeypatch.setattr(misfit, "MAX_CALLS", 0)
    only = asked(wants("rule.matched", "v"))
    found = explained(cluster, only, VFIO)
    unmet = Unmet(0, "r", "rule.matched v", "Exists", "", changeable=True)
    vfio = lacks_module(1, "vfio_pci")
    assert found == Misfit(
        (Group(1, ("a",), (unmet, vfio)),), Closest("a", (unmet, vfio))
    )


def test_needs_are_told_apart_up_to_a_bound_over_all_images(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add("a")
    monkeypatch.setattr(alike, "MAX_NEEDS", 2)
    terms = [wants("kernel.loadedmodule", name) for name in ("x", "z")]
    specs = [asked(*terms, rule=name) for name in ("one", "two")]
    (group,) = explained(cluster, *specs).groups
    assert [(0, "x"), (0, "z"), (1, "")] == [
        (one.image, one.feature.rpartition(" ")[2]) for one in group.unmet
    ]
    assert "" == group.unmet[2].rule


# What is remembered -------------------------------------------------------------


def test_an_explanation_is_remembered_until_a_node_changes(
    cluster: FakeCluster,
) -> None:
    cluster.add("a")
    on = explainer(cluster)
    question = given(on, [VFIO])
    assert on.at_hand(*question) is None
    job = on.begin(*question)
    assert job.is_light
    found = job.run()
    on.accept(job, found)
    assert on.at_hand(*question) is found
    assert on.at_hand(*given(on, [NVIDIA])) is None
    on.index.change({"a": Features(flags={"kernel.loadedmodule": frozenset("x")})})
    assert on.at_hand(*question) is None
    on.nodes.set("a", Node("a", {**LINUX, "x": "y"}))
    job = on.begin(*given(on, [VFIO]))
    on.accept(job, found)
    on.nodes.set("a", Node("a", LINUX))
    assert on.at_hand(*question) is None


def test_the_explanation_not_asked_for_longest_is_forgotten(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "MAX_REMEMBERED", 2)
    cluster.add("a")
    on = explainer(cluster)
    questions = [given(on, [one]) for one in (VFIO, NVIDIA, DRIVER)]
    for question in questions[:2]:
        on.accept(on.begin(*question), Misfit())
    assert on.at_hand(*questions[0]) is not None
    on.accept(on.begin(*questions[2]), Misfit())
    kept = [on.at_hand(*question) is not None for question in questions]
    assert [True, False, True] == kept


@pytest.mark.parametrize(("needs", "is_light"), [(2, True), (3, False)])
def test_a_job_that_looks_at_many_sets_is_not_light(
    needs: int, *, is_light: bool
) -> None:
    terms = (wants("driver", f"v{n}", "op: In, value: [x]") for n in range(needs))
    on = explainer(versions(*map(str, range(misfit.MAX_LIGHT_SETS // 2))))
    assert is_light is on.begin(*given(on, [asked(*terms)])).is_light
