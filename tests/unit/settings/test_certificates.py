"""Lives of certificates that cannot work are refused before they are applied."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.settings.sections import CertificateSettings


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("at least 2", {"leafSeconds": 1}, id="leaf"),
        pytest.param("at least 2", {"authoritySeconds": 1.5}, id="authority"),
        pytest.param(
            "publishSeconds: expected less than 60",
            {"leafSeconds": 60},
            id="a leaf ends before its successor may be made",
        ),
        pytest.param(
            "publishSeconds: expected less than 50",
            {"authoritySeconds": 100, "renewAt": 0.5},
            id="an authority ends before its successor is published",
        ),
    ],
)
def test_lives_that_cannot_work_are_refused(
    text: str, values: dict[str, float]
) -> None:
    with pytest.raises(ValidationError, match=text):
        CertificateSettings.model_validate(values)


def test_short_lives_that_work_are_accepted() -> None:
    values = {"authoritySeconds": 15, "leafSeconds": 6, "publishSeconds": 2}
    assert 6 == CertificateSettings.model_validate(values).leaf_seconds
