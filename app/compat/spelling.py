"""The text of a spec, and other ways to spell it.

libyaml 0.2.5 refuses or misreads some texts that goyaml.v2 takes
(`yaml_nodes` lists them). Such a place is spelled differently, one character for
one character where possible so that marks stay right: a stand-in that does not
occur in the text takes the place of the character, and `restore` turns it back
in the values that are read.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_PRIVATE_USE: Final = range(0xE000, 0xF8FF)
_BOM: Final = "\N{BOM}"

_COLON_IN_PLAIN: Final = re.compile(
    r"(?P<keep>[*&!][^\s:]*:)|(?<=[^\s\"'\[\]{},:?]):(?=[,?\[\]{}])"
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


class Text:
    """A YAML text, decoded; indexes count characters after a byte order mark.

    Attributes:
        content: the text as it is to be parsed.
        respelled: whether values must go through `restore`.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.respelled = False
        self._decoded: str | None = None
        self._stand_ins: dict[str, str] = {}
        self._quote_stand_in = ""
        if not content.isascii() and _BOM in self.decoded:
            self._spell(self.decoded.replace(_BOM, self._stand_in_for(_BOM)))

    @property
    def decoded(self) -> str:
        """The characters; a byte that belongs to none is U+FFFD or a surrogate."""
        if self._decoded is None:
            self._decoded = decode(self.content)
        return self._decoded

    def spell_colons(self, index: int) -> None:
        """Hides the `:` at `index`, and others like it, from the scanner."""
        stand_in = self._stand_in_for(":")
        text = self.decoded[:index] + stand_in + self.decoded[index + 1 :]
        self._spell(_COLON_IN_PLAIN.sub(lambda found: found["keep"] or stand_in, text))

    def spell_quotes(self) -> None:
        r"""Hides the backslash of every `\'` from the scanner."""
        stand_in = self._quote_stand_in = self._stand_in_for("\\")
        self._spell(
            _ESCAPE.sub(
                lambda found: stand_in + "'" if found[1] == "'" else found[0],
                self.decoded,
            )
        )

    def spell_tag(self, index: int) -> None:
        """Writes the flow indicator at `index`, inside a tag, as a URI escape."""
        text = self.decoded
        self._spell(text[:index] + f"%{ord(text[index]):02X}" + text[index + 1 :])

    def restore(self, value: str, *, double_quoted: bool) -> str:
        """The value as the author spelled it."""
        if double_quoted and self._quote_stand_in:
            value = value.replace(self._quote_stand_in, "")
        for stand_in, original in self._stand_ins.items():
            value = value.replace(stand_in, original)
        return value

    def _spell(self, text: str) -> None:
        self._decoded = text
        self.content = text.encode("utf-8", "surrogateescape")
        self.respelled = True

    def _stand_in_for(self, original: str) -> str:
        """A character that the text neither holds nor can produce by an escape."""
        for known, meaning in self._stand_ins.items():
            if meaning == original:
                return known
        lowered = self.decoded.lower()
        free = next(
            chr(code)
            for code in _PRIVATE_USE
            if chr(code) not in lowered
            and f"{code:x}" not in lowered
            and chr(code) not in self._stand_ins
        )
        self._stand_ins[free] = original
        return free


def decode(content: bytes) -> str:
    """As libyaml decodes: UTF-8, or UTF-16 by its byte order mark."""
    for mark, encoding in (
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, "replace")
    raw = content.removeprefix(codecs.BOM_UTF8)
    return raw.decode("utf-8", "surrogateescape")
