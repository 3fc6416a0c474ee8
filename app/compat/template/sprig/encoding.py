"""sprig's encodings and checksums. A text that cannot be decoded gives Go's error."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from app.compat.template.values import STRING, Function, pure, slow

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_NEWLINES: Final = b"\r\n"
_PAD: Final = ord("=")
_GROUP64: Final = 4
_GROUP32: Final = 8
_FEWEST: Final = 2
"""Letters that make a byte."""


class CorruptError(ValueError):
    """`args[0]` is the position that Go names."""


def decode_base64(data: bytes) -> bytes:
    """Go's base64.StdEncoding.DecodeString.

    Raises:
        CorruptError: it is no base64.
    """
    items = [(i, letter) for i, letter in enumerate(data) if letter not in _NEWLINES]
    places = [i for i, _ in items] + [len(data)]
    letters = bytes(letter for _, letter in items)
    count = len(letters) - len(letters.lstrip(_BASE64))
    left = count % _GROUP64
    if count == len(letters):
        if left:
            raise CorruptError(len(data) - left)
        return base64.b64decode(letters)
    if letters[count] != _PAD or left < _FEWEST:
        raise CorruptError(places[count])
    end = count + 1
    if left == _FEWEST:
        if end == len(letters):
            raise CorruptError(len(data))
        if letters[end] != _PAD:
            raise CorruptError(places[end] - 1)
        end += 1
    if end < len(letters):
        raise CorruptError(places[end])
    return base64.b64decode(letters)


def decode_base32(data: bytes) -> bytes:
    """Go's base32.StdEncoding.DecodeString.

    Raises:
        CorruptError: it is no base32; positions do not count newlines.
    """
    letters = bytes(letter for letter in data if letter not in _NEWLINES)
    count = len(letters) - len(letters.lstrip(_BASE32))
    start, left = count - count % _GROUP32, count % _GROUP32
    whole = base64.b32decode(letters[:start])
    if count == len(letters):
        if left:
            raise CorruptError(count - left)
        return whole
    after = len(letters) - count - 1
    if letters[count] != _PAD or left < _FEWEST or after >= _GROUP32:
        raise CorruptError(count)
    if after + left < _GROUP32 - 1:
        raise CorruptError(len(letters))
    for index, letter in enumerate(letters[count + 1 : start + _GROUP32]):
        if letter != _PAD:
            raise CorruptError(count + index)
    if left in {3, 6}:
        raise CorruptError(count)
    return whole + base64.b32decode(letters[start:count].ljust(_GROUP32, b"="))


def _decoder(name: str, decode: Callable[[bytes], bytes]) -> Function:
    def call(data: bytes) -> bytes:
        try:
            return decode(data)
        except CorruptError as e:
            return f"illegal {name} data at input byte {e}".encode()

    return slow(call, STRING)


def _hash(name: str) -> Function:
    def call(data: bytes) -> bytes:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest().encode()

    return pure(call, STRING)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "adler32sum": pure(lambda data: b"%d" % zlib.adler32(data), STRING),
    "b32dec": _decoder("base32", decode_base32),
    "b32enc": slow(base64.b32encode, STRING),
    "b64dec": _decoder("base64", decode_base64),
    "b64enc": pure(base64.b64encode, STRING),
    "sha1sum": _hash("sha1"),
    "sha256sum": _hash("sha256"),
    "sha512sum": _hash("sha512"),
}
"""By name."""
