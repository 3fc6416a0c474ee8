"""Several objects become one view of a node; JSON becomes features."""

from __future__ import annotations

import pytest

from app.compat.features import INVALID_FEATURES, Features, from_json, merge
from app.errors import ConfigError


def test_nothing_merges_into_nothing() -> None:
    assert merge([]) == Features()


def test_one_object_stays_itself() -> None:
    one = Features(attributes={"kernel.config": {"A": "y"}})
    assert merge([one]) is one


def test_flags_are_united() -> None:
    one = Features(flags={"f": frozenset("a")})
    assert merge([one, Features(flags={"f": frozenset("b")})]) == Features(
        flags={"f": frozenset("ab")}
    )


def test_attributes_of_later_objects_win() -> None:
    one = Features(attributes={"f": {"a": "1", "b": "1"}})
    other = Features(attributes={"f": {"b": "2", "c": "2"}})
    wanted = Features(attributes={"f": {"a": "1", "b": "2", "c": "2"}})
    assert wanted == merge([one, other])


def test_instances_are_appended_in_order() -> None:
    one = Features(instances={"f": ({"a": "1"},)})
    other = Features(instances={"f": ({"a": "0"}, {"a": "1"})})
    wanted = Features(instances={"f": ({"a": "1"}, {"a": "0"}, {"a": "1"})})
    assert wanted == merge([one, other])


def test_what_only_one_object_publishes_is_not_copied() -> None:
    config = {"A": "y"}
    one = Features(attributes={"kernel.config": config, "x": {"a": "1"}})
    other = Features(attributes={"vendor.gpu": {"count": "1"}, "x": {"b": "2"}})
    merged = merge([one, other, Features(flags={"f": frozenset("a")})])
    assert merged.attributes["kernel.config"] is config
    assert merged.attributes["vendor.gpu"] is other.attributes["vendor.gpu"]
    assert one.attributes["x"] == {"a": "1"}


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        pytest.param(None, None, None, id="null-and-null-is-null"),
        pytest.param(None, {}, {}, id="empty-replaces-null"),
        pytest.param({}, None, {}, id="null-adds-nothing-to-empty"),
        pytest.param({"a": "1"}, None, {"a": "1"}, id="null-adds-nothing"),
        pytest.param({"a": "1"}, {}, {"a": "1"}, id="empty-adds-nothing"),
        pytest.param({}, {"a": "1"}, {"a": "1"}, id="empty-gets-elements"),
        pytest.param(None, {"a": "1"}, {"a": "1"}, id="null-gets-elements"),
    ],
)
def test_null_elements_merge_as_in_go(
    one: dict[str, str] | None,
    other: dict[str, str] | None,
    wanted: dict[str, str] | None,
) -> None:
    merged = merge([Features(attributes={"f": one}), Features(attributes={"f": other})])
    assert wanted == merged.attributes["f"]


def test_null_elements_alone_stay_null() -> None:
    merged = merge([Features(flags={"g": None}), Features(flags={"f": None})])
    assert merged.flags == {"g": None, "f": None}


def test_features_are_read_from_json() -> None:
    read = from_json(
        {
            "flags": {"cpu.cpuid": {"elements": {"AVX": {}, "AES": None}}},
            "attributes": {"kernel.version": {"elements": {"major": "6", "x": None}}},
            "instances": {
                "pci.device": {
                    "elements": [{"attributes": {"vendor": "10de"}}, {}, None]
                }
            },
            "unknown": 1,
        }
    )
    wanted = Features(
        flags={"cpu.cpuid": frozenset({"AVX", "AES"})},
        attributes={"kernel.version": {"major": "6", "x": ""}},
        instances={"pci.device": ({"vendor": "10de"}, {}, {})},
    )
    assert wanted == read


@pytest.mark.parametrize("value", [None, {}, {"flags": None, "instances": {}}])
def test_null_and_absent_are_the_same(value: object) -> None:
    assert from_json(value) == Features()


@pytest.mark.parametrize("value", [None, {}, {"elements": None}])
def test_a_feature_without_elements_has_null_elements(value: object) -> None:
    read = from_json({kind: {"f": value} for kind in ("flags", "attributes")})
    assert (read.flags, read.attributes) == ({"f": None}, {"f": None})
    assert from_json({"instances": {"f": value}}).instances == {"f": ()}


def test_lone_surrogates_become_the_replacement_character() -> None:
    read = from_json({"attributes": {"f\ud800": {"elements": {"\udc00": "\ud800"}}}})
    assert read.attributes == {"f\ufffd": {"\ufffd": "\ufffd"}}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param([], "features: got list, expected an object", id="top"),
        pytest.param({"flags": 1}, "flags: got int, expected an object", id="kind"),
        pytest.param(
            {"flags": {"f": "x"}}, "flags[f]: got str, expected an object", id="feature"
        ),
        pytest.param(
            {"flags": {"f": {"elements": ["a"]}}},
            "flags[f].elements: got list, expected an object",
            id="flags",
        ),
        pytest.param(
            {"flags": {"f": {"elements": {"a": "x"}}}},
            "flags[f].elements[a]: got str, expected an object",
            id="flag",
        ),
        pytest.param(
            {"attributes": {"f": {"elements": {"a": 1}}}},
            "attributes[f].elements[a]: got int, expected a string",
            id="attribute",
        ),
        pytest.param(
            {"instances": {"f": {"elements": {}}}},
            "instances[f].elements: got dict, expected a list",
            id="instances",
        ),
        pytest.param(
            {"instances": {"f": {"elements": [{}, 1]}}},
            "instances[f].elements[1]: got int, expected an object",
            id="instance",
        ),
        pytest.param(
            {"instances": {"f": {"elements": [{"attributes": {"a": True}}]}}},
            "instances[f].elements[0].attributes[a]: got bool, expected a string",
            id="attribute-of-an-instance",
        ),
    ],
)
def test_wrong_types_are_named_with_their_place(value: object, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_json(value)
    assert (INVALID_FEATURES, wanted) == (caught.value.reason, caught.value.message)
