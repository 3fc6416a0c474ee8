"""JSON as Go writes it."""

import pytest

from app.oci.writing import encoding


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("a<b>&c", rb'"a\u003cb\u003e\u0026c"', id="what HTML mistakes"),
        pytest.param("\u2028\u2029", rb'"\u2028\u2029"', id="line separators"),
        pytest.param("ü €", '"ü €"'.encode(), id="other characters as they are"),
        pytest.param('"\\\t\n', rb'"\"\\\t\n"', id="what JSON escapes"),
        pytest.param("\x01\x7f", b'"\\u0001\x7f"', id="control characters"),
    ],
)
def test_text_is_escaped_as_by_go(text: str, written: bytes) -> None:
    assert written == encoding.dump(text)


def test_what_is_no_text_at_all_is_replaced() -> None:
    assert b'"?"' == encoding.dump("\udc80")


def test_keys_stay_in_their_order_without_spaces() -> None:
    assert b'{"b":1,"a":[true,null]}' == encoding.dump({"b": 1, "a": [True, None]})


def test_a_descriptor_has_the_fields_in_the_order_of_the_image_spec() -> None:
    raw = {
        "artifactType": "t",
        "platform": {
            "variant": "v8",
            "os": "linux",
            "architecture": "arm64",
            "os.version": "1",
            "os.features": ["f"],
        },
        "data": "e30=",
        "annotations": {"b": "2", "a": "1"},
        "urls": ["u"],
        "size": 1,
        "digest": "d",
        "mediaType": "m",
    }
    assert (
        b'{"mediaType":"m","digest":"d","size":1,"urls":["u"],'
        b'"annotations":{"a":"1","b":"2"},"data":"e30=",'
        b'"platform":{"architecture":"arm64","os":"linux","os.version":"1",'
        b'"os.features":["f"],"variant":"v8"},"artifactType":"t"}'
    ) == encoding.dump(encoding.descriptor(raw))


def test_empty_fields_and_unknown_ones_are_left_out_of_a_descriptor() -> None:
    raw = {
        "digest": "d",
        "size": 0,
        "annotations": {},
        "urls": [],
        "artifactType": "",
        "platform": None,
        "mine": 1,
    }
    assert {"mediaType": "", "digest": "d", "size": 0} == encoding.descriptor(raw)


def test_a_platform_without_words_keeps_both() -> None:
    raw = {"digest": "d", "platform": {"os.version": ""}}
    expected = {"architecture": "", "os": ""}
    assert expected == encoding.descriptor(raw)["platform"]
