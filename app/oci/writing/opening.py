"""Opens a store by the name that a person types.

`oci-layout://FOLDER[:TAG][@DIGEST]` is a layout, anything else a reference.
"""

from __future__ import annotations

from typing import Final

from app.oci import layout
from app.oci.credentials import NOTHING, Keyring
from app.oci.images import reference
from app.oci.registry.shared import Shared
from app.oci.writing.folder import LayoutStore
from app.oci.writing.remote import WINDOW_SECONDS, RemoteStore
from app.oci.writing.store import Store

OPERATION_SECONDS: Final = 60.0
"""Of one operation, which may take several requests."""


def open_store(
    text: str,
    shared: Shared,
    *,
    keyring: Keyring = NOTHING,
    seconds: float = OPERATION_SECONDS,
    creates: bool = False,
    window_seconds: float = WINDOW_SECONDS,
) -> Store:
    """The store of one image; nothing is sent or written yet.

    Args:
        text: `oci-layout://FOLDER[:TAG][@DIGEST]` or an image reference.
        shared: the way to registries; its `limits` hold for layouts, too.
        keyring: credentials beside `shared.operator`.
        seconds: of each operation.
        creates: whether a layout is made where there is none, at the first write.
        window_seconds: from reading a fallback tag to the end of writing it.

    Raises:
        RegistryError: it names neither; the reason is `InvalidReference`.
    """
    if not text.startswith(layout.SCHEME):
        return RemoteStore(
            shared,
            reference.parse(text),
            name=text,
            keyring=keyring,
            seconds=seconds,
            window_seconds=window_seconds,
        )
    folder, wanted = layout.split(text)
    return LayoutStore(
        folder, wanted, shared.limits, name=text, seconds=seconds, creates=creates
    )
