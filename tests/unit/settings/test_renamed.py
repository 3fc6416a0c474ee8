"""Settings files of older versions."""

from pathlib import Path

import pytest

from app.settings import document, naming, renamed
from app.settings.document import Document
from app.settings.faults import Place, dotted
from app.settings.fitting import fit
from app.settings.loading import Accepted, judge_file
from app.settings.sections import Settings

OLD = sorted(Path(__file__).parent.glob("settings-*.yaml"))


@pytest.mark.parametrize("file", OLD, ids=lambda file: file.stem)
def test_a_settings_file_of_an_older_version_loads(file: Path) -> None:
    assert isinstance(judge_file(file), Accepted)


def test_the_newest_of_them_has_every_setting_and_no_default() -> None:
    judged = judge_file(OLD[-1])
    assert isinstance(judged, Accepted)
    given = {path for path in judged.document.keys if len(path) == 2}
    assert set(naming.settings()) == given
    usual = Settings()
    assert [] == [
        (section, key)
        for section, key in naming.settings()
        if judged.document.content[section][key]
        == getattr(
            getattr(usual, section),
            naming.aliases(type(getattr(usual, section)))[key],
        )
    ]


def read(text: str) -> Document:
    found = document.read(text.encode())
    assert isinstance(found, Document)
    return found


FAKE = {"policy.severity": "policy.mode", "policy.ports": "server.port"}


def test_an_old_key_is_read_under_its_new_name_and_told() -> None:
    old = read("policy:\n  severity: warn\n  ports: 1\n")
    found = renamed.apply(old, FAKE)
    assert {"policy": {"mode": "warn"}, "server": {"port": 1}} == found.document.content
    assert [
        ("policy.severity", "is called policy.mode now", Place(2, 3)),
        ("policy.ports", "is called server.port now", Place(3, 3)),
    ] == [(dotted(one.path), one.message, one.place) for one in found.advice]
    settings = fit(found.document, {})
    assert isinstance(settings, Settings)
    assert ("warn", 1) == (settings.policy.mode, settings.server.port)


def test_a_fault_of_an_old_key_has_the_new_name_and_the_old_place() -> None:
    found = renamed.apply(read("server:\npolicy: {severity: strict}\n"), FAKE)
    faults = fit(found.document, {})
    assert isinstance(faults, tuple)
    assert [
        'f:2:20: policy.mode: expected one of enforce, warn, audit or off, got "strict"'
    ] == [one.line("f") for one in faults]


def test_a_section_that_is_empty_takes_what_moves_there() -> None:
    found = renamed.apply(read("server:\npolicy: {ports: 1}\n"), FAKE)
    assert {"policy": {}, "server": {"port": 1}} == found.document.content


def test_both_names_at_once_are_a_fault() -> None:
    found = renamed.apply(read("policy: {severity: warn, mode: warn}"), FAKE)
    assert [
        "f:1:10: policy.severity: is the old name of policy.mode, which stands here too"
    ] == [one.line("f") for one in found.faults]


def test_nothing_has_another_name_yet() -> None:
    assert {} == renamed.RENAMED
