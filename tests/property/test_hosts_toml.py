"""Whatever stands in a `hosts.toml` is hosts that can be asked, or is refused."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.oci.images import reference
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways import hosts_toml
from app.oci.ways.hosts_toml import BrokenHostsError, Host
from app.oci.ways.ways import Configured, Ways

IMAGE = reference.parse("r.example:5000/team/app:1")

KEYS = st.sampled_from(
    (
        *("server", "capabilities", "ca", "client", "skip_verify", "override_path"),
        *("header", "dial_timeout", "host", "other"),
    )
)
KNOWN = (
    *("https://m.example", "http://m.example:5000/a", "m.example/v2", "docker.io"),
    *("https://u:p@m.example", "https://[::1]:5000", "https://m.example/../x", ""),
)
URLS = st.one_of(
    st.sampled_from(KNOWN),
    st.text(max_size=40),
    st.from_regex(r"https?://[a-z0-9.:\[\]/@?#%\\ -]{0,30}", fullmatch=True),
)
WORDS = st.one_of(
    URLS, st.sampled_from(["pull", "RESOLVE", "ca.crt", "../x", "3s", "1h0.5m", "-1s"])
)
PLAIN = st.one_of(WORDS, st.booleans(), st.integers(-3, 3), st.floats(0, 3))
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
HEADERS = st.dictionaries(st.text(max_size=9), st.one_of(VALUES, WORDS), max_size=3)
TABLES = st.dictionaries(KEYS, VALUES, max_size=6)


def text(value: Any) -> str:
    """A value as TOML writes it; JSON's texts, numbers and lists are TOML's, too."""
    return json.dumps(value).replace("\\u007f", "\x7f")


def written(top: dict[str, Any], hosts: dict[str, Any], headers: Any) -> bytes:
    """A file that may mean something."""
    lines = [f"{key} = {text(value)}" for key, value in top.items()]
    for url, table in hosts.items():
        lines.append(f"[host.{text(url)}]")
        lines += [f"{key} = {text(value)}" for key, value in table.items()]
        lines.append(f"[host.{text(url)}.header]")
        lines += [f"{text(key)} = {text(value)}" for key, value in headers.items()]
    return "\n".join(lines).encode(errors="surrogatepass")


def check(hosts: tuple[Host, ...]) -> None:
    assert hosts
    for one in hosts:
        assert one.scheme in {"http", "https"}
        assert re.fullmatch(r"[a-z0-9_.:\[\]-]*", one.host)
        assert re.fullmatch(r"(/[\w.~-]+)*", one.prefix, re.ASCII)
        assert "/../" not in f"{one.prefix}/"
        assert one.dial_seconds is None or one.dial_seconds > 0
        shown = "".join(one.headers.values()) + "".join(one.headers)
        assert not re.search(r"[\r\n\0]", shown)
        assert all(isinstance(file, str) for file in one.files)
    ways = Ways({"_default": tuple(map(Configured, hosts))})
    for way in ways.of(IMAGE, RegistryPolicy()):
        base = way.base(IMAGE)
        assert re.fullmatch(r"https?://[!-~]+/team/app", base), base
        assert way.named(IMAGE).tag == "1"


@given(st.binary(max_size=300))
def test_bytes_are_hosts_or_refused(content: bytes) -> None:
    try:
        hosts = hosts_toml.read(content)
    except BrokenHostsError:
        return
    check(hosts)


@given(TABLES, st.dictionaries(URLS, TABLES, max_size=3), HEADERS)
def test_tables_are_hosts_or_refused(
    top: dict[str, Any], hosts: dict[str, Any], headers: dict[str, Any]
) -> None:
    try:
        found = hosts_toml.read(written(top, hosts, headers))
    except BrokenHostsError:
        return
    check(found)


@given(st.lists(st.text(max_size=12), max_size=6))
def test_names_of_certificates_are_one_host(names: list[str]) -> None:
    (host,) = hosts_toml.of_files(names)
    check((host,))
    assert set(host.files) <= set(names)
