"""The real `nfd export features`, on this machine and on made ones, says the same.

The client asks this machine's processor whatever tree it is given; so on made trees
the features of the source `cpu` are taken from it (`test_host_cpu.py` compares them).
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings

from app.compat import features
from app.compat.features import Features
from app.host import nfd_json
from app.host.discovery import discover
from tests.tools import host_examples, host_oddities, host_texts, host_trees, nfd_host
from tests.tools.host_trees import GONE

pytestmark = pytest.mark.integration

_Set = TypeVar("_Set")


def with_processor(found: Features, theirs: str) -> Features:
    """What we found, with their features of the source `cpu`."""
    known = features.from_json(json.loads(theirs))
    return Features(
        _with(found.flags, known.flags),
        _with(found.attributes, known.attributes),
        _with(found.instances, known.instances),
    )


def _with(ours: Mapping[str, _Set], theirs: Mapping[str, _Set]) -> Mapping[str, _Set]:
    return {
        name: elements
        for these, is_theirs in ((ours, False), (theirs, True))
        for name, elements in these.items()
        if name.startswith("cpu.") == is_theirs
    }


def compare(root: Path) -> None:
    theirs = nfd_host.exported(root)
    assert 0 == theirs.status, theirs.log
    found = discover(root).as_read
    assert theirs.text == nfd_json.text(with_processor(found, theirs.text))


TREES = {**host_examples.TREES, **host_oddities.TREES}


@pytest.mark.parametrize("name", TREES)
def test_a_made_host_is_exported_as_nfd_exports_it(name: str, tmp_path: Path) -> None:
    compare(host_trees.make(tmp_path, TREES[name]))


@pytest.mark.parametrize(("folder", "source"), host_trees.GIVE_UP.items())
def test_where_nfd_gives_up_a_source_only_that_one_is_left_out(
    folder: str, source: str, tmp_path: Path
) -> None:
    """As nfd-worker does, which says so and goes on."""
    entries = {path: GONE for path in host_trees.BASE if path.startswith(folder)}
    root = host_trees.make(tmp_path, entries)

    theirs = nfd_host.exported(root)
    assert 1 == theirs.status
    assert f"error during discovery of source {source}" in theirs.log

    found = discover(root)
    assert folder in [each.path for each in found.unread]
    (root / folder.lstrip("/")).mkdir(parents=True)
    theirs = nfd_host.exported(root)
    known = with_processor(found.features, theirs.text)
    kept = features.from_json(json.loads(theirs.text)).instances
    assert {
        name: each for name, each in kept.items() if not name.startswith(f"{source}.")
    } == known.instances


def test_the_node_has_the_name_that_nfd_worker_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_NAME", "worker-<1>")
    root = host_trees.make(tmp_path, {})
    theirs = nfd_host.exported(root, node_name="worker-<1>")
    found = discover(root)
    assert {"nodename": "worker-<1>"} == found.features.attributes["system.name"]
    assert theirs.text == nfd_json.text(with_processor(found.as_read, theirs.text))


READABLE = 0o444
"""Of a file all, of a folder the names, and nothing behind them."""
FORBIDDEN = (
    "/proc/config.gz",
    "/proc/modules",
    "/proc/swaps",
    "/boot/config-6.8.0-52-generic",
    "/lib/modules/6.8.0-52-generic",
    "/etc/os-release",
    host_trees.FEATURES,
    f"{host_trees.FEATURES}/a",
    "/sys/fs/selinux/enforce",
    "/sys/fs/selinux",
    "/sys/devices/virtual/misc",
    f"{host_trees.DMI}/product_name",
    host_trees.HUGE,
    f"{host_trees.HUGE}/hugepages-2048kB",
    host_trees.ND,
    f"{host_trees.NET}/eth0",
    f"{host_trees.PCI}/0000:00:00.0",
    host_trees.USB,
    f"{host_trees.USB}/1-1",
    f"{host_trees.BLOCK}/sda/queue",
    "/sys/bus/node/devices",
)


@pytest.mark.parametrize("mode", [0, 0o111, READABLE])
@pytest.mark.parametrize("path", FORBIDDEN)
def test_what_may_not_be_read_is_left_out_as_nfd_leaves_it_out(
    path: str, mode: int, tmp_path: Path
) -> None:
    """And listed, which NFD does in its log at most."""
    entries = dict(host_examples.WHOLE)
    if path.startswith("/boot"):
        del entries["/proc/config.gz"]
    root = host_trees.make(tmp_path, entries)
    forbidden = root / path.lstrip("/")
    assert forbidden.exists()
    whole = discover(root).features
    forbidden.chmod(mode)
    theirs = nfd_host.exported(root, has_rights=False)
    ours, listed = nfd_host.without_rights(root)
    forbidden.chmod(0o755)
    assert 0 == theirs.status, theirs.log
    expected = features.from_json(json.loads(theirs.text))
    found = features.from_json(json.loads(ours))
    assert expected == with_processor(found, theirs.text)
    is_lost = found != whole
    assert is_lost or mode
    assert not is_lost or any(each.startswith(path) for each in listed), listed


def test_this_machine_is_exported_as_nfd_exports_it() -> None:
    """Whole, the processor included; taken twice, if something changes meanwhile."""
    before = nfd_host.on_this_machine()
    ours = nfd_json.text(discover().as_read)
    after = nfd_host.on_this_machine()
    assert 0 == before.status, before.log
    assert ours in {before.text, after.text}, before.text


def test_the_command_prints_what_nfd_prints() -> None:
    before = nfd_host.on_this_machine()
    command = [sys.executable, "-m", "app", "export", "--host", "-o", "nfd-json"]
    done = subprocess.run(command, capture_output=True, check=True)
    after = nfd_host.on_this_machine()
    assert done.stdout.decode() in {before.text, after.text}, before.text


PERSONALITY = """\
import ctypes, os, sys
PER_LINUX32 = 8
assert ctypes.CDLL(None).personality(PER_LINUX32) >= 0
assert os.uname().machine in {"i686", "armv8l"}
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_a_personality_of_32_bits_changes_nothing() -> None:
    """As `setarch linux32` gives it: `uname` names another machine then."""
    before = nfd_host.on_this_machine()
    command = ["-m", "app", "export", "--host", "-o", "nfd-json"]
    command = [sys.executable, "-c", PERSONALITY, *command]
    done = subprocess.run(command, capture_output=True, check=True)
    after = nfd_host.on_this_machine()
    assert done.stdout.decode() in {before.text, after.text}, before.text


def test_this_machine_is_the_same_below_another_root() -> None:
    """As a container sees its host; its processor is another matter."""
    here, there = discover(), discover(Path("/proc/self/root"))
    theirs = nfd_json.text(here.as_read)
    assert here.as_read == with_processor(there.as_read, theirs)


@settings(deadline=None, max_examples=60)
@given(entries=host_texts.hosts())
def test_any_host_is_exported_as_nfd_exports_it(
    entries: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    compare(host_trees.make(tmp_path_factory.mktemp("host"), entries))
