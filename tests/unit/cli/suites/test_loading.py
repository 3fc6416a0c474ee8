"""What a suite names, seen from its file."""

from __future__ import annotations

from app.cli.suites import loading
from app.cli.suites.suite import Place, SpecEntry, SpecSource, Suite


def images(file: str, *targets: str) -> list[str]:
    place = Place(file, 1)
    specs = tuple(
        SpecEntry(name=one, place=place, source=SpecSource.IMAGE, target=one)
        for one in targets
    )
    suite = Suite(file=file, name=file, specs=specs)
    return [image for image, _ in loading.images(suite)]


def test_a_reference_is_the_same_from_everywhere() -> None:
    assert ["r.example/a:1"] == images("suites/s.yaml", "r.example/a:1")


def test_a_layout_is_beside_the_suite() -> None:
    layout = "oci-layout://layout:1"
    assert ["oci-layout://suites/layout:1"] == images("suites/s.yaml", layout)
    assert [layout] == images("-", layout)
    assert [layout] == images("s.yaml", layout)
    absolute = "oci-layout:///srv/layout:1"
    assert [absolute] == images("suites/s.yaml", absolute)
