"""Digests: what content is asked for by, and checked against."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_LENGTHS: Final = {"sha256": 64, "sha512": 128}
_HEX: Final = re.compile(r"[a-f0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """An algorithm and a hash in lower case hex; safe as part of a path."""

    algorithm: str
    encoded: str

    @classmethod
    def parse(cls, text: str) -> Digest | None:
        """Reads `sha256:...` or `sha512:...`; `None` for anything else."""
        algorithm, _, encoded = text.partition(":")
        length = _LENGTHS.get(algorithm)
        if len(encoded) != length or not _HEX.fullmatch(encoded):
            return None
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, content: bytes) -> Digest:
        """The sha256 digest of `content`."""
        return cls("sha256", hashlib.sha256(content).hexdigest())

    def matches(self, content: bytes) -> bool:
        """Whether `content` hashes to this digest."""
        return hashlib.new(self.algorithm, content).hexdigest() == self.encoded

    @property
    def fallback_tag(self) -> str:
        """The tag of the referrers tag schema (OCI distribution-spec 1.1)."""
        return f"{self.algorithm[:32]}-{self.encoded[:64]}"

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"
