"""What the other tests of this folder stand on: a kubelet that does as kubelets do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tools.kubelet import room
from tests.tools.program import Folders
from tests.tools.volumes import ACCOUNT_PATH, chosen, mounted_account, write

MOUNTS = {"/tmp": Path("/tmp/a/tmp"), "/etc/app": Path("/tmp/a/etc")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/etc/app/x.yaml", "/tmp/a/etc/x.yaml", id="below"),
        pytest.param("a: /etc/app", "a: /tmp/a/etc", id="in a text"),
        pytest.param("/etc/application", "/etc/application", id="another name"),
        pytest.param("/var/etc/app", "/var/etc/app", id="elsewhere"),
        pytest.param("/tmp", "/tmp/a/tmp", id="once"),
    ],
)
def test_paths_of_a_container_become_paths_of_this_machine(
    text: str, expected: str
) -> None:
    assert expected == Folders(MOUNTS).translated(text)


def test_all_files_of_a_volume_change_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"1", "b": b"1", "c/d": b"1"})
    before = (tmp_path / "..data").readlink()
    write(tmp_path, {"a": b"2", "c/d": b"2"})
    assert before != (tmp_path / "..data").readlink()
    assert Path("..data/a") == (tmp_path / "a").readlink()
    there = {one.name for one in tmp_path.iterdir() if not one.name.startswith("..")}
    assert {"a", "c"} == there
    assert b"2" == (tmp_path / "c" / "d").read_bytes()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({"name": "x"}, {"a": b"1", "b": b"2"}, id="all"),
        pytest.param(
            {"name": "x", "items": [{"key": "a", "path": "c"}]}, {"c": b"1"}, id="items"
        ),
        pytest.param(
            {"name": "x", "items": [{"key": "z", "path": "z"}], "optional": True},
            {},
            id="optional",
        ),
    ],
)
def test_items_choose_and_rename(
    wanted: dict[str, Any], expected: dict[str, bytes]
) -> None:
    assert expected == dict(chosen(wanted, {"a": b"1", "b": b"2"}))


def test_a_pod_gets_its_accounts_token_unless_it_says_no() -> None:
    spec: dict[str, Any] = {"containers": [{"name": "a"}]}
    (container,) = mounted_account(spec)["containers"]
    assert [ACCOUNT_PATH] == [one["mountPath"] for one in container["volumeMounts"]]
    without = {**spec, "automountServiceAccountToken": False}
    assert without == mounted_account(without)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        pytest.param({}, (1, 0), id="the API's default of three replicas"),
        pytest.param(
            {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, (1, 0), id="ours"
        ),
        pytest.param(
            {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "50%"}},
            (2, 1),
            id="up and down",
        ),
        pytest.param({"type": "Recreate"}, (0, 3), id="recreate"),
    ],
)
def test_a_rolling_update_has_so_many_more_and_so_many_fewer(
    strategy: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert expected == room(strategy, 3)
