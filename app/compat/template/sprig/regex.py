"""sprig's functions on patterns.

`app.compat.regexp` decides whether a pattern, and a text, mean the same to Go and
to RE2; what it does not vouch for is refused. Positions come from the same engine,
which takes linear time. All functions look at the text as bytes of UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import re2

from app.compat import dialects, regexp
from app.compat.template import runes, strconv
from app.compat.template.limits import CALL, KEPT_PATTERNS, Meter, too_costly
from app.compat.template.refusal import refuse
from app.compat.template.values import (
    INT,
    STRING,
    STRINGS,
    Function,
    GoError,
    Slice,
    Type,
    Value,
    grown,
    slow,
    strings,
)
from app.errors import SpecError

_CONTINUATION: Final = range(0x80, 0xC0)
_COST: Final = 256
"""Instructions of a program that a search passes in one step, for each byte."""

_COMPILE: Final = 32
"""Steps of compiling the shortest pattern."""

MAX_SOURCE_BYTES: Final = 2_048
"""Length of a pattern: to compile a longer one may take tens of milliseconds."""

_VOUCHED: Final = 8
"""Bytes of a text beyond ASCII that are checked in one step."""

_NOT_UTF8: Final = "invalid UTF-8"
_VALID: Final = re.compile("[^\ud800-\udfff]*")

_MESSAGES: Final[tuple[tuple[str, str], ...]] = (
    (
        "missing argument to repetition operator",
        "missing argument to repetition operator",
    ),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("invalid character class range", "invalid character class range"),
    ("invalid character class", "invalid character class"),
    ("invalid escape sequence", "invalid escape sequence"),
    ("invalid named capture group", "invalid named capture"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("missing ]", "missing closing ]"),
    ("missing )", "missing closing )"),
    ("unexpected )", "unexpected )"),
    ("trailing \\", "trailing backslash at end of expression"),
    ("invalid UTF-8", _NOT_UTF8),
)
"""RE2's words for what is wrong with a pattern, and Go's."""

_GO_ONLY_ERRORS: Final = (
    (re.compile(r"\\C"), "invalid escape sequence"),
    (re.compile(r"\{(?:[0-9]+,)?[0-9]{10,}(?:,[0-9]*)?\}"), "invalid repeat count"),
    (re.compile(r"\(\?P?<[^>]*>"), "invalid named capture"),
    (re.compile(r"\\[pP](?:\{[^}]*\}|.)"), "invalid character class range"),
)
"""What RE2 takes and Go does not, and how Go says so."""

_INDEX: Final = re.compile("0|[1-9][0-9]{0,8}")
"""What counts as the number of a group; other words are names."""


class Pattern:
    """A compiled pattern.

    Attributes:
        source: the pattern.
        engine: what finds it.
        size: of its program, in instructions.
        groups: name of a group -> its number.
    """

    def __init__(self, source: bytes) -> None:
        self.source = source
        text = runes.escaped(source)
        try:
            self._vetted: Final = regexp.Vetted(text)
            self.engine: Final = self._vetted.engine(has_groups=True)
        except SpecError as e:
            if e.reason == dialects.UNSUPPORTED:
                refuse("a pattern", e.message)
            raise GoError(_problem(source)) from e
        self.size: Final[int] = self.engine.programsize
        names = self.engine.groupindex.items()
        self.groups = {runes.to_text(name): number for name, number in names}

    def vouch(self, data: bytes) -> None:
        """Refuses a text that Go and RE2 may read differently."""
        text = runes.escaped(data)
        if runes.clean(text) != text:
            refuse("a pattern", "the text is no valid UTF-8")
        try:
            self._vetted.vouch(text)
        except SpecError as e:
            refuse("a pattern", e.message)

    def find(self, meter: Meter, data: bytes, at: int) -> re2._Match | None:
        """The leftmost match from a position on."""
        meter.step(CALL + self.size * (len(data) - at) // _COST)
        return self.engine.search(data, at)

    def matches(self, meter: Meter, data: bytes) -> Iterator[re2._Match]:
        """All matches that Go finds; none empty behind another."""
        if not data.isascii():
            meter.slow(len(data) // _VOUCHED)
            self.vouch(data)
        at, end = 0, -1
        while at <= len(data):
            match = self.find(meter, data, at)
            if match is None:
                return
            start, stop = match.span()
            if stop > start or start != end:
                yield match
            end = stop
            at = stop if stop > at else _after(data, at)


def _after(data: bytes, at: int) -> int:
    """The position behind the rune at `at`."""
    at += 1
    while at < len(data) and data[at] in _CONTINUATION:
        at += 1
    return at


def _problem(source: bytes) -> str:
    """Go's text for a pattern that is none."""
    text = runes.escaped(source)
    shown = runes.clean(text)
    said = _said(source)
    for theirs, ours in _MESSAGES:
        if said.startswith(theirs):
            what = said[len(theirs) :]
            if ours == _NOT_UTF8:
                what = shown[len(_VALID.sub("", text, count=1)) * -1 :]
            return f"error parsing regexp: {ours}: `{what.removeprefix(': ')}`"
    problems = (
        f"error parsing regexp: {ours}: `{found.group()}`"
        for pattern, ours in _GO_ONLY_ERRORS
        if (found := pattern.search(shown))
    )
    return next(problems, f"error parsing regexp: invalid pattern: `{shown}`")


def _said(source: bytes) -> str:
    """RE2's text for a pattern that is none; `""` if it takes it."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = regexp.MAX_MEMORY_BYTES
    try:
        re2._Regexp(source, options)  # noqa: SLF001 - `re2.compile` keeps it
    except re2.error as e:
        return runes.to_text(e.args[0])
    return ""


@lru_cache(maxsize=KEPT_PATTERNS)
def _read(source: bytes) -> Pattern | str | SpecError:
    """A pattern, what Go says of it, or why it is refused."""
    try:
        return Pattern(source)
    except GoError as e:
        return str(e)
    except SpecError as e:
        return e


def _compiled(meter: Meter, source: bytes) -> Pattern:
    if len(source) > MAX_SOURCE_BYTES:
        too_costly(f"a pattern of more than {MAX_SOURCE_BYTES:,} bytes")
    is_new = meter.is_new(source)
    if is_new:
        meter.step(_COMPILE + regexp.price_of_reading(source))
    found = _read(source)
    if is_new:
        meter.step(found.size if isinstance(found, Pattern) else 0)
    if isinstance(found, str):
        raise GoError(found)
    if isinstance(found, SpecError):
        raise SpecError(found.reason, found.message)
    return found


def _must(meter: Meter, source: bytes) -> Pattern:
    """regexp.MustCompile."""
    try:
        return _compiled(meter, source)
    except GoError as e:
        quoted = f"`{runes.escaped(source)}`"
        if not strconv.can_backquote(source):
            quoted = runes.escaped(strconv.quote(source))
        raise GoError(f"regexp: Compile({quoted}): {e}") from e


def match(meter: Meter, source: bytes, data: bytes) -> bool:
    """Whether the pattern is found; a pattern that is none is not."""
    try:
        return must_match(meter, source, data)
    except GoError:
        return False


def must_match(meter: Meter, source: bytes, data: bytes) -> bool:
    """Whether the pattern is found."""
    return next(_compiled(meter, source).matches(meter, data), None) is not None


def _find_all(meter: Meter, pattern: Pattern, data: bytes, count: int) -> Slice:
    found: list[Value] = []
    if count:
        for one in pattern.matches(meter, data):
            found.append(one.group())
            meter.listing(len(found))
            if len(found) == count:
                break
    return grown(STRINGS, found) if found else Slice(STRINGS, [], is_nil=True)


def _find(meter: Meter, pattern: Pattern, data: bytes) -> bytes:
    first = next(pattern.matches(meter, data), None)
    return b"" if first is None else bytes(first.group())


def _replace(
    meter: Meter, pattern: Pattern, data: bytes, expand: Callable[[re2._Match], bytes]
) -> bytes:
    parts: list[bytes] = []
    at = size = 0
    for one in pattern.matches(meter, data):
        start, stop = one.span()
        piece = expand(one)
        parts += (data[at:start], piece)
        size += len(piece)
        if size > meter.limits.string_bytes:
            meter.text(size)
        at = stop
    parts.append(data[at:])
    return meter.join(b"", parts)


def _expand(pattern: Pattern, one: re2._Match, template: str) -> bytes:
    """Go's Expand: `$1`, `${1}`, `$name`, `${name}` and `$$`."""
    parts: list[bytes] = []
    at = 0
    while (dollar := template.find("$", at)) >= 0:
        parts.append(runes.to_bytes(template[at:dollar]))
        name, at = _reference(template, dollar + 1)
        parts.append(b"$" if name is None else _group(pattern, one, name))
    parts.append(runes.to_bytes(template[at:]))
    return b"".join(parts)


def _reference(template: str, at: int) -> tuple[str | None, int]:
    """The name behind a dollar sign, and where the text goes on.

    `None` stands for a dollar sign that means itself.
    """
    if template.startswith("$", at):
        return None, at + 1
    start = at + template.startswith("{", at)
    end = start
    while end < len(template) and runes.is_word(template[end]):
        end += 1
    if end == start or (start > at and not template.startswith("}", end)):
        return None, at
    return template[start:end], end + (start > at)


def _group(pattern: Pattern, one: re2._Match, name: str) -> bytes:
    if _INDEX.fullmatch(name):
        number = int(name)
        is_there = number <= pattern.engine.groups
    else:
        number = pattern.groups.get(name, 0)
        is_there = number > 0
    return (one.group(number) or b"") if is_there else b""


def _split(meter: Meter, pattern: Pattern, data: bytes, count: int) -> Slice:
    if count == 0:
        return Slice(STRINGS, [], is_nil=True)
    if pattern.source and not data:
        return strings([b""])
    parts: list[bytes] = []
    begin = end = 0
    for one in pattern.matches(meter, data):
        if count > 0 and len(parts) == count - 1:
            break
        end, stop = one.span()
        if stop != 0:
            parts.append(data[begin:end])
        begin = stop
        meter.listing(len(parts))
    if end != len(data):
        parts.append(data[begin:])
    return grown(STRINGS, parts)


def quote_meta(data: bytes) -> bytes:
    """The text with everything escaped that means something in a pattern."""
    return re.sub(rb"[\\.+*?()|\[\]{}^$]", rb"\\\g<0>", data)


def _pair(name: str, call: Callable[..., Value], *more: Type) -> dict[str, Function]:
    """A function, and its `must` form, which fails with another text."""

    def plain(meter: Meter, source: bytes, data: bytes, *rest: Value) -> Value:
        return call(meter, _must(meter, source), data, *rest)

    def must(meter: Meter, source: bytes, data: bytes, *rest: Value) -> Value:
        return call(meter, _compiled(meter, source), data, *rest)

    params = (STRING, STRING, *more)
    return {
        name: Function(plain, params),
        f"must{name[0].upper()}{name[1:]}": Function(must, params),
    }


def _replace_all(meter: Meter, pattern: Pattern, data: bytes, by: bytes) -> bytes:
    template = runes.escaped(by)

    def expand(one: re2._Match) -> bytes:
        meter.slow(2 * template.count("$"))
        meter.work(len(template))
        return _expand(pattern, one, template)

    return _replace(meter, pattern, data, expand)


def _replace_literal(meter: Meter, pattern: Pattern, data: bytes, by: bytes) -> bytes:
    return _replace(meter, pattern, data, lambda _one: by)


FUNCTIONS: Final[Mapping[str, Function]] = {
    **_pair("regexFind", _find),
    **_pair("regexFindAll", _find_all, INT),
    **_pair("regexReplaceAll", _replace_all, STRING),
    **_pair("regexReplaceAllLiteral", _replace_literal, STRING),
    **_pair("regexSplit", _split, INT),
    "mustRegexMatch": Function(must_match, (STRING, STRING)),
    "regexMatch": Function(match, (STRING, STRING)),
    "regexQuoteMeta": slow(quote_meta, STRING),
}
"""By name."""
