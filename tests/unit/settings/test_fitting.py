"""What is said of values that do not fit, and whose they are."""

import pytest

from app.settings import document
from app.settings.document import Document
from app.settings.faults import Fault, Place, ordered, unknown_key
from app.settings.fitting import fit
from app.settings.sections import Settings


def told(text: str, environment: dict[str, str] | None = None) -> list[str]:
    found = document.read(text.encode())
    assert isinstance(found, Document)
    faults = fit(found, environment or {})
    assert isinstance(faults, tuple)
    return [one.line("f") for one in faults]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "policy: {mode: strict}",
            "f:1:16: policy.mode: expected one of enforce, warn, audit or off, "
            'got "strict"',
            id="word",
        ),
        pytest.param(
            "policy: {onError: refuse}",
            "f:1:19: policy.onError: expected one of deny, warn, allow",
            id="action",
        ),
        pytest.param(
            "policy: {annotate: maybe}",
            'f:1:20: policy.annotate: expected true or false, got "maybe"',
            id="bool",
        ),
        pytest.param(
            "server: {port: many}",
            'f:1:16: server.port: expected a whole number, got "many"',
            id="int",
        ),
        pytest.param(
            "server: {port: 1.5}",
            "f:1:16: server.port: expected a whole number, got 1.5",
            id="fraction",
        ),
        pytest.param(
            "server: {port: -1}",
            "f:1:16: server.port: expected at least 0, got -1",
            id="at least",
        ),
        pytest.param(
            "server: {port: 70000}",
            "f:1:16: server.port: expected at most 65535, got 70000",
            id="at most",
        ),
        pytest.param(
            "server: {deadlineShare: 1}",
            "f:1:25: server.deadlineShare: expected less than 1, got 1",
            id="less",
        ),
        pytest.param(
            "server: {deadlineShare: 0}",
            "f:1:25: server.deadlineShare: expected more than 0, got 0",
            id="more",
        ),
        pytest.param(
            "policy: {staleAfterSeconds: soon}",
            'f:1:29: policy.staleAfterSeconds: expected a number, got "soon"',
            id="float",
        ),
        pytest.param(
            "policy: {tags: gpu}",
            'f:1:16: policy.tags: expected a list, got "gpu"',
            id="list",
        ),
        pytest.param(
            "policy: {tags: [[a]]}",
            "f:1:17: policy.tags.0: expected a text, got a list",
            id="text",
        ),
        pytest.param(
            "registry: {hosts: [a]}",
            "f:1:19: registry.hosts: expected a mapping, got a list",
            id="mapping",
        ),
        pytest.param(
            "registry: {hosts: {a: yes}}",
            "f:1:23: registry.hosts.a: expected a mapping, got true",
            id="host",
        ),
        pytest.param(
            "registry: {dockerConfig: [a]}",
            "f:1:26: registry.dockerConfig: expected a text, got a list",
            id="path",
        ),
        pytest.param(
            "policy: 3", "f:1:9: policy: expected a mapping, got 3", id="section"
        ),
        pytest.param(
            "cluster: {transientTaints: ['']}",
            "f:1:29: cluster.transientTaints.0: expected a text that is not empty, "
            'got ""',
            id="empty",
        ),
        pytest.param(
            "policy: {exemptions: {}}",
            "f:1:22: policy.exemptions: expected a list, got a mapping",
            id="exemptions",
        ),
        pytest.param(
            "policy: {exemptions: [3]}",
            "f:1:23: policy.exemptions.0: expected a mapping, got 3",
            id="exemption",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, images: [x]}]}",
            "f:1:23: policy.exemptions.0.reason: is missing",
            id="missing",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, images: [x], expires: x}]}",
            "f:1:67: policy.exemptions.0.expires: expected a date, or a time with "
            'its zone, got "x"',
            id="date",
        ),
        pytest.param(
            "policy:\n  exemptions:\n  - {owner: a, reason: b, images: [x], "
            "expires: 2027-01-01 10:00:00}",
            "f:3:49: policy.exemptions.0.expires: expected a date, or a time with "
            'its zone, got "2027-01-01 10:00:00"',
            id="time without a zone",
        ),
        pytest.param(
            "registry: {hosts: {A.example: {}, a.example: {}}}",
            "f:1:19: registry.hosts: A.example and a.example are one host",
            id="one host twice",
        ),
        pytest.param(
            'registry: {hosts: {"A\\e": {}}}',
            "f:1:27: registry.hosts.A\\x1b: expected HOST, HOST:PORT or "
            "[ADDRESS]:PORT, as images name it: no scheme and no path",
            id="a host that colours",
        ),
        pytest.param(
            "registry: {hosts: {my_host: {plain_http: true}}}",
            "f:1:30: registry.hosts.my_host.plain_http: unknown key; did you mean "
            '"plainHttp"?',
            id="words",
        ),
        pytest.param(
            "policy: {on_unknown: deny}",
            'f:1:10: policy.on_unknown: unknown key; did you mean "onUnknown"?',
            id="as the code spells it",
        ),
        pytest.param(
            "server: {mode: warn}",
            'f:1:10: server.mode: unknown key; it belongs to "certificates"',
            id="elsewhere",
        ),
        pytest.param(
            "server: {zzz: 1}", "f:1:10: server.zzz: unknown key", id="unknown"
        ),
        pytest.param(
            "Policy: {}",
            'f:1:1: Policy: unknown key; did you mean "policy"?',
            id="section in capitals",
        ),
        pytest.param(
            "policy: {mode: '" + "x" * 100 + "'}",
            "f:1:16: policy.mode: expected one of enforce, warn, audit or off, "
            'got "' + "x" * 39 + "...",
            id="long",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_place(text: str, line: str) -> None:
    assert [line] == told(text)


def test_every_fault_is_told_in_the_order_of_the_file() -> None:
    text = "policy:\n  mode: x\n  wrong: 1\nserver:\n  port: x\nregistry: []\n"
    assert ["f:2:9", "f:3:3", "f:5:9", "f:6:11"] == [
        line.partition(": ")[0] for line in told(text)
    ]


def test_a_section_of_which_all_is_commented_out_is_empty() -> None:
    found = document.read(b"policy:\n  # mode: warn\nserver: {port: 1}\n")
    assert isinstance(found, Document)
    settings = fit(found, {})
    assert isinstance(settings, Settings)
    assert ("enforce", 1) == (settings.policy.mode, settings.server.port)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        pytest.param(
            "IMAGECOMPAT_POLICY__ON_UNKNOWN",
            "x",
            "policy.onUnknown: expected one of deny, warn, allow",
            id="value",
        ),
        pytest.param(
            "imagecompat_policy__mode",
            "x",
            'policy.mode: expected one of enforce, warn, audit or off, got "x"',
            id="small letters",
        ),
        pytest.param(
            "IMAGECOMPAT_POLICY__ONUNKNWON",
            "deny",
            'policy.onunknwon: unknown key; did you mean "onUnknown"?',
            id="name",
        ),
        pytest.param(
            "IMAGECOMPAT_POLICY__TAGS",
            "gpu",
            "expected JSON for lists and mappings",
            id="no JSON",
        ),
        pytest.param("IMAGECOMPAT_POLICY__TAGS", "[gpu", "expected JSON", id="broken"),
        pytest.param("IMAGECOMPAT_POLICY", "{", "expected JSON", id="section"),
        pytest.param(
            "IMAGECOMPAT_REGISTRY__HOSTS__R__X",
            "1",
            "registry.hosts.r.x: unknown key",
            id="deep",
        ),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    where = "the environment" if "for lists" in line else name
    assert [f"{where}: {line}"] == told("policy: {mode: warn}", {name: value})


def test_variables_of_a_service_are_no_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kubelet sets these for a Service named `imagecompat`."""
    monkeypatch.setenv("IMAGECOMPAT_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("IMAGECOMPAT_PORT", "tcp://10.0.0.1:443")
    assert isinstance(fit(Document(), {}), Settings)


def test_the_environment_wins_over_a_file_for_names_of_several_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGECOMPAT_POLICY__ON_UNKNOWN", "deny")
    found = document.read(b"policy: {onUnknown: allow, onInvalid: deny}")
    assert isinstance(found, Document)
    settings = fit(found, {})
    assert isinstance(settings, Settings)
    assert ("DENY", "DENY") == (
        settings.policy.on_unknown.name,
        settings.policy.on_invalid.name,
    )


def test_a_key_is_looked_for_by_likeness() -> None:
    assert 'unknown key; did you mean "onUnknown"?' == unknown_key(
        "on-unknwon", ["mode", "onUnknown"]
    )
    assert "unknown key" == unknown_key("zzz", ["mode"])


def test_faults_are_in_order_and_each_once() -> None:
    early, late, nowhere = (
        Fault("b", place=Place(1, 2)),
        Fault("a", place=Place(2, 1)),
        Fault("c"),
    )
    assert (early, late, nowhere) == ordered([nowhere, late, early, late])
