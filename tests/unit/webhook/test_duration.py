import pytest

from app.webhook.duration import granted_by_query, granted_seconds


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        pytest.param("5s", 5.0, id="as the API server sends it"),
        pytest.param("1m0s", 30.0, id="longer than any webhook may take"),
        pytest.param("30s", 30.0, id="the longest"),
        pytest.param("1.5s", 1.5, id="fraction"),
        pytest.param("500ms", 0.5, id="milliseconds"),
        pytest.param("250µs", 0.00025, id="micro"),
        pytest.param("1s500ms", 1.5, id="two parts"),
        pytest.param(None, 7.0, id="absent"),
        pytest.param("", 7.0, id="empty"),
        pytest.param("0s", 7.0, id="zero"),
        pytest.param("0", 7.0, id="zero without a unit"),
        pytest.param("-5s", 7.0, id="negative"),
        pytest.param("5", 7.0, id="no unit"),
        pytest.param("5s ", 7.0, id="trailing"),
        pytest.param("x5s", 7.0, id="leading"),
        pytest.param("٥s", 7.0, id="digits of another script"),
        pytest.param("9" * 5000 + "s", 7.0, id="endless"),
    ],
)
def test_the_granted_time(timeout: str | None, seconds: float) -> None:
    assert seconds == pytest.approx(granted_seconds(timeout, 7.0))


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        pytest.param(b"timeout=5s", 5.0, id="as the API server sends it"),
        pytest.param(b"", 7.0, id="none"),
        pytest.param(b"a=b&timeout=250%C2%B5s", 0.00025, id="escaped"),
        pytest.param(b"timeout=1s&timeout=2s", 2.0, id="the last one counts"),
        pytest.param(b"timeout=\xff", 7.0, id="no text"),
    ],
)
def test_the_time_that_a_query_grants(query: bytes, seconds: float) -> None:
    assert seconds == pytest.approx(granted_by_query(query, 7.0))


def test_what_is_remembered_of_queries_is_bounded_and_knows_the_default() -> None:
    assert [7.0, 9.0] == [granted_by_query(b"", seconds) for seconds in (7.0, 9.0)]
    for number in range(100):
        granted_by_query(b"timeout=%ds&n=%d" % (number, number), 7.0)
    assert 16 == granted_by_query.cache_info().currsize
