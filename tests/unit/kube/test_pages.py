"""Lists in pages that fit into memory."""

from __future__ import annotations

import pytest

from app.errors import ClusterError
from app.kube.pages import MAX_PAGE_BYTES, MAX_SKIPPED_BYTES, Pages, Part
from app.kube.resource import Resource
from tests.tools.scripted import Answer, FakeTime, ScriptedApi, node, page


class Rig:
    def __init__(self, *script: Answer, limit: int = 20) -> None:
        self.api = ScriptedApi(FakeTime(), list(script))
        self.pages = Pages(Resource("nodes", "/nodes", page_limit=limit), self.api)

    async def fetch(self, token: str = "") -> Part:
        return await self.pages.fetch(token)

    def limits(self) -> list[str]:
        return [query["limit"] for _, query in self.api.requests]


def sized(size: int, *, token: str = "") -> bytes:
    """A page of one object that has `size` bytes in all."""
    empty = page(node("x"), token=token)
    filling = b'"' + b"a" * (size - len(empty) + 1) + b'"'
    return empty.replace(b'"x"', filling)


async def test_a_page_says_where_the_list_goes_on() -> None:
    part = await Rig(Answer((page(node("a"), token="t", version="7"),))).fetch()
    assert (1, 0, "t", "7") == (len(part.items), part.lost, part.token, part.version)


@pytest.mark.parametrize("body", [b'{"metadata":{}}', b'{"metadata":{},"items":null}'])
async def test_a_page_may_have_no_items(body: bytes) -> None:
    part = await Rig(Answer((body,))).fetch()
    assert Part([], 0, "", "") == part


async def test_small_objects_make_pages_grow_twofold_up_to_500() -> None:
    rig = Rig(*[Answer((page(node("a"), token="t"),))] * 7)
    for _ in range(7):
        await rig.fetch("t")
    assert ["20", "40", "80", "160", "320", "500", "500"] == rig.limits()


async def test_large_objects_make_pages_of_four_mebibytes() -> None:
    body = page(*[node("a")] * 20, pad=0)
    rig = Rig(Answer((body + b" " * (7_000_000 - len(body)),)), Answer((page(),)))
    await rig.fetch()
    await rig.fetch("t")
    assert ["20", str(4 * 2**20 * 20 // 7_000_000)] == rig.limits()


async def test_a_page_that_is_too_large_is_asked_for_again_with_half_the_limit() -> (
    None
):
    rig = Rig(Answer((sized(MAX_PAGE_BYTES + 1),)), Answer((page(node("a")),)))
    part = await rig.fetch("here")
    assert ["20", "10"] == rig.limits()
    assert "here" == rig.api.requests[1][1]["continue"]
    assert 1 == len(part.items)


async def test_a_page_of_the_greatest_size_is_read() -> None:
    rig = Rig(Answer((sized(MAX_PAGE_BYTES),)))
    assert 1 == len((await rig.fetch()).items)
    assert ["20"] == rig.limits()


async def test_one_object_that_is_too_large_is_passed_over() -> None:
    body = sized(MAX_PAGE_BYTES + 1, token="t")
    rig = Rig(Answer((body[:100], body[100:])), limit=1)
    assert Part((), 1, "t", "10") == await rig.fetch()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b'"metadata":{"continue":"t"', id="cut off"),
        pytest.param(b'"metadata":{"continue":"t"}},"kind":"List"}', id="not last"),
    ],
)
async def test_an_object_that_hides_the_next_ends_the_list(end: bytes) -> None:
    body = sized(MAX_PAGE_BYTES + 1).rpartition(b'"metadata"')[0] + end
    with pytest.raises(ClusterError, match="hides the next") as caught:
        await Rig(Answer((body.ljust(MAX_PAGE_BYTES + 1),)), limit=1).fetch()
    assert "TooLarge" == caught.value.reason


async def test_passing_over_has_a_bound() -> None:
    chunk = b"a" * (MAX_SKIPPED_BYTES // 4)
    with pytest.raises(ClusterError, match="exceeds") as caught:
        await Rig(Answer((chunk,) * 4 + (b"a",)), limit=1).fetch()
    assert "TooLarge" == caught.value.reason


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b"[" * 5000])
async def test_a_page_that_is_no_list_is_a_fault(body: bytes) -> None:
    with pytest.raises(ClusterError) as caught:
        await Rig(Answer((body,))).fetch()
    assert "Malformed" == caught.value.reason


async def test_what_is_missing_is_found_with_one_object() -> None:
    rig = Rig(Answer((page(),)))
    assert ("watch",) == await rig.pages.unwatchable()
    assert ["1"] == rig.limits()
