"""Opening a store by the name that a person types."""

from pathlib import Path

import pytest

from app.errors import RegistryError
from app.oci.writing.folder import LayoutStore
from app.oci.writing.opening import open_store
from app.oci.writing.remote import RemoteStore
from tests.tools.writable import DATE, SPEC, World, attach


def test_a_reference_is_a_registry(api: World) -> None:
    store = open_store("nginx", api.shared())
    assert isinstance(store, RemoteStore)
    assert "nginx" == store.name
    assert "registry-1.docker.io/library/nginx" == store.place


async def test_a_layout_is_a_folder(api: World, folder: Path) -> None:
    text = f"oci-layout://{folder}:multi"
    store = open_store(text, api.shared())
    assert isinstance(store, LayoutStore)
    assert (text, str(folder)) == (store.name, store.place)
    assert (await attach(store, SPEC, created=DATE)).is_index


async def test_a_layout_can_be_made(api: World, tmp_path: Path) -> None:
    store = open_store(f"oci-layout://{tmp_path}/new", api.shared(), creates=True)
    await store.edit_tag("t", lambda _: b"{}", most_bytes=9)
    assert (tmp_path / "new" / "oci-layout").is_file()


@pytest.mark.parametrize("text", ["a/UPPER", "oci-layout://", "a b"])
def test_what_names_neither_is_refused(api: World, text: str) -> None:
    with pytest.raises(RegistryError) as error:
        open_store(text, api.shared())
    assert "InvalidReference" == error.value.reason
