"""Which of several artifacts counts."""

import itertools

import pytest

from app.oci.images import selection
from app.oci.images.manifests import (
    ARTIFACT_TYPE,
    CREATED,
    EMPTY_TYPE,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
)


def artifact(digest: str, created: str | None = None) -> Descriptor:
    annotations = None if created is None else {CREATED: created}
    return Descriptor(
        digest=digest, artifact_type=ARTIFACT_TYPE, annotations=annotations
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(ARTIFACT_TYPE, (True, False), id="ours"),
        pytest.param("", (False, True), id="untyped"),
        pytest.param(EMPTY_TYPE, (False, True), id="type-of-an-empty-config"),
        pytest.param("application/spdx+json", (False, False), id="another"),
        pytest.param(ARTIFACT_TYPE.upper(), (False, False), id="case-counts"),
    ],
)
def test_a_descriptor_is_ours_or_may_be(kind: str, expected: tuple[bool, bool]) -> None:
    one = Descriptor(artifact_type=kind)
    assert expected == (selection.is_ours(one), selection.may_be_ours(one))


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        pytest.param(OCI_MANIFEST, True, id="manifest"),
        pytest.param("", True, id="not-said"),
        pytest.param(OCI_INDEX, False, id="index"),
        pytest.param("application/vnd.oci.image.layer.v1.tar+gzip", False, id="layer"),
    ],
)
def test_what_is_no_manifest_is_not_looked_into(
    media_type: str, expected: bool
) -> None:
    assert expected == selection.may_be_ours(Descriptor(media_type=media_type))
    ours = Descriptor(media_type=media_type, artifact_type=ARTIFACT_TYPE)
    assert selection.is_ours(ours)


# Oldest first; those of one line are equal, so that their digests decide.
DATES: list[list[str | None]] = [
    [None, "", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z"],
    ["0001-01-01T00:00:01Z"],
    ["1969-12-31T23:59:59Z"],
    ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2025-12-31T23:00:00-01:00"],
    ["2026-01-01T00:00:00.000000001Z"],
    ["2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00,1Z", "2026-01-01T00:00:00.100Z"],
    ["2026-01-01T00:00:00.999999999Z", "2026-01-01T00:00:00.9999999999999Z"],
    ["2026-01-01T00:00:01Z", "2026-01-01T0:00:01Z"],
    ["9999-12-31T23:59:59Z"],
    ["9999-12-31T23:59:59-01:00"],
]


def test_dates_are_ordered_as_time_is() -> None:
    """Whatever the order in which a registry lists them."""
    listed = [
        artifact(f"sha256:{place}{number}", text)
        for place, texts in enumerate(DATES)
        for number, text in enumerate(texts)
    ]
    expected = [
        f"sha256:{place}{number}"
        for place in reversed(range(len(DATES)))
        for number in range(len(DATES[place]))
    ]
    for order in (listed, listed[::-1], listed[1::2] + listed[::2]):
        assert expected == [one.digest for one in selection.newest_first(order)]


def test_a_tie_goes_to_the_smallest_digest_in_every_order() -> None:
    same = [artifact(digest, "2026-01-01T00:00:00Z") for digest in "cab"]
    for order in itertools.permutations(same):
        assert ["a", "b", "c"] == [one.digest for one in selection.newest_first(order)]


def test_what_is_listed_twice_counts_once() -> None:
    twice = [artifact("a", "2026-01-01T00:00:00Z")] * 2
    assert 1 == len(selection.newest_first(twice))


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01t00:00:00z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:60Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Z ",
        "2026-01-01",
        "٢٠٢٦-01-01T00:00:00Z",
        "1767225600",
        "2026-01-01T00:00:00." + "9" * 100_000,
    ],
)
def test_what_go_does_not_read_as_a_date_is_undated(text: str) -> None:
    assert selection.instant(text) is None
