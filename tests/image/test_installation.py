"""The image's file system, made by the Dockerfile's own lines, in a sandbox."""

from __future__ import annotations

import json
import re
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.cli.demo import NO_DEMO
from tests.image.elf import needed
from tests.image.installation import Installation
from tests.tools.authority import Authority
from tests.tools.sandbox import ROOT, Sandboxed
from tests.tools.servers import free_port

SECONDS: Final = 60.0
BASE_LIBRARIES: Final = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libz.so.1",
    }
)
"""What wheels may ask for: libc6, libgcc-s1, libstdc++6 and zlib1g, which the
distroless images `cc` and `python3` hold."""
BASE_GLIBC: Final = (2, 41)
"""Of Debian 13."""


def site_packages(installation: Installation) -> Path:
    return (
        installation.prefix
        / "lib"
        / f"python{installation.python.version}"
        / ("site-packages")
    )


def files(installation: Installation) -> list[Path]:
    return [path for path in installation.prefix.rglob("*") if path.is_file()]


def said(sandboxed: Sandboxed) -> tuple[int, str]:
    with sandboxed:
        return sandboxed.wait(SECONDS), sandboxed.output()


def test_it_holds_exactly_what_is_pinned(installation: Installation) -> None:
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if "==" in line]
    version = installation.python.version
    expected = {
        f"{canonicalize_name(pin.name)}{pin.specifier}"
        for pin in pins
        if pin.marker is None or pin.marker.evaluate({"python_version": version})
    }
    found = {
        f"{canonicalize_name(name)}=={version}"
        for name, version in (
            path.name.removesuffix(".dist-info").rsplit("-", 1)
            for path in site_packages(installation).glob("*.dist-info")
        )
    }
    assert len(expected) > 40
    assert expected == {one for one in found if not one.startswith("imagecompat==")}


def test_it_holds_no_demo_no_test_and_no_installer(installation: Installation) -> None:
    packages = site_packages(installation)
    assert (packages / "app" / "cli" / "demo.py").is_file()
    for name in ("app/demo", "tests", "bench", "pip", "setuptools", "hatchling"):
        assert not (packages / name).exists()


def test_its_only_commands_are_ours_and_python(installation: Installation) -> None:
    names = {path.name for path in (installation.prefix / "bin").iterdir()}
    wanted = installation.python.wanted
    assert {"imagecompat", "python", "python3", f"python{wanted}"} == names


def test_every_module_is_compiled_by_content(installation: Installation) -> None:
    """A read-only root cannot keep what is compiled later.

    Bytes 4 to 7 of the file hold the flags: 1 is by content, unchecked (PEP 552).
    """
    sources = list((site_packages(installation) / "app").rglob("*.py"))
    assert len(sources) > 100
    tag = f"cpython-{installation.python.version.replace('.', '')}"
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert b"\1\0\0\0" == compiled.read_bytes()[4:8]


def test_nobody_else_can_write_and_nothing_raises_rights(
    installation: Installation,
) -> None:
    wrong = stat.S_IWOTH | stat.S_IWGRP | stat.S_ISUID | stat.S_ISGID
    assert [] == [path for path in files(installation) if path.stat().st_mode & wrong]


def test_everybody_can_read_it(installation: Installation) -> None:
    modes = [path.stat().st_mode for path in files(installation)]
    assert all(mode & stat.S_IROTH for mode in modes)


def test_the_base_has_every_library_that_it_links(installation: Installation) -> None:
    libraries = [path for path in files(installation) if ".so" in path.suffixes]
    assert len(libraries) > 10
    missing = {path.name: needed(path) - BASE_LIBRARIES for path in libraries}
    assert {} == {name: names for name, names in missing.items() if names}


def test_the_bases_glibc_is_new_enough(installation: Installation) -> None:
    tags = [
        line.removeprefix("Tag: ")
        for path in site_packages(installation).glob("*.dist-info/WHEEL")
        for line in path.read_text().splitlines()
        if line.startswith("Tag: ")
    ]
    found = [re.search(r"manylinux_(\d+)_(\d+)_", tag) for tag in tags]
    wanted = [(int(match[1]), int(match[2])) for match in found if match]
    assert len(wanted) > 10
    assert max(wanted) <= BASE_GLIBC


def test_its_help_is_the_commands(installation: Installation) -> None:
    status, text = said(installation.start(["--help"]))
    assert 0 == status, text
    assert "Image compatibility for Kubernetes." in text


def test_a_pods_command_finds_it_by_name(installation: Installation) -> None:
    status, text = said(installation.start(command=["imagecompat", "serve", "--help"]))
    assert 0 == status, text


def test_the_demo_says_where_it_is(installation: Installation) -> None:
    assert (2, f"imagecompat: {NO_DEMO}\n") == said(installation.start(["demo"]))


def test_our_own_spec_is_valid(installation: Installation) -> None:
    status, text = said(
        installation.start(
            ["validate-spec", "/compat/imagecompat.yaml"],
            mounts={"/compat": ROOT / "compat"},
        )
    )
    assert 0 == status, text


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, Path]:
    """Volumes for `serve`: an API server that does not answer, and a certificate."""
    authority = Authority(tmp_path / "authority")
    volumes = {}
    for name in ("imagecompat", "tls", "kube"):
        volumes[name] = tmp_path / name
        volumes[name].mkdir(mode=0o755)
    for source, target in (
        (authority.certificate, "tls.crt"),
        (authority.key, "tls.key"),
    ):
        (volumes["tls"] / target).write_bytes(source.read_bytes())
        (volumes["tls"] / target).chmod(0o644)
    kubeconfig = {
        "clusters": [
            {"name": "c", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}
        ],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "current-context": "c",
    }
    (volumes["kube"] / "config").write_text(yaml.safe_dump(kubeconfig))
    return {f"/etc/{name}": folder for name, folder in volumes.items()}


@pytest.fixture
def status_port(configuration: dict[str, Path]) -> int:
    """The port of health and metrics in the settings file."""
    port = free_port()
    settings = {
        "server": {
            "host": "127.0.0.1",
            "port": 0,
            "statusPort": port,
            "certificate": "/etc/tls/tls.crt",
            "privateKey": "/etc/tls/tls.key",
            "drainSeconds": 0.1,
        },
        "cluster": {"kubeconfig": "/etc/kube/config"},
    }
    path = configuration["/etc/imagecompat"] / "settings.yaml"
    path.write_text(yaml.safe_dump(settings))
    return port


def answered(url: str) -> Callable[[], int | None]:
    """The status of an answer; `None` while there is none."""

    def ask() -> int | None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    return ask


def test_it_serves_without_rights_and_without_anything_to_write(
    installation: Installation, configuration: dict[str, Path], status_port: int
) -> None:
    """By its own ENTRYPOINT, CMD, ENV and USER.

    Without an API server it is alive and not ready, and it ends well when told to.
    """
    with installation.start(mounts=configuration) as server:
        url = f"http://127.0.0.1:{status_port}"
        ends = time.monotonic() + SECONDS
        while answered(f"{url}/livez")() is None and time.monotonic() < ends:
            assert server.is_running, server.output()
            time.sleep(0.05)
        assert 200 == answered(f"{url}/livez")()
        assert 503 == answered(f"{url}/readyz")()
        assert 200 == answered(f"{url}/metrics")()
        server.terminate()
        assert 0 == server.wait(SECONDS), server.output()
    events = [json.loads(line) for line in server.output().splitlines()]
    assert events
    assert "Read-only file system" not in server.output()
