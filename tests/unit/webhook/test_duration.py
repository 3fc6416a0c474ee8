import pytest

from app.webhook.duration import granted_seconds


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
