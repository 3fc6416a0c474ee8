"""Patterns that are found in names with a dash only."""

from __future__ import annotations

import pytest

from app.compat.lint import dashes
from tests.unit.compat.lint.examples import codes, of_names


@pytest.mark.parametrize(
    "pattern",
    [
        *("vfio-pci", "^vfio-pci$", r"^vfio\-pci$", "^vfio[-]pci$", r"vfio[\-]pci"),
        *(r"a\x2db", "a(-)b", "a(?:-)b", "a(?P<n>-)b", "(?i)a-b", "a-+b", "a-{1,2}b"),
        *("a-b|c-d", "(a-b|c-d)", "a-b?", "-)", "(-|x-)", "a-b*", "x?-"),
    ],
)
def test_a_pattern_that_needs_a_dash(pattern: str) -> None:
    assert dashes.needs_dash(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *("^vfio[-_]pci$", "^vfio(-|_)pci$", "^(vfio-pci|vfio_pci)$", "vfio.pci"),
        *("a-?b", "a-*b", "a-{0,1}b", "a-{0}b", "a(-x)?b", "a-b|c", "", "[]-]x"),
        *("[^-]", r"[\]-]", "[[:alpha:]-]", r"a\.b", "(?i-s)a", "(?i-s:a)", "[" * 9),
        *("(?P<a_b>x)", "((-)?)", ")"),
    ],
)
def test_a_pattern_that_needs_none(pattern: str) -> None:
    assert not dashes.needs_dash(pattern)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('{op: In, value: ["vfio_pci", "vfio-pci"]}', []),
        ('{op: In, value: ["nvme", "vfio-pci"]}', ["module-dash"]),
        ('{op: InRegexp, value: ["^vfio(-|_)pci$"]}', []),
        ('{op: InRegexp, value: ["^(vfio-pci|vfio_pci)$"]}', []),
        ('{op: InRegexp, value: ["^vfio-pci$", "^vfio_pci$"]}', []),
        ('{op: InRegexp, value: ["^vfio-pci$", "^nvme$"]}', ["module-dash"]),
    ],
)
def test_a_name_beside_it_that_has_no_dash_is_enough(
    expression: str, expected: list[str]
) -> None:
    assert expected == codes(of_names("kernel.loadedmodule", expression))
