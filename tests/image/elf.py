"""The libraries that an ELF file (64 bit, little-endian) asks the linker for."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_DYNAMIC_SECTION: Final = 6
_DT_NEEDED: Final = 1


def needed(path: Path) -> frozenset[str]:
    """The names in its DT_NEEDED entries.

    Raises:
        ValueError: it is no such file.
    """
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is no 64-bit, little-endian ELF file")
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", data, start + size * number)
        for number in range(count)
    ]
    names: set[str] = set()
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != _DYNAMIC_SECTION:
            continue
        strings = sections[link][4]
        for tag, value in struct.iter_unpack("<QQ", data[offset : offset + length]):
            if tag == _DT_NEEDED:
                end = data.index(b"\0", strings + value)
                names.add(data[strings + value : end].decode())
    return frozenset(names)
