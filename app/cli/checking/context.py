"""The namespace that kubectl would mean: that of a kubeconfig's context.

What is wrong with a kubeconfig is told by who connects with it; here it only has no
namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MAX_BYTES: Final = 4 << 20


def namespace(kubeconfig: Path | None, context: str | None) -> str | None:
    """The namespace of a context; `None` if it says none.

    Args:
        kubeconfig: a file; `None` for none.
        context: of that file; `None` for its current one.
    """
    found = {} if kubeconfig is None else _read(kubeconfig)
    wanted = context or found.get("current-context")
    contexts = found.get("contexts")
    for one in contexts if isinstance(contexts, list) else ():
        if isinstance(one, Mapping) and one.get("name") == wanted:
            inner = one.get("context")
            named = inner.get("namespace") if isinstance(inner, Mapping) else None
            return named if isinstance(named, str) and named else None
    return None


def _read(path: Path) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - not always asked

    try:
        with path.open("rb") as file:
            found = yaml.load(file.read(MAX_BYTES), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}
