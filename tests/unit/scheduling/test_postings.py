from __future__ import annotations

import pytest

from app.bits import bits_in, numbers
from app.scheduling.node import Node, Taint
from app.scheduling.postings import _AT_ONCE, Postings


def postings(*labels: dict[str, str]) -> Postings:
    found = Postings()
    nodes = [Node(f"n{number}", each) for number, each in enumerate(labels)]
    found.change({number: (None, node) for number, node in enumerate(nodes)})
    return found


def test_a_value_that_one_node_has_is_kept_as_its_number() -> None:
    found = postings(*({"host": f"h{number}"} for number in range(200)))
    assert {f"h{number}": ~number for number in range(200)} == found.labels[
        "host"
    ].nodes


def test_a_number_that_another_node_takes_over_is_cleared_everywhere() -> None:
    old = Node("a", {"x": "1", "y": "1"}, (Taint("t", "v", "e"),), unschedulable=True)
    new = Node("b", {"x": "2"})
    found = Postings()
    found.change({7: (None, old)})
    found.change({7: (old, new)})
    assert (1 << 7, 0) == (found.bits, found.cordoned)
    assert {"x": {"2": ~7}} == {
        key: values.nodes for key, values in found.labels.items()
    }
    assert [] == list(found.taints.items())


def test_a_key_that_no_node_has_any_more_is_dropped() -> None:
    found = postings({"a": "1"}, {"a": "1", "b": ""})
    found.change({1: (Node("n1", {"a": "1", "b": ""}), None)})
    assert ["a"] == [key for key, _ in found.labels.items()]
    assert 0 == found.labels["b"].present


def test_two_values_of_one_taint_are_one_node() -> None:
    taints = (Taint("t", "a", "e"), Taint("t", "b", "e"))
    node = Node("n", taints=taints)
    found = Postings()
    found.change({2: (None, node)})
    assert ~2 == found.taints["t", "e", 0].present
    found.change({2: (node, Node("n", taints=taints[:1]))})
    assert (~2, {"a": ~2}) == (
        found.taints["t", "e", 0].present,
        found.taints["t", "e", 0].nodes,
    )


@pytest.mark.parametrize("count", [1, 127, 128, 129, 256, 300])
def test_comparisons_count_on_both_sides_of_a_sum(count: int) -> None:
    values = postings(*({"n": str(number)} for number in range(count))).labels["n"]
    for bound in {0, 1, 127, 128, 129, count - 1, count}:
        assert list(range(min(bound, count))) == numbers(values.less(bound))
        assert list(range(bound + 1, count)) == numbers(values.greater(bound))


def test_comparisons_follow_values_that_come_and_go() -> None:
    found = postings({"n": "1"}, {"n": "x"}, {"n": "+3"})
    values = found.labels["n"]
    assert [2] == numbers(values.greater(1))
    one, word, three = (Node(f"n{i}", {"n": v}) for i, v in enumerate(("1", "x", "+3")))
    found.change(
        {
            0: (one, Node("n0", {"n": "9"})),
            1: (word, Node("n1", {"n": "7"})),
            2: (three, Node("n2", {"n": "9"})),
            3: (None, Node("n3", {"n": "word"})),
        }
    )
    assert [0, 1, 2] == numbers(values.greater(6))
    assert [0, 2] == numbers(values.greater(7))
    assert [1] == numbers(values.less(9))


def test_the_beta_label_counts_where_the_other_is_absent_or_empty() -> None:
    new, old = "kubernetes.io/os", "beta.kubernetes.io/os"
    found = postings(
        {new: "linux", old: "windows"},
        {old: "windows"},
        {new: "", old: "windows"},
        {new: ""},
        {},
        {old: "linux"},
    )
    assert {"linux": [0, 5], "windows": [1, 2], "": [3, 4]} == {
        value: numbers(bits) for value, bits in found.by_label("os").items()
    }


def test_sets_of_keys_are_short_where_one_node_has_the_key() -> None:
    found = postings({}, {}, {"rare": "x"})
    assert (~2, 0b100) == (
        found.labels["rare"].present,
        bits_in(found.labels["rare"].present),
    )


@pytest.mark.parametrize("count", [1, 128, 129, 300])
def test_values_of_one_node_each_are_joined(count: int) -> None:
    values = postings(*({"host": f"h{number}"} for number in range(300))).labels["host"]
    wanted = [f"h{number}" for number in range(count)]
    assert list(range(count)) == numbers(values.having([*wanted, "absent"]))


def test_more_changes_than_are_made_at_once_are_made() -> None:
    nodes = [Node(f"n{number}", {"host": f"h{number}", "a": ""}) for number in range(9)]
    many = {number: (None, nodes[number % 9]) for number in range(_AT_ONCE + 9)}
    found = Postings()
    assert found.change(many)
    assert _AT_ONCE + 9 == found.bits.bit_count()
    assert found.bits == found.labels["a"].present
    assert [0, 9, 18] == numbers(found.labels["host"].nodes["h0"])[:3]
    assert not found.change({0: (nodes[0], nodes[0])})
