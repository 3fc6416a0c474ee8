"""Whatever is given to a command: one clear line on stderr, nothing on stdout.

The first table is every option and argument that names a file, crossed with every way
in which a file can be wrong. What needs a registry or a cluster to go wrong is in
`tests/integration/test_bad_input.py`.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from app.cli.commands import COMMANDS, Row

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Ran, Run

SPEC = """\
version: v1alpha1
compatibilities:
- rules:
  - name: a
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Exists}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: r.example/a}]}
"""
NODE = json.dumps({"attributes": {"kernel.version": {"elements": {"major": "6"}}}})
SUITE = "apiVersion: imagecompat.dev/v1alpha1\nkind: SpecSuite\n"

BAD: Final = {
    "missing": None,
    "empty": b"",
    "binary": b"\xff\xfe\x00\x01 \x00 binary",
    "controls": b"\x16\x00\x01",
    "broken": f"{POD}---\nkind: [Pod\n---\n{POD}".encode(),
    "wrong-kind": b"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
}
"""Name of a file -> what is in it; `None` for no file."""

EACH: Final = (*BAD, "folder", "unreadable")

COMMAND_LINES: Final = (
    "validate-spec FILE",
    "validate-node --spec FILE --features node.json",
    "validate-node --spec FILE --features node.json --output-json",
    "validate-node --spec spec.yaml --features FILE",
    "attach-spec oci-layout://layout:a --spec FILE",
    "copy-specs --file FILE",
    "validate-config FILE",
    "validate-config settings.yaml --against FILE",
    "check -f FILE --nodes node.json --offline",
    "check -f pod.yaml --nodes FILE --offline",
    "check -f pod.yaml --nodes node.json --what-if FILE --offline",
    "check -f pod.yaml --nodes node.json --spec r.example/a=FILE --offline",
    "check -f pod.yaml --nodes node.json --settings FILE --offline",
    "check -f pod.yaml --nodes node.json --docker-config FILE",
    "check -f pod.yaml --kubeconfig FILE --offline",
    "export --nodes FILE",
    "export --kubeconfig FILE",
    "test-spec FILE",
    "init-spec --image r.example/a --settings FILE",
    "status --kubeconfig FILE",
    "selftest --kubeconfig FILE",
    "list-specs r.example/a --settings FILE",
    "list-specs r.example/a --ca-file FILE",
    "list-specs r.example/a --docker-config FILE",
    "show-spec r.example/a --client-certificate FILE --client-key FILE",
    "remove-spec r.example/a --docker-config FILE",
    "serve --config FILE",
)

ACCEPTED: Final = {
    "validate-node --spec FILE --features node.json --output-json": {
        "empty": 1,
        "broken": 1,
        "wrong-kind": 1,
    },
    "copy-specs --file FILE": {"empty": 0},
    "validate-config FILE": {"empty": 0},
    "validate-config settings.yaml --against FILE": {"empty": 0},
    "check -f pod.yaml --nodes node.json --settings FILE --offline": {"empty": 3},
}
"""What is no bad input after all -> its exit code.

NFD takes a spec without sets, and keys that it does not know; in its own forms so do
we, and no set fits.
An empty file of settings leaves all defaults; an empty list of pairs is done.
"""

NAMELESS: Final = {
    "check -f FILE --nodes node.json --offline": {
        "empty": "no workload found",
        "wrong-kind": "no workload found among 1 objects (Secret)",
    },
    "serve --config FILE": {"empty": "server.certificate and server.privateKey"},
}
"""Where what is missing counts, and not which of several files lacks it."""

SEVERAL: Final = (
    "validate-spec",
    "test-spec",
    "--settings",
    "--docker-config",
    "--client-certificate",
    "serve",
)
"""These name every fault of a file, one to a line."""

ONLINE: Final = {("list-specs r.example/a --settings FILE", "empty")} | {
    ("init-spec --image r.example/a --settings FILE", "empty")
}
"""Nothing is wrong with it, so that a registry would be asked."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good files and bad ones, which is the current one."""
    good = {
        "spec.yaml": SPEC,
        "pod.yaml": POD,
        "node.json": NODE,
        "settings.yaml": "policy: {mode: warn}\n",
    }
    for name, text in good.items():
        (tmp_path / name).write_text(text)
    for name, content in BAD.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "unreadable").symlink_to("/proc/self/mem")
    monkeypatch.chdir(tmp_path)
    for name in ("KUBECONFIG", "DOCKER_CONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("bad", EACH)
@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_file_that_cannot_be_used_is_named(run: "Run", line: str, bad: str) -> None:
    if (line, bad) in ONLINE:
        assert line in COMMAND_LINES
        return
    ran = run(*(word.replace("FILE", bad) for word in line.split()))
    accepted = ACCEPTED.get(line, {}).get(bad)
    if accepted is not None:
        assert accepted == ran.status
        return
    assert_refused(ran, NAMELESS.get(line, {}).get(bad, bad), several=is_several(line))


def is_several(line: str) -> bool:
    return any(word in line for word in SEVERAL)


def assert_refused(ran: "Ran", named: str, *, several: bool = False) -> None:
    """Exit code 2, nothing on stdout, and a line that names the thing."""
    assert (2, "") == (ran.status, ran.out), ran
    lines = ran.err.splitlines()
    assert several or 1 == len(lines), ran.err
    assert named in ran.err
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in ran.err


OTHERS: Final = (
    # a reference
    ("list-specs UPPER/Case", "UPPER/Case"),
    ("show-spec r.example/a@sha256:12", "r.example/a@sha256:12"),
    ("remove-spec r.example/a:", "r.example/a:"),
    ("attach-spec r.example/a:x:y --spec spec.yaml", "r.example/a:x:y"),
    ("copy-specs r.example/a -", "-: not an image"),
    ("validate-node --image :x --features node.json", ":x"),
    ("init-spec --image a//b", "a//b"),
    ("check --image UPPER --nodes node.json", "UPPER"),
    ("list-specs oci-layout://", "oci-layout://"),
    # a platform
    ("show-spec oci-layout://x:a --platform linux", "linux"),
    # options that exclude each other, or need another
    ("validate-node --features node.json", "--spec"),
    (
        "validate-node --spec spec.yaml --image r.example/a --features node.json",
        "--spec",
    ),
    (
        "validate-node --image r.example/a --features - --registry-token-stdin",
        "only once",
    ),
    ("attach-spec r.example/a", "--spec"),
    ("attach-spec r.example/a --spec spec.yaml --annotation x", "--annotation x"),
    ("copy-specs r.example/a", "DESTINATION"),
    ("remove-spec r.example/a --all --digest sha256:1", "--digest"),
    ("list-specs r.example/a --registry-username x", "--registry-username"),
    ("list-specs r.example/a --client-key x", "--client-certificate"),
    ("validate-config - -", "standard input"),
    ("check", "-f"),
    ("check -f pod.yaml --offline --what-if-only --nodes node.json", "--what-if"),
    ("export --host --nodes node.json", "--host"),
    ("export --node a --all-nodes --kubeconfig k", "--all-nodes"),
    ("init-spec", "--template"),
    ("init-spec --template none", "none"),
    ("test-spec", "SUITE"),
    ("test-spec --run [ suite.yaml", "--run"),
    # a cluster that nobody named
    ("status", "no cluster to ask"),
    ("selftest", "no cluster to ask"),
    ("check -f pod.yaml --offline --all-nodes", "no cluster to ask"),
    ("export --all-nodes", "no cluster to ask"),
    ("status --url none", "none"),
    # output that cannot be written
    ("export --nodes node.json -f folder", "folder"),
    ("export --nodes node.json -f none/x.json", "none/x.json"),
    ("export --nodes node.json -f /dev/full", "/dev/full"),
    ("init-spec --template cuda-12.4 -f none/x.yaml", "none/x.yaml"),
    ("init-spec --template cuda-12.4 -f spec.yaml", "spec.yaml"),
)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("line", "named"), OTHERS)
def test_what_cannot_be_used_is_named(run: "Run", line: str, named: str) -> None:
    assert_refused(run(*line.split()), named)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda one: one.name)
def test_every_command_is_in_the_tables(row: Row) -> None:
    lines = [*COMMAND_LINES, *(line for line, _ in OTHERS)]
    if row.name not in {"demo", "completion"}:
        assert any(line.split()[0] == row.name for line in lines)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", [one for one in COMMAND_LINES if "serve" not in one])
def test_a_document_is_no_document_where_nothing_is_known(
    run: "Run", line: str
) -> None:
    words = [word.replace("FILE", "missing") for word in line.split()]
    ran = run(*words, "-o", "json")
    assert (2, "") == (ran.status, ran.out)
