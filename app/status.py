"""What `/statusz` answers: one document, for `imagecompat status` and for people.

Whoever reaches the port may read it, so nothing stands here that somebody without
rights in the cluster should not know: no name of a node, a Pod or an image, no
feature and none of its values, no text of a denial. What a decision was about is
told by kind and namespace; who needs more looks at the log or the audit log.

Times are RFC 3339 in UTC, empty for never. Readers ignore fields that they do not
know. `VERSION` changes when a field goes, or comes to mean something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

VERSION: Final = 1

MAX_DECISIONS: Final = 20
"""Decisions that are remembered."""


class Rules(msgspec.Struct, frozen=True, rename="camel"):
    """What decides, as it holds now.

    Attributes:
        mode: of namespaces without a label of their own.
        namespace_modes: modes that a Namespace may choose.
        pod_modes: modes that a Pod may choose.
        nodes_may_appear: the setting: `auto`, `yes` or `no`.
        nodes_may_appear_now: what it amounts to; then a misfit is a warning.
        annotate: whether Pods are annotated.
        trusted_namespaces: NodeFeatures count from these only.
        nodes_ignore: label selector of nodes that nobody describes; `None` where a
            process of an older version does not tell.
        exemptions: how many hold.
    """

    mode: str = ""
    namespace_modes: str = ""
    pod_modes: str = ""
    nodes_may_appear: str = ""
    nodes_may_appear_now: bool = False
    annotate: bool = True
    trusted_namespaces: tuple[str, ...] = ()
    nodes_ignore: str | None = None
    exemptions: int = 0


class Nodes(msgspec.Struct, frozen=True, rename="camel"):
    """How many nodes there are.

    Attributes:
        known: with features.
        unknown: without.
    """

    known: int = 0
    unknown: int = 0


class Watch(msgspec.Struct, frozen=True, rename="camel"):
    """One watch of the API server.

    Attributes:
        resource: what is watched, in the plural.
        namespace: empty for all.
        is_synced: whether the first list has been taken in.
        silent_seconds: since our view was last known to be the server's; `None`
            before the first list, and while an object could not be read.
        problem: what is wrong now; empty if nothing is.
    """

    resource: str
    namespace: str = ""
    is_synced: bool = False
    silent_seconds: float | None = None
    problem: str = ""


class Caches(msgspec.Struct, frozen=True, rename="camel"):
    """What is remembered.

    Attributes:
        images: whose artifacts are known.
        specs: whose answers for all nodes are kept.
        answers_bytes: what these take, roughly.
        evaluations_waiting: new specs that wait for the worker thread.
    """

    images: int = 0
    specs: int = 0
    answers_bytes: int = 0
    evaluations_waiting: int = 0


class Load(msgspec.Struct, frozen=True, rename="camel"):
    """Work at this moment.

    Attributes:
        reviews: under way.
        connections: open, of the API server and others, on the HTTPS port.
        body_bytes: of reviews that are being read.
        lag_seconds: longest standstill of the event loop since `/metrics` was read.
        worker_seconds: for how long the worker thread is in one job; 0 if in none.
    """

    reviews: int = 0
    connections: int = 0
    body_bytes: int = 0
    lag_seconds: float = 0.0
    worker_seconds: float = 0.0


class SettingsFile(msgspec.Struct, frozen=True, rename="camel"):
    """The settings that hold.

    Attributes:
        file: empty without one.
        loaded: when they were taken into use.
        invalid: what is wrong with a newer file; older settings hold then.
        restart_needed: changed fields that need a new process
            (`server.port`).
    """

    file: str = ""
    loaded: str = ""
    invalid: str = ""
    restart_needed: tuple[str, ...] = ()


class Decided(msgspec.Struct, frozen=True, rename="camel"):
    """One review of the validating webhook that found something to say.

    Attributes:
        time: when it was answered.
        kind: of the object.
        namespace: empty for what has none.
        operation: `CREATE`, `UPDATE`.
        decision: `deny`, `warn` or `allow`.
        mode: of the namespace; empty if it was not judged.
        codes: why (`IC101`), see docs/reference/codes.md.
        not_judged: why not (`overload`, `error`), one word; empty if it was.
        candidates: nodes that could take the Pod.
        fits: those that fit.
        unknown: those of which nothing is known.
        dry_run: nothing was stored.
        seconds: how long it took.
    """

    time: str
    kind: str = ""
    namespace: str = ""
    operation: str = ""
    decision: str = ""
    mode: str = ""
    codes: tuple[str, ...] = ()
    not_judged: str = ""
    candidates: int = 0
    fits: int = 0
    unknown: int = 0
    dry_run: bool = False
    seconds: float = 0.0


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The document.

    Attributes:
        version: of its shape.
        software: version of the program.
        started: when the process began to run.
        uptime_seconds: since then.
        ready: what `/readyz` says.
        draining: told to end, and still serving.
        problems: why it is not ready; one line each.
        warnings: what should be looked at, though it is ready.
        rules: what decides.
        nodes: how many are known.
        watches: of the API server.
        caches: what is remembered.
        load: work at this moment.
        certificate: what is served and published; see docs/reference/endpoints.md.
        settings: the file.
        decisions: the newest last.
    """

    version: int = VERSION
    software: str = ""
    started: str = ""
    uptime_seconds: float = 0.0
    ready: bool = False
    draining: bool = False
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rules: Rules = Rules()
    nodes: Nodes = Nodes()
    watches: tuple[Watch, ...] = ()
    caches: Caches = Caches()
    load: Load = Load()
    certificate: Mapping[str, object] = msgspec.field(default_factory=dict)
    settings: SettingsFile = SettingsFile()
    decisions: tuple[Decided, ...] = ()


def encode(status: Status) -> bytes:
    """The document as JSON, indented, with an end of line."""
    return msgspec.json.format(msgspec.json.encode(status), indent=2) + b"\n"


def decode(document: bytes) -> Status:
    """Reads the document of any process of this version.

    Raises:
        ValueError: it is none.
    """
    return msgspec.json.decode(document, type=Status)
