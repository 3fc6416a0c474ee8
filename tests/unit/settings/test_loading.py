from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.admission.exemption import Exemption
from app.admission.message import Detail
from app.admission.policy import Action, Mode, NodesMayAppear, Policy
from app.compat.outcome import UnpublishedFeatures
from app.errors import ConfigError
from app.settings import loading


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own variables decide nothing."""
    for name in ("IMAGECOMPAT_SERVER__PORT", "IMAGECOMPAT_POLICY__MODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def test_without_a_file_the_defaults_are_the_cores() -> None:
    assert Policy() == loading.load(None).policy.policy()


def test_a_file_uses_the_names_of_the_documentation(file: Path) -> None:
    file.write_text(
        """\
server: {port: 8443}
registry: {hosts: {"r.example:5000": {plainHttp: true, private: true}}}
policy:
  mode: audit
  onUnavailable: deny
  messages: counts
"""
    )
    loaded = loading.load(file)
    assert loaded.server.port == 8443
    assert loaded.registry.hosts["r.example:5000"].plain_http
    assert Mode.AUDIT is loaded.policy.mode
    assert Action.DENY is loaded.policy.policy().on_unavailable
    assert Detail.COUNTS is loaded.policy.messages


@pytest.mark.parametrize(
    ("text", "mode", "nodes"),
    [
        ("{mode: off, nodesMayAppear: no}", Mode.OFF, NodesMayAppear.NO),
        ("{mode: warn, nodesMayAppear: yes}", Mode.WARN, NodesMayAppear.YES),
        ("{nodesMayAppear: auto}", Mode.ENFORCE, NodesMayAppear.AUTO),
    ],
)
def test_bare_words_that_yaml_takes_for_booleans_are_words(
    file: Path, text: str, mode: Mode, nodes: NodesMayAppear
) -> None:
    file.write_text(f"policy: {text}")
    loaded = loading.load(file).policy
    assert (mode, nodes) == (loaded.mode, loaded.nodes_may_appear)


def test_a_bare_no_is_a_word_for_unpublished_features_too(file: Path) -> None:
    usual = loading.load(None).policy.unpublished_features
    assert UnpublishedFeatures.UNKNOWN is usual
    file.write_text("policy: {unpublishedFeatures: no}")
    chosen = loading.load(file).policy.unpublished_features
    assert UnpublishedFeatures.NO is chosen
    file.write_text("policy: {unpublishedFeatures: yes}")
    with pytest.raises(ConfigError, match=r"policy\.unpublishedFeatures"):
        loading.load(file)


def test_the_environment_wins_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("server: {port: 8443, host: 127.0.0.1}")
    monkeypatch.setenv("IMAGECOMPAT_SERVER__PORT", "9999")
    loaded = loading.load(file).server
    assert ("127.0.0.1", 9999) == (loaded.host, loaded.port)


def test_a_variable_has_the_settings_name_in_words_and_lists_are_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGECOMPAT_POLICY__ON_UNKNOWN", "deny")
    monkeypatch.setenv("IMAGECOMPAT_POLICY__TAGS", '["gpu"]')
    loaded = loading.load(None).policy
    assert (Action.DENY, ("gpu",)) == (loaded.on_unknown, loaded.tags)


def test_an_empty_file_is_no_settings(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert loading.load(None) == loading.load(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "policy: {onUnknwon: deny}",
            '1:10: policy.onUnknwon: unknown key; did you mean "onUnknown"?',
            id="typo",
        ),
        pytest.param(
            "polcy: {}",
            'settings.yaml:1:1: polcy: unknown key; did you mean "policy"?',
            id="section",
        ),
        pytest.param(
            "policy: {onUnknown: reject}",
            "expected one of deny, warn, allow",
            id="action",
        ),
        pytest.param("policy: {onUnknown: 3}", "policy.onUnknown", id="number"),
        pytest.param("policy: {mode: true}", "policy.mode", id="mode"),
        pytest.param(
            "server: {port: 70000}",
            "server.port: expected at most 65535, got 70000",
            id="port",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b}]}",
            "expected namespaces, images or serviceAccounts",
            id="exemption of everything",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: '', reason: b, images: [x]}]}",
            "policy.exemptions.0.owner",
            id="exemption of nobody",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, images: [x], "
            "expires: '2027-01-01T12:00:00'}]}",
            "policy.exemptions.0.expires",
            id="time without a zone",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, serviceAccounts: [robot]}]}",
            "policy.exemptions.0.serviceAccounts.0: expected namespace/",
            id="service account without a namespace",
        ),
        pytest.param(
            "cluster: {nodesIgnore: 'a in'}",
            "cluster.nodesIgnore: no label selector at column",
            id="selector",
        ),
        pytest.param(
            "cluster: {transientTaints: ['']}",
            "cluster.transientTaints.0",
            id="taint without a key",
        ),
        pytest.param(
            "policy: {poolLabels: ['pool=gpu']}",
            "policy.poolLabels.0: expected the key of a label",
            id="label with a value",
        ),
        pytest.param("- a", "expected a mapping", id="list"),
        pytest.param("1: {}", "expected a text as key", id="number as key"),
        pytest.param("a: [", "no valid YAML", id="broken"),
        pytest.param("[" * 5000, "1:33: nested more than 32", id="deep"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(
    file: Path, text: str, words: str
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    assert caught.value.reason == "InvalidSettings"
    assert str(file) in caught.value.message
    assert words in caught.value.message


def test_a_value_of_the_environment_is_checked_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGECOMPAT_POLICY__MODE", "strict")
    with pytest.raises(
        ConfigError, match=r"^IMAGECOMPAT_POLICY__MODE: policy\.mode: expected one"
    ):
        loading.load(None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        loading.load(tmp_path / "none.yaml")


def test_a_file_of_one_mebibyte_is_read_and_one_byte_more_is_not(file: Path) -> None:
    file.write_bytes(b"#" * loading.MAX_FILE_BYTES)
    assert loading.load(None) == loading.load(file)
    file.write_bytes(b"#" * (loading.MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
        loading.load(file)


def test_exemptions_end_at_the_first_moment_of_their_date(file: Path) -> None:
    file.write_text(
        """\
policy:
  exemptions:
  - {owner: ada, reason: legacy, namespaces: [old-*], expires: 2027-01-01}
  - owner: bob
    reason: vendor
    images: [vendor.example/*]
    serviceAccounts: [ns/sa, "*-robot"]
    expires: 2027-01-01T12:00:00+02:00
  - {owner: eve, reason: for ever, images: [x]}
"""
    )
    dated, timed, lasting = (
        one.exemption() for one in loading.load(file).policy.exemptions
    )
    assert (
        Exemption(
            owner="ada",
            reason="legacy",
            namespaces=("old-*",),
            expires=datetime(2027, 1, 1, tzinfo=UTC),
        )
        == dated
    )
    assert datetime(2027, 1, 1, 10, tzinfo=UTC) == timed.expires
    assert ("vendor.example/*",) == timed.images
    assert lasting.expires is None


def test_hosts_are_compared_in_lower_case(file: Path) -> None:
    file.write_text("registry: {hosts: {Registry.Example: {private: true}}}")
    assert ["registry.example"] == list(loading.load(file).registry.hosts)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        loading.load(tmp_path)


def test_a_file_that_is_away_for_a_moment_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the kubelet takes an old version of a volume away."""
    file.write_text("policy: {mode: warn}")
    opened, tries = Path.open, list[Path]()

    def away_once(path: Path, mode: str) -> object:
        tries.append(path)
        if len(tries) == 1:
            raise FileNotFoundError(2, "No such file or directory")
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", away_once)
    assert Mode.WARN is loading.load(file).policy.mode
    assert 2 == len(tries)


def test_every_fault_has_its_own_line(file: Path) -> None:
    file.write_text("policy:\n  mode: x\n  mod: y\n")
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    first, second = caught.value.message.splitlines()
    assert first.startswith(f"{file}:2:9: policy.mode: expected one of")
    assert f'{file}:3:3: policy.mod: unknown key; did you mean "mode"?' == second
