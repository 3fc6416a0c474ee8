"""What is said of nodes whose labels are not known."""

from app.cli.nodes.known import few, named, on_labels
from app.scheduling.node import Node

LINUX = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
TOLD = "are not known: platform taken from features, no taints"
UNTOLD = (
    "is not known, told neither by labels nor by features: images with a spec are "
    "unknown there; add the Node manifests (kubectl get nodes -o yaml), or export "
    "again with a newer tool"
)


def nodes(**labels: dict[str, str]) -> dict[str, Node]:
    return {name: Node(name, found) for name, found in labels.items()}


def test_a_platform_that_features_tell_is_told_from_one_that_nothing_tells() -> None:
    found = on_labels(nodes(b=LINUX, a=LINUX, c={}), {"a", "b", "c"})
    assert [f"labels of a, b {TOLD}", f"platform of c {UNTOLD}"] == list(found)


def test_nodes_with_labels_need_no_word() -> None:
    assert [] == list(on_labels(nodes(a=LINUX), ()))


def test_a_node_without_the_labels_of_its_platform_is_told_of() -> None:
    found = on_labels(nodes(a=LINUX, b={"kubernetes.io/os": "linux"}), ())
    assert [f"platform of b {UNTOLD}"] == list(found)


def test_who_is_not_there_any_more_is_not_told_of() -> None:
    assert [f"labels of a {TOLD}"] == list(on_labels(nodes(a=LINUX), {"a", "gone"}))


def test_few_names_are_told_and_the_rest_counted() -> None:
    assert "a, b, c" == named({"c", "b", "a"})
    assert "b, a, d and 1 more" == few(["b", "a", "d", "c"])
    assert "a and 1,233 more" == few(["a"] * 1_234, 1)
