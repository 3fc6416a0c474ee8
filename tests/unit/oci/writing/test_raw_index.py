"""An index that is changed without touching what is not ours."""

import pytest

from app.errors import RegistryError
from app.oci.writing.raw_index import RawIndex

FOREIGN = b'{"digest":"sha256:b", "mine": 1.10, "annotations":{"k":"v"}}'
WHOLE = b'{"x":{"y": 1e2},"schemaVersion":2,"manifests":[' + FOREIGN + b'],"z":[ ]}'


def test_a_new_index_is_as_oras_begins_one() -> None:
    empty = RawIndex.empty().adding({"mediaType": "m", "digest": "d", "size": 1})
    assert (
        b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",'
        b'"manifests":[{"mediaType":"m","digest":"d","size":1}]}'
    ) == empty.encode()


def test_what_is_not_ours_stays_byte_for_byte() -> None:
    assert WHOLE == RawIndex.read(WHOLE).encode()


def test_an_entry_is_added_after_the_others_and_taken_out_again() -> None:
    index = RawIndex.read(WHOLE)
    longer = index.adding({"digest": "d"})
    assert WHOLE.replace(FOREIGN, FOREIGN + b',{"digest":"d"}') == longer.encode()
    assert longer.lists("d")
    assert not index.lists("d")
    assert WHOLE == longer.without("d").encode()


def test_entries_are_found_and_taken_out_by_an_annotation() -> None:
    index = RawIndex.read(WHOLE)
    assert ("sha256:b",) == index.named("k", "v")
    assert () == index.named("k", "w")
    assert () == index.without_named("k", "v").entries
    assert index == index.without_named("k", "w")


@pytest.mark.parametrize(
    ("content", "encoded"),
    [
        pytest.param(b"{}", b'{"manifests":[]}', id="none"),
        pytest.param(b'{"manifests":null}', b'{"manifests":[]}', id="null"),
        pytest.param(b'{"a":1}', b'{"a":1,"manifests":[]}', id="at the end"),
    ],
)
def test_an_index_without_a_list_gets_one(content: bytes, encoded: bytes) -> None:
    assert encoded == RawIndex.read(content).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"manifests":{}}',
        b'{"manifests":[1]}',
        b'{"manifests":[{"digest":1}]}',
        b"\xff",
        b"[" * 5000,
        b'{"manifests":' + b"[" * 5000,
    ],
)
def test_what_is_no_index_is_refused(content: bytes) -> None:
    with pytest.raises(RegistryError, match="not a valid index"):
        RawIndex.read(content)
