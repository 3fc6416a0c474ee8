"""Short names of images, as titles of columns."""

import pytest

from app.cli.reports.labels import labels

DIGEST = "sha256:" + "c0ffee12" * 8


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["busybox"], ["busybox"], id="a name"),
        pytest.param(
            ["r.example:5000/a/b:1"], ["b:1"], id="the last part, with its tag"
        ),
        pytest.param([f"r.example/b@{DIGEST}"], ["b@c0ffee12"], id="a short digest"),
        pytest.param([f"r.example/b:1@{DIGEST}"], ["b:1"], id="a tag says enough"),
        pytest.param(
            [f"r.example:5000/b@{DIGEST}"], ["b@c0ffee12"], id="a port is no tag"
        ),
        pytest.param(
            ["x/a/b:1", "y/a/b:1", "z/c:1"],
            ["x/a/b:1", "y/a/b:1", "c:1"],
            id="more of the path where two are alike",
        ),
        pytest.param(
            ["b:1", "x/b:1", "y/x/b:1"],
            ["b:1", "x/b:1", "y/x/b:1"],
            id="a short name keeps its own",
        ),
        pytest.param(
            [f"b:1@{DIGEST}", "b:1", "b:1"],
            ["b:1 #1", "b:1 #2", "b:1 #3"],
            id="numbers where nothing else differs",
        ),
        pytest.param(
            ["oci-layout:///tmp/images:trainer"],
            ["images:trainer"],
            id="a layout's folder",
        ),
    ],
)
def test_names_are_short_and_different(images: list[str], expected: list[str]) -> None:
    assert expected == labels(images)
