from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from app.scheduling import index as module
from app.scheduling.candidates import Options
from app.scheduling.index import NodeIndex
from app.scheduling.node import Node, Taint
from app.scheduling.placement import Placement

ANYWHERE = Placement()
A, B, C = Node("a", {"zone": "1"}), Node("b", {"zone": "2"}), Node("c", {"zone": "2"})
ZONE_2 = Placement(node_selector=(("zone", "2"),))


def index_of(*nodes: Node) -> NodeIndex:
    index = NodeIndex()
    index.update({node.name: node for node in nodes})
    return index


def names(index: NodeIndex, placement: Placement = ANYWHERE) -> list[str]:
    return [node.name for node in index.nodes(index.find(placement).eventual)]


def test_an_index_without_nodes_has_no_candidates() -> None:
    index = NodeIndex()
    assert (0, 0, {}) == (len(index), index.bits, index.find(ZONE_2).excluded)


def test_an_index_finds_by_label() -> None:
    assert ["b", "c"] == names(index_of(A, B, C), ZONE_2)


def test_a_node_that_is_set_is_found_at_once() -> None:
    index = index_of(A, B)
    assert ["b"] == names(index, ZONE_2)
    index.set("c", C)
    assert ["b", "c"] == names(index, ZONE_2)
    index.set("b", Node("b", {"zone": "1"}))
    assert ["c"] == names(index, ZONE_2)


def test_a_node_that_is_removed_is_gone() -> None:
    index = index_of(A, B, C)
    index.remove("b")
    assert ["c"] == names(index, ZONE_2)
    assert index.number("b") is None


def test_removing_a_node_that_is_not_there_changes_nothing() -> None:
    index = index_of(A)
    generation = index.generation
    index.remove("x")
    assert (1, generation) == (len(index), index.generation)


def test_an_update_takes_away_what_it_does_not_name() -> None:
    index = index_of(A, B)
    index.update({"b": B, "c": C})
    assert ["b", "c"] == sorted(names(index))


def test_a_number_is_used_again_and_stands_for_the_new_node_alone() -> None:
    tainted = Node("a", {"zone": "2"}, (Taint("t", "", "NoSchedule"),), True)
    index = index_of(tainted, B)
    assert 0 == index.number("a")
    index.update({"b": B, "c": C})
    assert 0 == index.number("c")
    assert 0b11 == index.bits
    found = index.find(ZONE_2)
    assert (0b11, 0b11) == (found.eventual, found.now)


def test_the_lowest_free_number_comes_first() -> None:
    index = index_of(A, B, C)
    index.remove("c")
    index.remove("a")
    index.set("d", Node("d"))
    assert [0, 1] == [index.number("d"), index.number("b")]


def test_numbers_that_no_node_has_are_passed_over() -> None:
    assert (B,) == index_of(A, B).nodes(0b110)


def test_the_generation_goes_up_with_real_changes_only() -> None:
    index = index_of(A, B)
    before = index.generation
    index.update({"a": A, "b": B})
    index.update({"a": replace(A), "b": replace(B)})
    index.set("a", replace(A))
    assert before == index.generation
    index.set("a", replace(A, unschedulable=True))
    assert before + 1 == index.generation


def test_an_answer_is_the_same_object_until_a_node_changes() -> None:
    index = index_of(A, B)
    first = index.find(ZONE_2)
    assert first is index.find(structs.replace(ZONE_2))
    index.set("a", replace(A))
    assert first is index.find(ZONE_2)
    index.set("a", Node("a"))
    assert first is not index.find(ZONE_2)


def test_options_are_asked_for_each_time() -> None:
    index = index_of(A, Node("v", {"type": "virtual-kubelet"}))
    assert 0b01 == index.find(ANYWHERE).eventual
    assert 0b11 == index.find(ANYWHERE, Options(ignore=())).eventual


def test_a_running_pod_is_another_question() -> None:
    index = index_of(A)
    pod = structs.replace(ZONE_2, node_name="a")
    assert 0 == index.find(pod).eventual
    assert 1 == index.find(pod, is_running=True).eventual


def test_a_label_is_found_whatever_its_value() -> None:
    index = index_of(A, B, Node("x", {"pool": ""}))
    assert [0b011, 0b100, 0] == [index.labelled(key) for key in ("zone", "pool", "x")]


def test_platforms_part_the_nodes_of_a_set() -> None:
    def node(name: str, system: str, architecture: str) -> Node:
        labels = {"kubernetes.io/os": system, "kubernetes.io/arch": architecture}
        return Node(name, labels)

    index = index_of(
        node("a", "linux", "amd64"),
        node("b", "linux", "arm64"),
        node("c", "windows", "amd64"),
        node("d", "linux", "amd64"),
        node("e", "linux", ""),
        node("f", "", "amd64"),
    )
    assert {
        ("linux", "amd64"): 0b1001,
        ("linux", "arm64"): 0b10,
        ("windows", "amd64"): 0b100,
        None: 0b11_0000,
    } == index.platforms(index.bits)
    assert {("linux", "arm64"): 0b10} == index.platforms(0b10)


def test_some_nodes_change_and_others_go_at_once() -> None:
    index = index_of(A, B)
    index.change({"c": C, "a": Node("a", {"zone": "2"})}, ("b", "x"))
    assert ["a", "c"] == sorted(names(index, ZONE_2))
    assert (2, None) == (len(index), index.number("b"))


def test_what_goes_makes_room_for_what_comes() -> None:
    index = index_of(A, B)
    index.change({"c": C}, ("a", "a"))
    assert [0, 1] == [index.number("c"), index.number("b")]


def test_a_node_that_goes_and_comes_back_is_one_that_changed() -> None:
    index = index_of(A, B)
    index.change({"a": Node("a", {"zone": "2"})}, ("a",))
    assert (0, ["a", "b"]) == (index.number("a"), names(index, ZONE_2))


def test_a_number_that_passes_to_an_equal_node_is_a_change() -> None:
    index = index_of(A)
    before = index.generation
    index.change({"z": replace(A, name="z")}, ("a",))
    assert (before + 1, ["z"]) == (index.generation, names(index))


# Numbers of the caller


def test_the_callers_numbers_are_used() -> None:
    index = NodeIndex(number={"a": 5, "b": 3}.__getitem__)
    index.update({"a": A, "b": B})
    assert 0b10_1000 == index.bits
    assert 0b1000 == index.find(ZONE_2).eventual


def test_a_node_moves_with_its_number() -> None:
    numbers = {"a": 0, "b": 1}
    index = NodeIndex(number=numbers.__getitem__)
    index.update({"a": A, "b": B})
    numbers.update(a=1, b=0)
    index.update({"a": replace(A), "b": replace(B)})
    assert 0b01 == index.find(ZONE_2).eventual


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"b": 0}, id="an old node has it"),
        pytest.param({"b": -1}, id="negative"),
        pytest.param({"b": 1, "c": 1}, id="another new node has it"),
    ],
)
def test_a_number_that_is_not_free_changes_nothing(numbers: dict[str, int]) -> None:
    index = NodeIndex(number={"a": 0, **numbers}.__getitem__)
    index.update({"a": A})
    new = {name: node for name, node in (("b", B), ("c", C)) if name in numbers}
    with pytest.raises(ValueError, match=r"of node '[bc]' is not free"):
        index.update({"a": A, **new})
    assert (["a"], 1, None) == (names(index), len(index), index.number("b"))


def test_the_first_names_of_a_set_are_told_in_order() -> None:
    index = NodeIndex()
    index.change({name: Node(name) for name in ("d", "b", "c", "a")})
    assert ["a", "b", "c", "d"] == index.first(0b11_1111, 9)
    assert ["a", "b"] == index.first(index.bits, 2)
    assert ["b"] == index.first(0b0010, 2)
    assert [] == index.first(0, 2)


@pytest.mark.parametrize("few", [3, 4])
def test_large_sets_and_small_ones_are_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(module, "_FEW", few)
    index = NodeIndex()
    index.change({name: Node(name) for name in "hdgbeacf"})
    assert ["b", "d", "g", "h"] == index.first(0b1111, 9)
    assert ["b", "d"] == index.first(0b1111, 2)


def test_the_order_of_names_follows_nodes_that_come_and_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FEW", 0)
    index = NodeIndex()
    index.change({name: Node(name) for name in "bdf"})
    assert ["b", "d", "f"] == index.first(index.bits, 9)
    index.change(
        {"a": Node("a"), "e": Node("e"), "f": Node("f", labels={"x": "y"})}, ("d",)
    )
    assert ["a", "b", "e", "f"] == index.first(index.bits, 9)
    index.change({"a": Node("a")}, ("a",))
    assert ["a", "b", "e", "f"] == index.first(index.bits, 9)
