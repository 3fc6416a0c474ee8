"""The page of endpoints names every field of `/statusz`."""

from pathlib import Path

import msgspec
import pytest

from app import status

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "endpoints.md"
PARTS = (
    status.Status,
    status.Rules,
    status.Nodes,
    status.Watch,
    status.Caches,
    status.Load,
    status.SettingsFile,
    status.Decided,
)


NAMES = {one.encode_name for part in PARTS for one in msgspec.structs.fields(part)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_field_of_statusz_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text()
