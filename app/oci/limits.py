"""Every bound of reading registries, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds; beyond each of them an answer is `Unavailable` or `Invalid`.

    Attributes:
        manifest_bytes: of an image's manifest or index; the distribution spec asks
            clients for at least this much.
        artifact_bytes: of an artifact's manifest, which is small.
        spec_bytes: of a compatibility spec.
        token_bytes: of a token server's answer.
        error_bytes: of an error's body, which is read away and dropped.
        pages: of referrers.
        descriptors: of referrers, all pages together.
        untyped: artifacts of one subject whose manifests are read, because their
            descriptors do not say enough or something else than the manifests.
        redirects: in a row.
        children: manifests of an index that are considered.
        nested: indexes that one index may list.
        connect_seconds: until a connection stands.
        lookup_seconds: one whole lookup, however long its caller waits.
        lookups: at the same time.
        waiting: lookups under way or waiting for their turn.
        per_host: lookups on one registry, and requests to one host, at the same time.
        retries: of one request that may be repeated, within the lookup's time.
        retry_after_seconds: a longer `Retry-After` is not waited for.
        breaker_failures: of one host or repository in a row, until it is left alone
            for a while.
        breaker_seconds: how long.
    """

    manifest_bytes: int = 4 << 20
    artifact_bytes: int = 1 << 20
    spec_bytes: int = 256 << 10
    token_bytes: int = 64 << 10
    error_bytes: int = 8 << 10
    pages: int = 10
    descriptors: int = 256
    untyped: int = 8
    redirects: int = 3
    children: int = 256
    nested: int = 8
    connect_seconds: float = 2.0
    lookup_seconds: float = 10.0
    lookups: int = 64
    waiting: int = 512
    per_host: int = 8
    retries: int = 2
    retry_after_seconds: float = 5.0
    breaker_failures: int = 5
    breaker_seconds: float = 30.0
