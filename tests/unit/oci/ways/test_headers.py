"""Which headers of a `hosts.toml` are sent."""

import pytest

from app.oci.ways.headers import MAX_HEADERS, MAX_VALUE_CHARACTERS, require


def test_other_headers_are_sent_a_credential_too() -> None:
    headers = {"X-Token": "a b\tc", "Authorization": "Bearer x"}
    assert headers == require(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "connection",
        "Transfer-Encoding",
        "CONTENT-LENGTH",
        "te",
        "upgrade",
        "Proxy-Authorization",
        "keep-alive",
        "trailer",
        "accept",
        "Accept-Encoding",
    ],
)
def test_headers_of_one_hop_and_of_ours_are_not(name: str) -> None:
    with pytest.raises(ValueError, match="is not to be set"):
        require({name: "x"})


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a" * 257])
def test_a_name_is_a_token(name: str) -> None:
    with pytest.raises(ValueError, match="no header's name"):
        require({name: "x"})


@pytest.mark.parametrize("value", ["canary\r\nHost: x", "canary\n", "canary\0", "ä"])
def test_a_value_stays_on_its_line_and_is_never_told(value: str) -> None:
    with pytest.raises(ValueError, match="X-A has a value that cannot") as caught:
        require({"X-A": value})
    assert "canary" not in str(caught.value)


def test_bounds_hold_to_the_last_one() -> None:
    most = {f"x-{number}": "x" for number in range(MAX_HEADERS)}
    assert most == require(most)
    with pytest.raises(ValueError, match="at most"):
        require({**most, "y": "x"})
    assert require({"x": "v" * MAX_VALUE_CHARACTERS})
    with pytest.raises(ValueError, match="cannot be sent"):
        require({"x": "v" * (MAX_VALUE_CHARACTERS + 1)})


def test_a_name_stands_once_however_it_is_written() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        require({"X-A": "1", "x-a": "2"})
