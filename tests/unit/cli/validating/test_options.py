"""What is typed means what it means to NFD's client."""

import platform

import pytest

from app.cli.validating.options import platform_of, tags_of


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("s390x", "s390x")],
)
def test_an_operating_system_alone_is_of_this_hosts_architecture(
    machine: str, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert f"linux/{architecture}" == platform_of("linux")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (None, None),
        ("", None),
        ("linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("/", "/"),
    ],
)
def test_any_other_platform_is_as_it_is_typed(
    typed: str | None, meant: str | None
) -> None:
    assert meant == platform_of(typed)


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ((), ()),
        (("",), ()),
        (("a,b", "c"), ("a", "b", "c")),
        (("a,",), ("a", "")),
        ((" a",), (" a",)),
    ],
)
def test_commas_separate_tags_and_nothing_is_no_tag(
    typed: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    assert tags == tags_of(typed)
