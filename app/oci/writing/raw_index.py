"""An index that is changed without touching what is not ours.

Entries and fields that we do not know stay byte for byte as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import msgspec

from app.errors import RegistryError
from app.oci.images.manifests import OCI_INDEX, Descriptor
from app.oci.writing import encoding

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entries: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
_entry: Final = msgspec.json.Decoder(Descriptor)
_MANIFESTS: Final = "manifests"


@dataclass(frozen=True)
class RawIndex:
    """An index; each change makes a new one.

    Attributes:
        fields: name -> value as JSON, all but `manifests`, in order.
        entries: each as JSON.
        place: of `manifests` among the fields.
    """

    fields: tuple[tuple[str, bytes], ...]
    entries: tuple[bytes, ...] = ()
    place: int = 2

    @classmethod
    def empty(cls) -> Self:
        """As `oras` begins one."""
        kind = encoding.dump(OCI_INDEX)
        return cls((("schemaVersion", b"2"), ("mediaType", kind)))

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Reads an index.

        Raises:
            RegistryError: it is none; the reason is `InvalidManifest`.
        """
        try:
            fields = _fields.decode(content)
            names = list(fields)
            place = names.index(_MANIFESTS) if _MANIFESTS in names else len(names)
            listed = _entries.decode(fields.pop(_MANIFESTS, msgspec.Raw(b"null")))
            entries = tuple(bytes(one) for one in listed or ())
            for one in entries:
                _entry.decode(one)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RegistryError("InvalidManifest", "not a valid index") from error
        kept = tuple((name, bytes(one)) for name, one in fields.items())
        return cls(kept, entries, place)

    def lists(self, digest: str) -> bool:
        """Whether an entry has this digest."""
        return any(one.digest == digest for one in self.descriptors)

    @property
    def descriptors(self) -> tuple[Descriptor, ...]:
        """The entries, decoded."""
        return tuple(_entry.decode(one) for one in self.entries)

    def named(self, key: str, value: str) -> tuple[str, ...]:
        """Digests of the entries that have this annotation."""
        return tuple(
            one.digest
            for one in self.descriptors
            if (one.annotations or {}).get(key) == value
        )

    def adding(self, entry: Mapping[str, object]) -> RawIndex:
        """With one more entry, at the end."""
        return replace(self, entries=(*self.entries, encoding.dump(entry)))

    def without(self, digest: str) -> RawIndex:
        """Without the entries of this digest."""
        kept = (one for one in self.entries if _entry.decode(one).digest != digest)
        return replace(self, entries=tuple(kept))

    def without_named(self, key: str, value: str) -> RawIndex:
        """Without the entries that have this annotation."""
        kept = (
            one
            for one in self.entries
            if (_entry.decode(one).annotations or {}).get(key) != value
        )
        return replace(self, entries=tuple(kept))

    def encode(self) -> bytes:
        """As JSON."""
        listed = b"[" + b",".join(self.entries) + b"]"
        fields = list(self.fields)
        fields.insert(self.place, (_MANIFESTS, listed))
        pairs = (encoding.dump(name) + b":" + value for name, value in fields)
        return b"{" + b",".join(pairs) + b"}"
