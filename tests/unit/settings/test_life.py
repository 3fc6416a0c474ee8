"""Every setting is live or needs a new process, and the table tells the truth."""

from pathlib import Path

import pytest

from app.bootstrap.options import options
from app.settings import life, naming
from app.settings.faults import dotted
from app.settings.life import LIFE, Change, Life
from app.settings.loading import Accepted, judge, judge_file
from app.settings.sections import Settings

OTHERS = Path(__file__).with_name("settings-0.1.yaml")
NAMES = [dotted(path) for path in naming.settings()]


def test_the_table_has_every_setting_and_no_other() -> None:
    """A new field must be put there."""
    assert sorted(NAMES) == sorted(LIFE)


def with_other(name: str) -> Settings:
    """The defaults, but for one setting."""
    judged = judge_file(OTHERS)
    assert isinstance(judged, Accepted)
    section, key = name.split(".")
    part = getattr(judged.settings, section)
    field = naming.aliases(type(part))[key]
    usual = Settings()
    other = getattr(usual, section).model_copy(update={field: getattr(part, field)})
    return usual.model_copy(update={section: other})


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_differs_is_told_and_taken_up_by_its_life(name: str) -> None:
    usual, other = Settings(), with_other(name)
    (change,) = life.changes(usual, other)
    assert name == change.name
    taken = life.taken_up(usual, other)
    is_live = LIFE[name] is Life.LIVE
    assert (other if is_live else usual) == taken
    assert (() if is_live else (change,)) == life.changes(taken, other)
    assert (change,) == life.needing((change,), LIFE[name])


@pytest.mark.parametrize("name", [name for name in NAMES if LIFE[name] is Life.LIVE])
def test_a_live_setting_reaches_what_is_exchanged(name: str) -> None:
    """`bootstrap.switch` exchanges options, and registries by their section."""
    usual, other = Settings(), with_other(name)
    is_option = options(usual) != options(other)
    assert is_option or usual.registry != other.registry


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if LIFE[name] is Life.PROCESS and name.startswith(("cluster", "server"))
    ],
)
def test_what_needs_a_process_reaches_nothing_that_is_exchanged(name: str) -> None:
    assert options(Settings()) == options(with_other(name))


def settings(text: str) -> Settings:
    judged = judge(text.encode(), "f")
    assert isinstance(judged, Accepted)
    return judged.settings


def told(old: str, new: str) -> list[dict[str, object]]:
    return [one.told() for one in life.changes(settings(old), settings(new))]


def test_values_are_told_as_a_file_spells_them() -> None:
    assert [
        {"setting": "policy.mode", "old": "enforce", "new": "off"},
        {"setting": "policy.onUnknown", "old": "warn", "new": "deny"},
    ] == told("", "policy: {mode: off, onUnknown: deny}")


def test_of_lists_and_mappings_only_the_difference_is_told() -> None:
    old = """\
registry: {hosts: {a: {private: true}, b: {}}}
policy:
  exemptions:
  - {owner: ada, reason: old, images: [x], expires: 2027-01-01}
  - {owner: bob, reason: vendor, images: [y]}
"""
    new = """\
registry: {hosts: {a: {tokenServers: [y, x]}, b: {}, c: {}}}
policy:
  exemptions:
  - {owner: bob, reason: vendor, images: [y]}
"""
    off = ("plainHttp", "plainHttpCredentials", "private", "loopback")
    no_file = ("caFile", "clientCertificate", "clientKey")
    plain = dict.fromkeys(off, False) | dict.fromkeys(no_file)
    gone = {
        "owner": "ada",
        "reason": "old",
        "namespaces": [],
        "images": ["x"],
        "serviceAccounts": [],
        "expires": "2027-01-01",
    }
    assert [
        {
            "setting": "registry.hosts",
            "removed": {"a": {**plain, "private": True, "tokenServers": []}},
            "added": {
                "a": {**plain, "tokenServers": ["x", "y"]},
                "c": {**plain, "tokenServers": []},
            },
        },
        {"setting": "policy.exemptions", "removed": [gone], "added": []},
    ] == told(old, new)


def test_a_path_and_nothing_are_told_too() -> None:
    assert [{"setting": "registry.layoutRoot", "old": None, "new": "/x"}] == told(
        "", "registry: {layoutRoot: /x}"
    )


def test_a_change_knows_its_life() -> None:
    assert Life.LIVE is Change(("policy", "mode"), "off", "warn").life
