"""Files of a host: bounded, never raising, and never outside of its root."""

from itertools import pairwise
from pathlib import Path

import pytest

from app.host.tree import MAX_FILE_BYTES, MAX_NAMES, Tree, Unread
from tests.tools import host_trees
from tests.tools.host_trees import FOLDER, PIPE, Entries, Entry, Link


def made(folder: Path, entries: Entries) -> Tree:
    return Tree(host_trees.make(folder, entries, base={}))


def test_a_file_is_read_as_bytes_as_text_and_as_go_reads_it(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/a": b"\xff\xe2\x82.\n"})
    assert b"\xff\xe2\x82.\n" == tree.content("/a")
    assert "\udcff\udce2\udc82.\n" == tree.as_read("/a")
    assert "\ufffd\ufffd\ufffd.\n" == tree.text("/a")
    assert () == tree.unread


def test_what_is_absent_is_nothing_and_is_not_listed(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/a": "x"})
    for path in ("/b", "/a/b", "/b/c"):
        assert tree.content(path) is None
        assert tree.as_read(path) is None
        assert tree.text(path) is None
        assert tree.listed(path) is None
        assert () == tree.names(path)
        assert not tree.exists(path)
    assert () == tree.unread


def test_a_name_below_a_file_is_not_certainly_absent(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/a": "x"})
    assert tree.is_absent("/b")
    assert not tree.is_absent("/a")
    assert not tree.is_absent("/a/b")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        pytest.param(FOLDER, "Is a directory", id="folder"),
        pytest.param(PIPE, "not a file", id="pipe"),
        pytest.param(Link("a"), "Too many levels of symbolic links", id="loop"),
    ],
)
def test_what_is_no_file_is_listed(entry: Entry, why: str, tmp_path: Path) -> None:
    """Nobody writes into the pipe, and nobody waits for it."""
    tree = made(tmp_path, {"/a": entry})
    assert tree.content("/a") is None
    assert (Unread("/a", why),) == tree.unread


def test_what_cannot_be_looked_at_is_listed(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/a": "x", "/loop": Link("loop")})
    long = f"/{'n' * 300}"
    assert not tree.exists(long)
    assert not tree.is_absent(long)
    assert tree.listed("/loop") is None
    assert ["/loop", long] == [each.path for each in tree.unread]


def test_a_path_with_a_zero_byte_leads_nowhere(tmp_path: Path) -> None:
    for tree in (Tree(tmp_path), Tree()):
        assert tree.content("/a\0b/c") is None
        assert tree.listed("/a\0b/c") is None
        assert not tree.exists("/a\0b/c")
        assert not tree.is_absent("/a\0b/c")
        assert () == tree.unread
    assert not Tree(tmp_path).path("/a\0b").exists()


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/at": "x" * 100, "/over": "x" * 101})
    assert 100 == len(tree.content("/at", limit=100) or b"")
    assert tree.as_read("/over", limit=100) is None
    assert (Unread("/over", "larger than 100 bytes"),) == tree.unread


def test_no_file_is_read_beyond_sixteen_mebibytes(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/at": "", "/over": ""})
    for name, size in (("at", MAX_FILE_BYTES), ("over", MAX_FILE_BYTES + 1)):
        with (tmp_path / name).open("r+b") as file:
            file.truncate(size)
    assert MAX_FILE_BYTES == len(tree.content("/at") or b"")
    assert tree.content("/over") is None
    assert ["/over"] == [each.path for each in tree.unread]


def test_a_folder_is_listed_up_to_its_limit(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/many": FOLDER})
    for number in range(MAX_NAMES):
        (tmp_path / "many" / str(number)).symlink_to("x")
    assert MAX_NAMES == len(tree.names("/many"))
    (tmp_path / "many" / "more").symlink_to("x")
    assert tree.listed("/many") is None
    assert (Unread("/many", f"more than {MAX_NAMES} entries"),) == tree.unread


def test_names_are_sorted_by_their_bytes(tmp_path: Path) -> None:
    names = ["Z", "a", "é", "\uffee", "🙂", "\udcff"]
    tree = made(tmp_path, {f"/{name}": "" for name in names})
    assert tuple(names) == tree.names("/")


def test_an_absolute_link_begins_at_the_root(tmp_path: Path) -> None:
    tree = made(
        tmp_path / "root",
        {"/etc/a": Link("/nix/./b"), "/nix": Link("store"), "/store/b": "inside"},
    )
    assert "inside" == tree.text("/etc/a")
    assert tmp_path / "root/store/b" == tree.path("/etc/a")


@pytest.mark.parametrize("to", ["../../../secret", "/../secret", "x/../../../secret"])
def test_no_link_leads_out_of_the_root(to: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    tree = made(tmp_path / "root", {"/etc/a": Link(to), "/etc/folder": Link("../..")})
    assert tree.content("/etc/a") is None
    assert tree.content("/etc/folder/secret") is None
    assert tree.content("/../secret") is None


def chain(links: int, end: str) -> Entries:
    """Links `/0`, `/1`, ... each to the next, the last one to `end`."""
    names = [*(f"/{number}" for number in range(links)), end]
    return {name: Link(then) for name, then in pairwise(names)}


def test_forty_links_are_followed_as_by_the_kernel(tmp_path: Path) -> None:
    entries: dict[str, Entry] = {**chain(41, "/end"), "/end": "end"}
    tree = made(tmp_path, entries)
    assert "end" == tree.text("/1")
    assert tree.text("/0") is None
    assert (Unread("/0", "Too many levels of symbolic links"),) == tree.unread
    assert not tree.path("/0").exists()


def test_links_of_folders_count_for_what_is_in_them(tmp_path: Path) -> None:
    """However often they were followed before."""
    entries: dict[str, Entry] = {
        **chain(40, "/end"),
        "/end/b": Link("a"),
        "/end/a": "x",
    }
    tree = made(tmp_path, entries)
    for _ in range(2):
        assert "x" == tree.text("/0/a")
        assert tree.text("/0/b") is None
        assert "x" == tree.text("/1/b")


def test_a_path_is_followed_as_far_as_the_kernel_reads_it(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/a": "x"})
    assert "x" == tree.text("/" * 4094 + "a")
    assert tree.text("/" * 4095 + "a") is None
    assert ["File name too long"] == [each.why for each in tree.unread]


def test_a_file_may_be_sixty_four_folders_deep(tmp_path: Path) -> None:
    deep = "/a" * 63
    entries: dict[str, Entry] = {
        f"{deep}/f": "x",
        f"{deep}/g/f": "x",
        "/l": Link(f"{deep}/g/f"),
    }
    tree = made(tmp_path, entries)
    assert "x" == tree.text(f"{deep}/f")
    assert tree.text("/l") is None
    assert (Unread("/l", "File name too long"),) == tree.unread


def test_so_many_links_are_followed_in_all(tmp_path: Path) -> None:
    """A million names: nineteen and the link's own, and one and none."""
    links: dict[str, Entry] = {"/l": Link("/a/" + "../a/" * 9), "/m": Link(".")}
    tree = made(tmp_path, {**links, "/a/f": "x"})
    for _ in range(49_999):
        assert tree.exists("/l")
    assert "x" == tree.text("/l/f")
    assert not tree.exists("/m")
    assert "x" == tree.text("/a/f")
    assert (Unread("/m", "Too many levels of symbolic links"),) == tree.unread


def test_links_on_the_way_to_a_folder_are_followed_once(tmp_path: Path) -> None:
    """A copy of others' making may have many devices behind many links."""
    to = "/a/" + "../a/" * 9
    tree = made(tmp_path, {"/l": Link(to), "/a/f": "x"})
    assert all(tree.exists(f"/l/{number}/f") is False for number in range(60_000))
    assert "x" == tree.text("/l/f")
    assert () == tree.unread


def test_a_link_to_a_folder_is_one_but_is_not_listed_as_one(tmp_path: Path) -> None:
    entries: dict[str, Entry] = {
        "/a": FOLDER,
        "/b": Link("a"),
        "/c": Link("nowhere"),
        "/d": "x",
    }
    tree = made(tmp_path, entries)
    assert ("a",) == tree.folders("/")
    assert tree.folders("/d") is None
    assert [True, True, False, False] == [tree.is_folder(path) for path in entries]
    assert not tree.exists("/c")


@pytest.mark.parametrize("root", ["/", "//", "/./"])
def test_the_root_of_this_machine_is_live(root: str) -> None:
    assert Tree(Path(root)).is_live
    assert Path("/proc/version") == Tree(Path(root)).path("/proc/version")


def test_another_root_is_not_live_and_may_be_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")
    monkeypatch.chdir(tmp_path)
    tree = Tree(Path())
    assert not tree.is_live
    assert "x" == tree.text("/a")


def test_what_every_host_has_is_listed_once_it_is_missed(tmp_path: Path) -> None:
    tree = made(tmp_path, {"/b": FOLDER})
    tree.content("/b")
    for path in ("/b", "/a"):
        tree.miss(path)
    assert (
        Unread("/a", "No such file or directory"),
        Unread("/b", "Is a directory"),
    ) == tree.unread


def test_a_value_that_the_kernel_does_not_have_is_absent() -> None:
    """To read the speed of `lo` is an invalid argument."""
    tree = Tree()
    assert tree.content("/sys/class/net/lo/speed") is None
    assert () == tree.unread
