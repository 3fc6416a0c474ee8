"""Any host: files with what a parser may stumble over, for property tests."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from app.compat.template import runes
from tests.tools import host_trees

_SPACES: Final = (" ", "\t", "\r", "\v", "\x1c", "\x85", "\u00a0", "\u2003", "\ufeff")
_ODD: Final = ("\udcff", "\udce2\udc82", "é", "🙂", "<&>", "\u2028", "\x00", "\x7f")


def _text(*words: str, lines: int = 6) -> st.SearchStrategy[str]:
    """Lines of these words, of white space and of what is odd."""
    word = st.sampled_from((*words, *words, *_SPACES, *_ODD))
    line = st.lists(word, max_size=5).map("".join)
    return st.lists(line, max_size=lines).map("\n".join)


_VALUE: Final = _text("0x", "1", "03", "0000", "up", "-1", lines=2)
_WORDS: Final = _text("a", "_", "-", "1", ".ko", "/", " ", "Live")
_CONFIG: Final = _text("CONFIG_", "A", "=", '"', "y", "#", "is not set")
_OS_RELEASE: Final = _text("ID", "VERSION_ID", "=", '"', "'", "24", ".", "04", "x")
_FEATURES: Final = _text(
    "# +",
    "no-label",
    "no-feature",
    "expiry-time",
    "=",
    "2001-01-01T00:00:00Z",
    "2999-01-01T00:00:00Z",
    "#",
    "a",
    "vendor.io/b",
    lines=14,
)
_RELEASE: Final = st.one_of(
    st.just("6.8.0-52-generic\n"),
    st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,4}[-+_.]?[a-z0-9+]{0,4}\n?"),
    _text("6", ".", "-", "+", "_", "x", lines=1),
).filter(lambda text: "/" not in text)

_FILES: Final = {
    host_trees.RELEASE: _RELEASE,
    "/proc/modules": _WORDS,
    "/proc/swaps": _WORDS,
    "/lib/modules/6.8.0-52-generic/modules.builtin": _WORDS,
    "/boot/config-6.8.0-52-generic": _CONFIG,
    "/usr/src/linux/.config": _CONFIG,
    "/etc/os-release": _OS_RELEASE,
    "/sys/fs/selinux/enforce": _VALUE.filter(bool),
    f"{host_trees.FEATURES}/a": _FEATURES,
    f"{host_trees.FEATURES}/b": _FEATURES,
    f"{host_trees.HUGE}/hugepages-2048kB/nr_hugepages": _VALUE,
    f"{host_trees.ND}/x/mode": _VALUE,
    f"{host_trees.NET}/eth0/device/sriov_numvfs": _VALUE,
    f"{host_trees.NET}/eth0/speed": _VALUE,
    f"{host_trees.BLOCK}/sda/queue/zoned": _VALUE,
    f"{host_trees.DMI}/product_name": _VALUE,
    f"{host_trees.USB}/1-1/idProduct": _VALUE,
    f"{host_trees.USB}/1-1/bDeviceClass": st.just("00\n") | _VALUE,
    f"{host_trees.USB}/1-1/i/bInterfaceClass": _VALUE,
} | {
    f"{host_trees.PCI}/0000:00:00.0/{name}": _VALUE
    for name in ("class", "vendor", "device", "subsystem_vendor", "subsystem_device")
}


def hosts() -> st.SearchStrategy[dict[str, str]]:
    """Files that differ from those of `host_trees.BASE`.

    Left out is what the real client crashes at: a line of white space among the
    loaded modules, and an empty `enforce`.
    """
    return st.fixed_dictionaries({}, optional=_FILES).filter(_is_survived)


def _is_survived(files: dict[str, str]) -> bool:
    lines = files.get("/proc/modules", "").split("\n")
    return all(not line or line.strip(runes.SPACE_TEXT) for line in lines)
