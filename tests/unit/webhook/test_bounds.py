from app.settings.sections import ServerSettings
from app.webhook import bounds

API_SERVER_SECONDS = 90
"""For so long the API server keeps a connection that it does not use."""


def test_an_idle_connection_is_kept_for_longer_than_the_api_server_does() -> None:
    assert bounds.of_reviews(ServerSettings()).idle_seconds > API_SERVER_SECONDS


def test_the_settings_bound_connections_with_reviews() -> None:
    settings = ServerSettings(
        keep_alive_seconds=7, requests_per_connection=8, connection_seconds=9
    )
    found = bounds.of_reviews(settings)
    assert (7, 8, 9) == (found.idle_seconds, found.requests, found.seconds)


def test_who_reads_metrics_is_not_sent_elsewhere() -> None:
    settings = ServerSettings(requests_per_connection=1, connection_seconds=1)
    found = bounds.of_status(settings)
    assert found.requests > 10**6
    assert found.seconds > 10**6


def test_no_review_may_outlive_the_time_for_its_body() -> None:
    """`timeoutSeconds` of a webhook is 30 at most."""
    assert bounds.BODY_SECONDS == 30
