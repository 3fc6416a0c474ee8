"""Registries and layouts to write to."""

from pathlib import Path

import pytest

from app.demo.layout import Layout
from app.demo.registry_writing import Writing
from app.oci.writing.folder import LayoutStore
from tests.tools.writable import LIMITS, World, fill, world


@pytest.fixture
def api() -> World:
    """A registry that lists referrers by itself."""
    return world()


@pytest.fixture
def tags() -> World:
    """A registry without a referrers API."""
    made = world(Writing(subjects=False))
    made.registry.api = type(made.registry.api)(referrers=False)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A layout with an image `1`, and an index `multi` of it and another one."""
    layout = Layout(tmp_path / "layout")
    fill(layout)
    layout.close()
    return layout.folder


@pytest.fixture
def layout(folder: Path) -> LayoutStore:
    """The image `1` of the layout."""
    return LayoutStore(folder, "1", LIMITS)
