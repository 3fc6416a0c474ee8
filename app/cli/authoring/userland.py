"""What the distribution inside an image asks of a CPU.

RHEL 9 and its like are built for x86-64-v2, RHEL 10 for x86-64-v3; their C library
refuses to start on less. Their images say so in labels, which images built on them
inherit: `com.redhat.component` (`ubi9-container`), and
`org.opencontainers.image.base.name` of who follows the OCI annotations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_LABELS: Final = ("com.redhat.component", "org.opencontainers.image.base.name")
_RHEL: Final = re.compile(
    r"(?<![a-z])(?:ubi|rhel|almalinux:|rockylinux:|stream)(9|10)(?![0-9])"
)
_LEVELS: Final = {"9": "v2", "10": "v3"}


def level(labels: Mapping[str, str]) -> tuple[str, str]:
    """Level of x86-64 that the labels of an image tell, and the one that does.

    Returns:
        Both empty if none does.
    """
    for name in _LABELS:
        found = _RHEL.search(labels.get(name, ""))
        if found is not None:
            return _LEVELS[found[1]], name
    return "", ""
