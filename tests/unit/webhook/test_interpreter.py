import gc
import resource
import sys
from collections.abc import Iterator

import pytest

from app.webhook import interpreter


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Gives the interpreter back as it was found."""
    switch, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(switch)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_a_thread_that_computes_gives_way_soon() -> None:
    interpreter.tune()
    assert interpreter.SWITCH_SECONDS == pytest.approx(sys.getswitchinterval())


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param((256, 4096), (4096, 4096), id="as many as we want"),
        pytest.param((256, 1024), (1024, 1024), id="as many as we may"),
        pytest.param((8192, 8192), (8192, 8192), id="never fewer"),
        pytest.param((256, -1), (4096, -1), id="without a bound"),
    ],
)
def test_as_many_files_as_we_want_can_be_open(
    limits: tuple[int, int],
    expected: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda _: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: found.append(pair))
    interpreter.tune()
    assert expected == found[-1]


def test_what_is_there_is_never_looked_through_again() -> None:
    interpreter.tune()
    assert interpreter.THRESHOLDS == gc.get_threshold()
    frozen = gc.get_freeze_count()
    assert frozen > 0
    kept = [[number] for number in range(1_000)]
    interpreter.settle()
    assert gc.get_freeze_count() >= frozen + len(kept)


def test_what_is_frozen_goes_when_nobody_holds_it() -> None:
    kept = [[number] for number in range(1_000)]
    interpreter.settle()
    frozen = gc.get_freeze_count()
    kept.clear()
    assert gc.get_freeze_count() <= frozen - 1_000
