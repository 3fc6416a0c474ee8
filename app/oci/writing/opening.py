"""Opens a store by the name that a person types.

`oci-layout://FOLDER[:TAG][@DIGEST]` is a layout, anything else a reference.
"""

from __future__ import annotations

from app.oci.credentials import NOTHING, Keyring
from app.oci.shared import Shared
from app.oci.writing.store import Store

OPERATION_SECONDS = 60.0
"""Of one operation, which may take several requests."""


def open_store(
    text: str,
    shared: Shared,
    *,
    keyring: Keyring = NOTHING,
    seconds: float = OPERATION_SECONDS,
    creates: bool = False,
) -> Store:
    """The store of one image; nothing is sent or written yet.

    Args:
        text: `oci-layout://FOLDER[:TAG][@DIGEST]` or an image reference.
        shared: the way to registries; its `limits` hold for layouts, too.
        keyring: credentials beside `shared.operator`.
        seconds: of each operation.
        creates: whether a layout is made where there is none, at the first write.

    Raises:
        RegistryError: it names neither; the reason is `InvalidReference`.
    """
    raise NotImplementedError
