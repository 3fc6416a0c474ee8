import pytest

from app.checker import specs
from app.checker.specs import Specs
from app.compat.spec import Spec
from app.errors import SpecError
from tests.tools.doubles import wants_module


def test_content_is_a_spec_or_says_what_is_wrong() -> None:
    assert isinstance(specs.read(wants_module("x").encode()), Spec)
    assert isinstance(specs.read(b"a: ["), SpecError)


def test_specs_and_errors_are_remembered_and_those_asked_for_last_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(specs, "MAX_SPECS", 2)
    known = Specs()
    good, bad = specs.read(wants_module("x").encode()), specs.read(b"a: [")
    assert known.known("good") is None
    known.keep("good", good)
    known.keep("bad", bad)
    assert good is known.known("good")
    known.keep("other", good)
    assert [good, None, good] == [known.known(k) for k in ("good", "bad", "other")]
    assert 2 == len(known)
