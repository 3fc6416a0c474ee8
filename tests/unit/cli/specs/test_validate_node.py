"""`validate-node --image`: the spec is the image's, in a layout here."""

import json
from pathlib import Path

import pytest

from app.demo.layout import Layout
from tests.unit.cli.conftest import Run
from tests.unit.cli.specs.conftest import SPEC, Images


@pytest.fixture
def node(tmp_path: Path) -> str:
    """Features of a node with five sockets: it fits `OTHER` and not `SPEC`."""
    path = tmp_path / "features.json"
    attributes = {"cpu.topology": {"elements": {"socket_count": "5"}}}
    path.write_text(json.dumps({"attributes": attributes}))
    return str(path)


@pytest.mark.parametrize(
    ("image", "platform", "expected"),
    [
        pytest.param("app", "", 1, id="manifest"),
        pytest.param("multi", "", 1, id="index"),
        pytest.param("multi", "linux/amd64", 1, id="platform-of-the-index"),
        pytest.param("multi", "linux/arm64", 0, id="platform-of-its-own"),
    ],
)
def test_the_images_own_spec_is_judged(
    image: str, platform: str, expected: int, node: str, images: Images, run: Run
) -> None:
    name: str = getattr(images, image)
    more = ["--platform", platform] if platform else []
    ran = run("validate-node", "--image", name, "--features", node, *more)
    assert expected == ran.status
    assert ran.out.endswith("fits\n" if expected == 0 else "does not fit\n")
    assert "cpu.topology" in ran.out


def test_the_report_is_nfds(node: str, images: Images, run: Run) -> None:
    ran = run(
        "validate-node", "--image", images.app, "--features", node, "--output-json"
    )
    assert [False] == [one["rules"][0]["isMatch"] for one in json.loads(ran.out)]


@pytest.mark.parametrize(
    ("options", "out"),
    [((), "features.json)\n\nfits\n"), (("--output-json",), "[]")],
)
def test_an_image_without_a_spec_asks_for_nothing(
    options: tuple[str, ...], out: str, node: str, images: Images, run: Run
) -> None:
    ran = run("validate-node", "--image", images.bare, "--features", node, *options)
    assert 0 == ran.status
    assert ran.out.endswith(out)
    assert "no compatibility spec is attached" in ran.err


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        pytest.param((), 2, "expected --spec FILE or --image REFERENCE", id="neither"),
        pytest.param(
            ("--image", "{app}", "--spec", "-"),
            2,
            "--spec and --image: only one of them",
            id="both",
        ),
        pytest.param(("--image", "X"), 2, "not an image reference", id="no-reference"),
        pytest.param(
            ("--image", "{multi}", "--platform", "linux/s390x"),
            2,
            "lacks this platform",
            id="no-such-platform",
        ),
        pytest.param(
            ("--image", "{multi}", "--platform", "linux/"),
            2,
            "not a platform",
            id="no-platform",
        ),
        pytest.param(
            ("--image", "{multi}", "--platform", "s390x"),
            2,
            "lacks this platform",
            id="an-operating-system",
        ),
        pytest.param(("--image", "{app}-2"), 3, "has no", id="no-such-tag"),
    ],
)
def test_what_cannot_be_judged_is_no_verdict(
    options: tuple[str, ...],
    status: int,
    text: str,
    node: str,
    images: Images,
    run: Run,
) -> None:
    names = {"app": images.app, "multi": images.multi}
    given = (one.format(**names) for one in options)
    ran = run("validate-node", "--features", node, *given)
    assert (status, "") == (ran.status, ran.out)
    assert text in ran.err


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param(b"", "1:1: the spec has no compatibility sets", id="empty"),
        pytest.param(
            SPEC.replace(b"compatibilities", b"compatibilites"),
            '2:1: unknown key "compatibilites"',
            id="misspelt",
        ),
        pytest.param(b"a: [", "2:1: ", id="no-yaml"),
    ],
)
def test_an_attached_spec_that_asks_for_nothing_is_bad_input(
    spec: bytes, problem: str, node: str, tmp_path: Path, run: Run
) -> None:
    """As `validate-spec` has it; NFD finds no set that fits in the first two."""
    layout = Layout(tmp_path / "odd")
    image = layout.image("amd64", "app")
    layout.tag(image, "app")
    layout.attach(image, spec, created="2026-03-01T00:00:00Z")
    layout.close()
    name = f"oci-layout://{tmp_path}/odd:app"
    ran = run("validate-node", "--image", name, "--features", node)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"imagecompat: {name}:{problem}")
    assert 1 == len(ran.err.splitlines())
