"""Patterns of `InRegexp`: found in a text exactly where Go's `regexp` finds them.

The engine is RE2, whose C++ form reads nearly the same syntax as Go's. What it
reads otherwise never reaches it (`dialects`). Matching takes time linear in the
text, whatever the pattern; how much at the most is `Pattern.price`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from app.compat import dialects
from app.compat.dialects import GO_ONLY, invalid, unsupported
from app.compat.template import runes
from app.errors import SpecError

if TYPE_CHECKING:
    import re2

MAX_MEMORY_BYTES: Final = 256 * 1024
"""For the program of one pattern and what matching remembers.

To compile the worst one takes some 10 ms, in which no other thread runs."""

MAX_COMPILED: Final = 128
"""Patterns that stay compiled: at most 32 MiB, were each as bad as can be."""

# What it costs, measured: an operator call is a microsecond, nearly.

SEARCH: Final = 1
"""Calls of a search in the shortest text, besides the operator's own."""

INSTRUCTIONS_PER_CALL: Final = 128
"""Instructions of a program that a search passes in one call, for each byte.

RE2 mostly reads a byte in a nanosecond, whatever the program. Where its states do
not fit into memory it takes 2 to 10 ns for each byte and instruction."""

_TOO_LARGE: Final = 8_192
"""Instructions that count as compiled if they turn out to be too many."""

READ_PER_BYTE: Final = 4
"""Calls that reading a byte of a pattern takes."""

READ_PER_CLASS: Final = 128
r"""Calls that reading a Unicode class (`\pL`) takes."""

_MAX_RUNE_BYTES: Final = 4

MAX_REMEMBERED: Final = 512
"""Texts whose answer a compiled pattern remembers: names of flags and modules are
the same from node to node."""

MAX_REMEMBERED_TEXT: Final = 64
"""Characters of a text that is worth remembering; names are shorter."""

Spend: TypeAlias = Callable[[int], None]
"""Counts work, in operator calls; raises `SpecError` where it is too much."""


def free(_calls: int) -> None:
    """Counts nothing: for whoever has no bound."""


class Vetted:
    """What a pattern is, before an engine reads it.

    Attributes:
        source: the pattern, as the engine reads it.
    """

    __slots__ = ("_is_sensitive", "source")

    def __init__(self, pattern: str) -> None:
        """Reads a pattern for what the two engines take differently.

        Raises:
            SpecError: `INVALID` or `UNSUPPORTED`.
        """
        self.source: Final = runes.to_bytes(pattern)
        dialects.require_agreement(pattern, self.source)
        self._is_sensitive: Final = dialects.is_sensitive(pattern)

    def vouch(self, text: str) -> None:
        """Refuses the few texts with characters that Go and RE2 class differently.

        Raises:
            SpecError: `UNSUPPORTED`.
        """
        if self._is_sensitive and dialects.has_changed(text):
            raise unsupported("text")

    def engine(self, *, has_groups: bool) -> re2._Regexp:
        """The compiled pattern.

        Raises:
            SpecError: `INVALID`, or `UNSUPPORTED`: it is too large.
        """
        import re2  # noqa: PLC0415 - few specs have patterns, and it is slow to load

        options = re2.Options()
        options.log_errors = False
        options.max_mem = MAX_MEMORY_BYTES
        options.never_capture = not has_groups
        try:
            # Not `re2.compile`, which keeps what it has compiled.
            return re2._Regexp(self.source, options)  # noqa: SLF001 - see above
        except re2.error as error:
            if b"too large" in error.args[0]:
                raise unsupported("size") from None
            raise invalid() from error


class Pattern:
    """A compiled pattern: called, it tells whether it is found in a text.

    That raises `SpecError` with reason `UNSUPPORTED` for texts as of `Vetted.vouch`.

    Attributes:
        size: of its program, in instructions.
    """

    __slots__ = ("_engine", "_remembered", "_vetted", "size")

    def __init__(self, vetted: Vetted) -> None:
        self._vetted: Final = vetted
        self._engine: Final = vetted.engine(has_groups=False)
        self._remembered: Final = lru_cache(maxsize=MAX_REMEMBERED)(self._search)
        self.size: Final[int] = self._engine.programsize

    def __call__(self, text: str) -> bool:
        """Whether it is found."""
        is_short = len(text) <= MAX_REMEMBERED_TEXT
        return self._remembered(text) if is_short else self._search(text)

    def price(self, text: str) -> int:
        """What one search costs at the most, in operator calls."""
        size = len(text) if text.isascii() else _MAX_RUNE_BYTES * len(text)
        return SEARCH + self.size * (size + 1) // INSTRUCTIONS_PER_CALL

    def _search(self, text: str) -> bool:
        self._vetted.vouch(text)
        return self._engine.search(runes.clean(text).encode()) is not None


class _Kept:
    """A pattern, compiled when it is first needed, or why it cannot be."""

    __slots__ = ("_pattern", "found")

    def __init__(self, pattern: str) -> None:
        self._pattern: Final = pattern
        self.found: Pattern | tuple[str, str] | None = None

    def read(self, spend: Spend) -> Pattern | tuple[str, str]:
        """The pattern, or reason and message of the error; compiles."""
        spend(price_of_reading(runes.to_bytes(self._pattern)))
        found: Pattern | tuple[str, str]
        try:
            found = Pattern(Vetted(self._pattern))
        except SpecError as error:
            found = error.reason, error.message
        self.found = found
        spend(_size(found))
        return found


_kept = lru_cache(maxsize=MAX_COMPILED)(_Kept)


def compiled(pattern: str, spend: Spend = free) -> Pattern:
    """A pattern, compiled unless it still is.

    Args:
        pattern: the pattern.
        spend: counts what compiling costs, in operator calls.

    Raises:
        SpecError: reason `INVALID` (Go takes it no more than we do), `UNSUPPORTED`
            (Go does), or what `spend` raises.
    """
    kept = _kept(pattern)
    found = kept.found or kept.read(spend)
    if isinstance(found, Pattern):
        return found
    raise SpecError(*found)


def forget() -> None:
    """Gives up what is compiled."""
    _kept.cache_clear()


def price_of_reading(source: bytes) -> int:
    """What reading a pattern costs at the most, in operator calls.

    Compiling it counts one for each instruction besides.
    """
    return READ_PER_BYTE * len(source) + READ_PER_CLASS * dialects.classes(source)


def _size(found: Pattern | tuple[str, str]) -> int:
    """Instructions that were compiled."""
    if isinstance(found, Pattern):
        return found.size
    return _TOO_LARGE if GO_ONLY["size"] in found else 0
