import asyncio
from dataclasses import replace

import pytest

from app.bits import Bits
from app.checker import view as module
from app.checker.view import View
from app.compat import parse
from app.compat.index import Judgement
from app.ports import Platform, Snapshot
from tests.tools.doubles import ARM, FakeCluster, wants_module

VFIO = parse.read(wants_module("vfio_pci").encode())


def fitting(view: View) -> list[str]:
    """The names of the nodes that have the module, sorted."""
    found = view.index.judge("vfio", VFIO)
    assert isinstance(found, Judgement)
    return sorted(names(view, found.fits))


def names(view: View, bits: Bits) -> list[str]:
    return [node.name for node in view.nodes.nodes(bits)]


async def test_nodes_and_features_have_the_same_numbers(cluster: FakeCluster) -> None:
    view = View(cluster)
    cluster.add("a", known=False)
    cluster.add("b", "vfio_pci")
    await view.catch_up()
    assert ["a", "b"] == sorted(names(view, view.nodes.bits))
    assert ["b"] == fitting(view)


async def test_a_number_is_used_again_for_another_node(cluster: FakeCluster) -> None:
    view = View(cluster)
    cluster.add("a", "vfio_pci")
    cluster.add("b", "vfio_pci")
    await view.catch_up()
    assert ["a", "b"] == fitting(view)
    del cluster.nodes["a"], cluster.features["a"]
    cluster.add("c")
    await view.catch_up()
    assert ["b"] == fitting(view)
    assert ["b", "c"] == sorted(names(view, view.nodes.bits))


async def test_a_node_that_went_and_came_is_another_one(cluster: FakeCluster) -> None:
    """Nothing is known of it until its own NodeFeature is there again."""
    view = View(cluster)
    cluster.add("a", "vfio_pci")
    await view.catch_up()
    cluster.add("a", "vfio_pci", labels=ARM, known=False)
    del cluster.features["a"]
    await view.catch_up()
    assert [] == fitting(view)
    assert [("linux", "arm64")] == list(view.nodes.platforms(view.nodes.bits))


async def test_features_of_a_node_that_does_not_exist_are_not_known(
    cluster: FakeCluster,
) -> None:
    view = View(cluster)
    cluster.add("a", "vfio_pci")
    del cluster.nodes["a"]
    await view.catch_up()
    assert [] == fitting(view)
    cluster.add("a", "vfio_pci")
    await view.catch_up()
    assert ["a"] == fitting(view)


async def test_what_did_not_change_costs_nothing(cluster: FakeCluster) -> None:
    view = View(cluster)
    cluster.add("a", "vfio_pci")
    cluster.add("b")
    await view.catch_up()
    fitting(view)
    before = view.index.calls, view.index.generation, view.nodes.generation
    cluster.nodes["a"] = replace(cluster.nodes["a"])
    await view.catch_up()
    fitting(view)
    assert before == (view.index.calls, view.index.generation, view.nodes.generation)


async def test_many_changes_are_taken_in_in_portions_and_others_run_between(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 2)
    view = View(cluster)
    for name in "abcde":
        cluster.add(name, "vfio_pci")
    sizes: list[int] = []

    async def watch() -> None:
        while len(view.nodes) < 5:
            sizes.append(len(view.nodes))
            await asyncio.sleep(0)

    await asyncio.gather(view.catch_up(), watch())
    assert [2, 4] == [size for size in sizes if size]
    assert list("abcde") == fitting(view)


async def test_where_nobody_waits_portions_are_smaller(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 4)
    monkeypatch.setattr(module, "ASIDE_SECONDS", 0.0)
    view = View(cluster)
    for name in "abcdef":
        cluster.add(name, "vfio_pci")
    sizes: list[int] = []

    async def watch() -> None:
        while len(view.nodes) < 6:
            sizes.append(len(view.nodes))
            await asyncio.sleep(0)

    await asyncio.gather(view.catch_up(is_urgent=False), watch())
    assert [2, 4] == [size for size in sizes if size]
    assert list("abcdef") == fitting(view)


async def test_a_portion_of_changes_is_taken_in_at_once(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 2)
    view = View(cluster)
    cluster.add("a")
    cluster.add("b")
    with pytest.raises(StopIteration):  # the coroutine ends without waiting
        view.catch_up().send(None)
    assert 2 == len(view.nodes)


async def test_all_who_wait_see_what_came_while_they_waited(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 1)
    view = View(cluster)
    for name in "abde":
        cluster.add(name, "vfio_pci")
    seen: list[list[str]] = []

    async def look() -> None:
        await view.catch_up()
        seen.append(fitting(view))

    first, second = asyncio.create_task(look()), asyncio.create_task(look())
    await asyncio.sleep(0)
    cluster.add("c", "vfio_pci")
    await asyncio.gather(first, second)
    assert [list("abcde")] * 2 == seen


async def test_a_node_that_vanishes_while_it_waits_to_be_taken_in_never_was(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 1)
    view = View(cluster)
    for name in "abc":
        cluster.add(name, "vfio_pci")
    waiting = asyncio.create_task(view.catch_up())
    await asyncio.sleep(0)
    del cluster.nodes["c"], cluster.features["c"]
    await waiting
    assert ["a", "b"] == fitting(view)
    assert 2 == len(view.nodes)


async def test_an_empty_cluster_has_nothing_to_catch_up() -> None:
    class Empty(FakeCluster):
        newest = Snapshot()

        def snapshot(self) -> Snapshot:
            return self.newest

    view = View(Empty())
    await view.catch_up()
    await view.catch_up()
    assert 0 == len(view.nodes)


async def test_what_is_remembered_of_nodes_is_forgotten_when_one_changes(
    cluster: FakeCluster,
) -> None:
    view = View(cluster)
    cluster.add("a")
    await view.catch_up()
    assert not view.labelled("pool")
    assert [Platform("linux", "amd64")] == list(view.platforms(view.nodes.bits))
    assert view.platforms(view.nodes.bits) is view.platforms(view.nodes.bits)
    cluster.add("a", labels={**ARM, "pool": "x"})
    await view.catch_up()
    assert view.labelled("pool")
    assert [Platform("linux", "arm64")] == list(view.platforms(view.nodes.bits))


async def test_so_many_sets_of_nodes_are_remembered(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 1)
    view = View(cluster)
    cluster.add("a")
    cluster.add("b")
    await view.catch_up()
    assert view.platforms(0b01) is view.platforms(0b01)
    assert view.platforms(0b10) is not view.platforms(0b10)
    assert view.platforms(0b10) == view.platforms(0b10)
