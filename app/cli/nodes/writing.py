"""Exported nodes as text, and onto a disk: whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from app.cli.nodes.options import ExportFormat
from app.compat.features import Features
from app.errors import ConfigError
from app.host.tree import Unread
from app.kube.features import NODE_NAME_LABEL
from app.snapshot import Snapshot

GZIP_SUFFIX: Final = ".gz"


def content(
    snapshot: Snapshot,
    form: ExportFormat,
    *,
    namespace: str,
    as_read: Features | None = None,
    unread: Sequence[Unread] = (),
) -> bytes:
    """The nodes in that form.

    Args:
        snapshot: the nodes.
        form: what is wanted.
        namespace: where NodeFeatures are to be.
        as_read: the features of the one node that there is, as `nfd_json` takes them.
        unread: what could not be read of the one node that there is.

    Raises:
        ConfigError: the form has no room for these nodes.
    """
    if form is ExportFormat.JSON:
        from app.cli.nodes import document  # noqa: PLC0415 - one of three

        return document.encode(snapshot, unread=unread)
    if form is ExportFormat.NODE_FEATURES:
        return _node_features(snapshot, namespace)
    return _nfd_json(snapshot, as_read)


def _nfd_json(snapshot: Snapshot, as_read: Features | None) -> bytes:
    from app.host import nfd_json  # noqa: PLC0415 - one of three

    if len(snapshot.nodes) != 1:
        text = f"-o nfd-json is for one node, not {len(snapshot.nodes)}: name one"
        raise ConfigError("InvalidOptions", text)
    (name,) = snapshot.nodes
    if name not in snapshot.features:
        raise ConfigError("NoFeatures", f"nothing is known of node {name}")
    return nfd_json.text(as_read or snapshot.features[name]).encode()


def _node_features(snapshot: Snapshot, namespace: str) -> bytes:
    items = [
        {
            "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
            "kind": "NodeFeature",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {NODE_NAME_LABEL: name},
            },
            "spec": {"features": _spec(snapshot.features[name])},
        }
        for name in sorted(snapshot.features)
    ]
    whole = {"apiVersion": "v1", "kind": "List", "items": items}
    raw = msgspec.json.encode(whole, order="deterministic")
    return msgspec.json.format(raw, indent=1) + b"\n"


def _spec(features: Features) -> dict[str, Any]:
    """As the API server takes it: it knows no null elements."""
    return {
        "flags": {
            name: {"elements": {one: {} for one in sorted(elements or ())}}
            for name, elements in sorted(features.flags.items())
        },
        "attributes": {
            name: {"elements": dict(sorted((elements or {}).items()))}
            for name, elements in sorted(features.attributes.items())
        },
        "instances": {
            name: {
                "elements": [
                    {"attributes": dict(sorted(one.items()))} for one in all_of
                ]
            }
            for name, all_of in sorted(features.instances.items())
        },
    }


def write(text: bytes, path: Path | None) -> None:
    """Writes to a file, which has all of it or what it had before; else to stdout.

    A name that ends in `.gz` gets gzip.

    Raises:
        ConfigError: it cannot be written.
    """
    if path is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    if path.name.endswith(GZIP_SUFFIX):
        text = gzip.compress(text, mtime=0)
    try:
        if _is_special(path):
            path.write_bytes(text)
        else:
            _replace(path, text)
    except OSError as error:
        raise ConfigError(
            "UnwritableOutput", f"{path}: cannot be written: {error.strerror}"
        ) from error


def _is_special(path: Path) -> bool:
    """Whether it is a pipe or a device, which nothing can replace."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _replace(path: Path, text: bytes) -> None:
    target = path.resolve()  # a link stays one
    file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it outlives the block
        dir=target.parent, prefix=f".{target.name}.", delete=False
    )
    try:
        with file:
            file.write(text)
            os.fchmod(file.fileno(), _mode(target))
        Path(file.name).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(file.name).unlink()
        raise


def _mode(target: Path) -> int:
    """The permissions that the file has, or would get."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
