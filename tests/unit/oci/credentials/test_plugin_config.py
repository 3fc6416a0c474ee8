"""A kubelet's CredentialProviderConfig."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from app.errors import ConfigError
from app.oci.credentials import plugin_config
from app.oci.credentials.plugin_config import (
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_FAULTS,
    MAX_PLUGIN_CONFIG_BYTES,
    MAX_PLUGINS,
    Plugin,
    read_plugins,
)

CANARY = "canary-7f3a"
ECR = """\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - registry.example:5000/team
    defaultCacheDuration: "12h"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get-credentials, "--v=3"]
    env:
      - name: AWS_PROFILE
        value: canary-7f3a
"""
PROVIDER: dict[str, Any] = {
    "name": "one",
    "matchImages": ["r.example"],
    "defaultCacheDuration": "1m",
    "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
}
WHOLE: dict[str, Any] = {
    "apiVersion": "kubelet.config.k8s.io/v1",
    "kind": "CredentialProviderConfig",
    "providers": [PROVIDER],
}


def read(content: object) -> tuple[Plugin, ...]:
    return read_plugins(json.dumps(content).encode())


def faults(content: bytes | str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_plugins(content.encode() if isinstance(content, str) else content)
    assert "InvalidCredentialProviders" == caught.value.reason
    assert CANARY not in caught.value.message
    return caught.value.message.split("\n")


def with_provider(**fields: object) -> dict[str, Any]:
    """`WHOLE` with a provider of these fields; `...` leaves one out."""
    provider = {**PROVIDER, **fields}
    kept = {key: value for key, value in provider.items() if value is not ...}
    return {**WHOLE, "providers": [kept]}


def test_a_file_as_the_kubelet_reads_it() -> None:
    (found,) = read_plugins(ECR.encode())
    assert "ecr-credential-provider" == found.name
    assert "credentialprovider.kubelet.k8s.io/v1" == found.api_version
    assert 43200 == found.default_seconds
    assert ("get-credentials", "--v=3") == found.arguments
    assert {"AWS_PROFILE": CANARY} == found.environment
    patterns = ["*.dkr.ecr.*.amazonaws.com", "registry.example:5000/team"]
    assert patterns == [one.key for one in found.match]
    assert CANARY not in repr(found)


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
@pytest.mark.parametrize("protocol", ["v1", "v1beta1", "v1alpha1"])
def test_all_versions_that_the_kubelet_knows_are_read(
    version: str, protocol: str
) -> None:
    spoken = f"credentialprovider.kubelet.k8s.io/{protocol}"
    content = with_provider(apiVersion=spoken)
    content["apiVersion"] = f"kubelet.config.k8s.io/{version}"
    assert [spoken] == [one.api_version for one in read(content)]


def test_providers_keep_their_order() -> None:
    names = ["b", "a", "c"]
    content = {**WHOLE, "providers": [{**PROVIDER, "name": name} for name in names]}
    assert names == [one.name for one in read(content)]


def test_what_is_null_is_left_out() -> None:
    (found,) = read(with_provider(args=None, env=None, tokenAttributes=None))
    assert ((), {}) == (found.arguments, found.environment)


def test_a_variable_may_be_empty() -> None:
    content = with_provider(env=[{"name": "A"}, {"name": "B", "value": ""}])
    assert {"A": "", "B": ""} == read(content)[0].environment


def test_no_time_at_all_is_a_duration() -> None:
    assert 0 == read(with_provider(defaultCacheDuration="0s"))[0].default_seconds


VERSIONS = " or ".join(
    f"credentialprovider.kubelet.k8s.io/{one}" for one in ("v1", "v1beta1", "v1alpha1")
)
PATTERN = "expected a pattern as `*.registry.example:5000/path`"
DURATION = "expected a duration as `12h` or `1h30m`, not below 0"
NAME = "expected a program's name of letters, digits and `._-`"
TEXT = 'expected a text; quote it ("...")'


@pytest.mark.parametrize(
    ("fields", "say"),
    [
        pytest.param({"name": ...}, ": expected `name`", id="no-name"),
        pytest.param({"name": "a/b"}, f".name: {NAME}", id="path"),
        pytest.param({"name": ".."}, f".name: {NAME}", id="way-up"),
        pytest.param({"name": "a b"}, f".name: {NAME}", id="blank"),
        pytest.param({"name": ""}, f".name: {NAME}", id="empty-name"),
        pytest.param({"name": 1}, f".name: {TEXT}", id="number-as-name"),
        pytest.param({"matchImages": ...}, ": expected `matchImages`", id="no-match"),
        pytest.param(
            {"matchImages": []}, ".matchImages: expected 1 or more", id="none"
        ),
        pytest.param(
            {"matchImages": "x"}, ".matchImages: expected a list", id="no-list"
        ),
        pytest.param(
            {"matchImages": ["a", 1]}, f".matchImages[1]: {TEXT}", id="number"
        ),
        pytest.param(
            {"matchImages": ["https://a"]}, f".matchImages[0]: {PATTERN}", id="scheme"
        ),
        pytest.param(
            {"matchImages": ["a[.b"]}, f".matchImages[0]: {PATTERN}", id="broken-glob"
        ),
        pytest.param(
            {"matchImages": ["a b"]}, f".matchImages[0]: {PATTERN}", id="no-host"
        ),
        pytest.param(
            {"defaultCacheDuration": ...},
            ": expected `defaultCacheDuration`",
            id="no-duration",
        ),
        pytest.param(
            {"defaultCacheDuration": None},
            ": expected `defaultCacheDuration`",
            id="null-duration",
        ),
        pytest.param(
            {"defaultCacheDuration": "-1s"},
            f".defaultCacheDuration: {DURATION}",
            id="below-nought",
        ),
        pytest.param(
            {"defaultCacheDuration": "soon"},
            f".defaultCacheDuration: {DURATION}",
            id="no-such-duration",
        ),
        pytest.param(
            {"defaultCacheDuration": 60},
            f".defaultCacheDuration: {TEXT}",
            id="seconds",
        ),
        pytest.param({"apiVersion": ...}, ": expected `apiVersion`", id="no-version"),
        pytest.param(
            {"apiVersion": "v1"}, f".apiVersion: expected {VERSIONS}", id="version"
        ),
        pytest.param(
            {"tokenAttributes": {"serviceAccountTokenAudience": "x"}},
            ".tokenAttributes: not supported: we have no ServiceAccount tokens of Pods",
            id="token-attributes",
        ),
        pytest.param({"args": "x"}, ".args: expected a list", id="args"),
        pytest.param({"args": [1]}, f".args[0]: {TEXT}", id="number-as-argument"),
        pytest.param(
            {"args": ["a\0b"]}, ".args[0]: expected a text without NUL", id="nul"
        ),
        pytest.param(
            {"env": ["A=b"]},
            ".env[0]: expected a mapping with name, value",
            id="env-as-text",
        ),
        pytest.param({"env": [{"value": "x"}]}, ".env[0]: expected `name`", id="env"),
        pytest.param(
            {"env": [{"name": "A=B"}]},
            ".env[0].name: expected a variable's name",
            id="env-name",
        ),
        pytest.param(
            {"env": [{"name": ""}]},
            ".env[0].name: expected a variable's name",
            id="env-no-name",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": "x\0"}]},
            ".env[0].name: expected a variable's name",
            id="env-nul",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": 1}]}, f".env[0].value: {TEXT}", id="env-1"
        ),
        pytest.param(
            {"env": [{"name": "A", "valueFrom": CANARY}]},
            ".env[0]: unknown key; did you mean `value`?",
            id="env-key",
        ),
        pytest.param(
            {"matchImage": ["x"]},
            ": unknown key; did you mean `matchImages`?",
            id="misspelled",
        ),
        pytest.param(
            {"zzz": CANARY},
            ": unknown key; expected name, matchImages, defaultCacheDuration, "
            "apiVersion, args, env, tokenAttributes",
            id="unknown",
        ),
    ],
)
def test_a_fault_of_a_provider_is_named(fields: dict[str, object], say: str) -> None:
    (found,) = faults(json.dumps(with_provider(**fields)))
    assert found.endswith(f": providers[0]{say}")


TOP = "expected kubelet.config.k8s.io/v1 or kubelet.config.k8s.io/v1beta1 or "


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.pop(key)


def _set(**fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update(fields)


@pytest.mark.parametrize(
    ("change", "say"),
    [
        pytest.param(_without("apiVersion"), "expected `apiVersion`", id="no-version"),
        pytest.param(
            _set(apiVersion="v1"),
            f"apiVersion: {TOP}kubelet.config.k8s.io/v1alpha1",
            id="version",
        ),
        pytest.param(_without("kind"), "expected `kind`", id="no-kind"),
        pytest.param(
            _set(kind="KubeletConfiguration"),
            "kind: expected CredentialProviderConfig",
            id="kind",
        ),
        pytest.param(_without("providers"), "expected `providers`", id="no-providers"),
        pytest.param(
            _set(providers=[]), "providers: expected 1 or more", id="no-provider"
        ),
        pytest.param(_set(providers={}), "providers: expected a list", id="mapping"),
        pytest.param(
            _set(providers=["x"]),
            "providers[0]: expected a mapping with name, matchImages, "
            "defaultCacheDuration, apiVersion, args, env, tokenAttributes",
            id="text",
        ),
        pytest.param(
            _set(provider=[]), "unknown key; did you mean `providers`?", id="misspelled"
        ),
        pytest.param(
            _set(providers=[PROVIDER, PROVIDER]),
            "providers[1].name: stands here a second time",
            id="twice",
        ),
    ],
)
def test_a_fault_of_the_file_is_named(
    change: Callable[[dict[str, Any]], None], say: str
) -> None:
    content = copy.deepcopy(WHOLE)
    change(content)
    (found,) = faults(json.dumps(content))
    assert found.startswith("line 1, column ")
    assert say == found.split(": ", 1)[1]


def test_every_fault_is_told_with_its_place() -> None:
    content = ECR.replace('"12h"', "12").replace("name: ecr", "name: /ecr")
    content = content.replace("    args:", "    name: x\n    args:") + "extra: 1\n"
    assert [
        f"line 4, column 11: providers[0].name: {NAME}",
        f"line 8, column 27: providers[0].defaultCacheDuration: {TEXT}",
        "line 10, column 5: providers[0].name: stands here a second time",
        "line 15, column 1: unknown key; expected apiVersion, kind, providers",
    ] == faults(content)


def test_so_many_faults_are_told() -> None:
    assert MAX_FAULTS == len(faults(json.dumps(with_provider(args=[1] * 30))))


@pytest.mark.parametrize(
    ("content", "say"),
    [
        pytest.param(
            "", "expected a CredentialProviderConfig, and got nothing", id="empty"
        ),
        pytest.param("a: ]", "line 1, column 4: expected valid YAML", id="bracket"),
        pytest.param("\0", "expected valid YAML", id="control-character"),
        pytest.param(b"\xff\xff\xff", "expected valid YAML", id="no-text"),
        pytest.param(
            "a: &x 1\nb: *x",
            "line 2, column 4: expected YAML without aliases (`*`)",
            id="alias",
        ),
        pytest.param(
            "[]",
            "line 1, column 1: expected a mapping with apiVersion, kind, providers",
            id="list",
        ),
        pytest.param("a: 1\n---\nb: 2", None, id="two-documents"),
        pytest.param("? [a]\n: 1", None, id="list-as-key"),
        pytest.param("!!python/name:os.system x", None, id="tag"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes | str, say: str | None) -> None:
    found = faults(content)
    assert say is None or [say] == found


def test_a_key_that_is_no_text_is_told() -> None:
    found = faults("? [a]\n: 1\n" + ECR)
    assert ["line 1, column 3: expected a text as key"] == found


# Bounds ------------------------------------------------------------------------------


def test_a_file_as_large_as_the_limit_is_read() -> None:
    content = ECR.encode().ljust(MAX_PLUGIN_CONFIG_BYTES, b"#")
    assert 1 == len(read_plugins(content))
    assert ["larger than 1048576 bytes"] == faults(content + b"#")


def test_as_many_plugins_as_the_limit_are_read() -> None:
    def many(number: int) -> dict[str, Any]:
        named = [{**PROVIDER, "name": f"p{one}"} for one in range(number)]
        return {**WHOLE, "providers": named}

    assert MAX_PLUGINS == len(read(many(MAX_PLUGINS)))
    (found,) = faults(json.dumps(many(MAX_PLUGINS + 1)))
    assert found.endswith("providers: more than 64")


@pytest.mark.parametrize("content", ["[" * 20_000, "a: " + "[" * 5000])
def test_a_file_that_is_nested_too_deep_is_refused(content: str) -> None:
    (found,) = faults(content)
    assert "deeper than 16 levels" in found


def test_a_file_may_be_nested_as_deep_as_the_limit() -> None:
    def deep(levels: int) -> str:
        return json.dumps(WHOLE)[:-1] + ',"x":' + "[" * levels + "]" * levels + "}"

    assert "unknown key" in faults(deep(MAX_DEPTH - 1))[0]
    assert "deeper than" in faults(deep(MAX_DEPTH))[0]


def test_a_file_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 50_000 == MAX_EVENTS
    parts = len(list(yaml.parse(ECR)))
    monkeypatch.setattr(plugin_config, "MAX_EVENTS", parts - 1)
    assert 1 == len(read_plugins(ECR.encode()))
    monkeypatch.setattr(plugin_config, "MAX_EVENTS", parts - 2)
    assert "more than" in faults(ECR)[0]
