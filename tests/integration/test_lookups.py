"""What looking for specs costs that does not depend on time: requests."""

import pytest

from bench import lookups
from bench.lookups import CASES, Case

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_cold_image_takes_few_requests_and_a_known_one_none(case: Case) -> None:
    """Of a second repository the challenge is known; the token is its own."""
    found = await lookups.counted(case)
    assert case.goal >= found.cold
    assert 0 == found.again
    assert found.cold - case.auth == found.next


async def test_a_hundred_pods_of_one_image_at_once_cause_one_fetch() -> None:
    assert 4 == await lookups.of_many_pods(100)


async def test_a_figure_of_an_image_that_is_not_found_is_none() -> None:
    """Else a registry that fails at once would look fast."""
    async with lookups.reading("127.0.0.1:1") as artifacts:
        with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:1"):
            await lookups.look(artifacts, "127.0.0.1:1/app:1")
