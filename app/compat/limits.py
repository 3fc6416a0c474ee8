"""How large a spec may be before we refuse to read it.

NFD has no bounds of its own beyond those of its registry client (4 MiB) and of
its YAML library (99 % of the nodes from aliases, nesting of 10,000). A spec is
hostile input to an admission webhook, so each bound here is far above what a
real spec needs and far below what hurts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one spec's text and of what it asks for.

    Attributes:
        bytes: length of the text, in bytes. The largest spec we know has 9 KB;
            256 KiB is parsed in a few hundred milliseconds at worst.
        nodes: YAML nodes after aliases and merge keys are expanded, counted as
            NFD's YAML library counts its decode steps (the document and every
            alias count too). A rule of ten expressions has about 60.
        depth: nested sequences and mappings, aliases expanded. A spec's own
            fields nest 12 deep.
        rules: rules of all sets together.
        terms: terms of `matchFeatures`, those inside `matchAny` included.
        values: operands of all expressions together.
        pattern_bytes: length of one pattern of `InRegexp`, in bytes of UTF-8;
            what a pattern costs to compile grows with it.
    """

    bytes: int = 256 * 1024
    nodes: int = 20_000
    depth: int = 64
    rules: int = 256
    terms: int = 2_048
    values: int = 4_096
    pattern_bytes: int = 1_024


LIMITS: Final = Limits()
"""The bounds that hold unless a caller says otherwise."""
