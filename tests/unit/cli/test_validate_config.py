"""Settings before they are applied."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.errors import ConfigError
from app.settings import loading

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

PAIR = "server: {certificate: /tls.crt, privateKey: /tls.key}\n"
"""Without these a process does not start."""

MANIFESTS = f"""\
# Source: imagecompat/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {{name: imagecompat}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: imagecompat
  namespace: system
data:
  settings.yaml: |
    {PAIR.strip()}
    policy:

      mode: MODE
---
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: other}}
data: {{key: value}}
"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own variables decide nothing."""
    monkeypatch.delenv("IMAGECOMPAT_POLICY__MODE", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def test_valid_settings_are_said_to_be(run: "Run", file: Path) -> None:
    file.write_text(PAIR)
    ran = run("validate-config", str(file))
    assert (0, f"{file}: valid\n", "") == (ran.status, ran.out, ran.err)


def test_what_is_wrong_is_what_a_process_would_say(run: "Run", file: Path) -> None:
    file.write_text(PAIR + "policy:\n  onUnknwon: deny\n  mode: strict\n")
    ran = run("validate-config", str(file))
    assert (2, "") == (ran.status, ran.out)
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    assert caught.value.message + "\n" == ran.err
    assert ran.err.startswith(f"{file}:3:3: policy.onUnknwon: unknown key; did you")


def test_every_file_is_told_and_one_fault_is_enough(run: "Run", file: Path) -> None:
    file.write_text(PAIR)
    ran = run("validate-config", str(file), "-", stdin=b"policy: 3")
    assert (2, f"{file}: valid\n") == (ran.status, ran.out)
    assert "<stdin>:1:9: policy: expected a mapping, got 3\n" == ran.err


def test_a_file_that_is_not_there_is_bad_input(run: "Run", file: Path) -> None:
    ran = run("validate-config", str(file))
    assert (2, "") == (ran.status, ran.out)
    assert "cannot be read: No such file" in ran.err


def test_standard_input_is_read_once(run: "Run") -> None:
    ran = run("validate-config", "-", "--against", "-")
    wanted = "imagecompat: standard input can be read only once\n"
    assert (2, wanted) == (ran.status, ran.err)


def test_there_are_two_formats(run: "Run") -> None:
    ran = run("validate-config", "-", "-o", "xml")
    assert (2, "imagecompat: -o xml: expected text or json\n") == (ran.status, ran.err)


def test_a_variable_of_this_environment_is_told(
    run: "Run", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGECOMPAT_POLICY__MODE", "audit")
    ran = run("validate-config", "-", stdin=PAIR.encode())
    assert (0, "<stdin>: valid, 1 warning\n") == (ran.status, ran.out)
    assert (
        "IMAGECOMPAT_POLICY__MODE: warning: of this environment wins over the file\n"
        == ran.err
    )


# Manifests -------------------------------------------------------------------------


def test_config_maps_are_found_in_what_helm_prints(run: "Run", file: Path) -> None:
    file.write_text(MANIFESTS.replace("MODE", "warn"))
    ran = run("validate-config", str(file))
    wanted = f"{file} (ConfigMap system/imagecompat): valid\n"
    assert (0, wanted, "") == (ran.status, ran.out, ran.err)


def test_places_are_those_of_the_manifest(run: "Run", file: Path) -> None:
    file.write_text(MANIFESTS.replace("MODE", "strict"))
    line = file.read_text().splitlines()[15]
    assert "      mode: strict" == line
    ran = run("validate-config", str(file))
    assert 2 == ran.status
    assert ran.err.startswith(f"{file}:16:13: policy.mode: expected one of")


def test_a_text_that_ends_early_has_its_fault_behind_it(run: "Run", file: Path) -> None:
    file.write_text(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  settings.yaml: |\n    a: 1\n    b: ["
    )
    ran = run("validate-config", str(file))
    assert ran.err.startswith(f"{file}:7:1: no valid YAML: while parsing a flow node")


def test_a_text_in_quotes_is_told_by_its_own_lines(run: "Run", file: Path) -> None:
    file.write_text(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n"
        '  data: {settings.yaml: "server: {}\\npolicy: {mode: strict}"}\n- text\n'
    )
    ran = run("validate-config", str(file))
    assert ran.err.startswith(f"{file}:6:25: policy.mode: expected one of")
    assert ran.err.endswith("(line 2 of settings.yaml)\n")


def test_a_fault_without_a_place_has_that_of_the_text(run: "Run", file: Path) -> None:
    file.write_text(
        'apiVersion: v1\nkind: ConfigMap\ndata: {settings.yaml: "a: \\0"}\n'
    )
    ran = run("validate-config", str(file))
    assert ran.err.startswith(f"{file}:3:23: no valid YAML: unacceptable character")


def test_manifests_without_settings_are_told(run: "Run", file: Path) -> None:
    text = MANIFESTS.replace("settings.yaml", "config.yaml")
    file.write_text(text + "---\napiVersion: v1\nkind: PodList\n--- text\n")
    ran = run("validate-config", str(file))
    wanted = f"{file}: no ConfigMap with the key settings.yaml\n"
    assert (2, wanted) == (ran.status, ran.err)


def test_two_documents_without_a_manifest_are_no_settings(run: "Run") -> None:
    ran = run("validate-config", "-", stdin=b"policy: {}\n---\npolicy: {}\n")
    assert ran.err.startswith("<stdin>:2:1: no valid YAML: expected a single document")


def test_a_manifest_may_not_be_deeper_than_a_stack(run: "Run") -> None:
    ran = run("validate-config", "-", stdin=b"[" * 1_000_000)
    assert "<stdin>:1:101: nested more than 100 levels deep\n" == ran.err


def test_broken_text_is_told_as_a_settings_file(run: "Run") -> None:
    ran = run("validate-config", "-", stdin=b"kind: [\n")
    assert ran.err.startswith("<stdin>:2:1: no valid YAML: ")


# Warnings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "server: {port: 1}\n",
            "<stdin>:1:9: warning: server: certificate and privateKey are needed with "
            "certificates.mode files",
            id="certificate",
        ),
        pytest.param(
            "cluster: {trustedNamespaces: []}\n",
            "<stdin>:2:30: warning: cluster.trustedNamespaces: no namespace is "
            "trusted: nothing is known of any node",
            id="nobody trusted",
        ),
        pytest.param(
            "registry: {dockerConfig: /nonexistent}\n",
            "<stdin>:2:26: warning: registry.dockerConfig: /nonexistent cannot be "
            "read here; a process would refuse that",
            id="docker config",
        ),
        pytest.param(
            "registry: {hosts: {r.example: {loopback: true}}}\n",
            "<stdin>:2:42: warning: registry.hosts.r.example.loopback: whoever names "
            "this host reaches this machine: for tests only",
            id="loopback",
        ),
        pytest.param(
            "registry: {credentialHelpers: /bin}\n",
            "<stdin>:2:31: warning: registry.credentialHelpers: no helper is asked: "
            "only dockerConfig names some",
            id="helpers",
        ),
        pytest.param(
            "registry: {pullSecrets: {read: named}}\n",
            "<stdin>:2:32: warning: registry.pullSecrets.read: no Secret is read: "
            "names lists none",
            id="no name",
        ),
        pytest.param(
            "registry: {pullSecrets: {read: namespaces}}\n",
            "<stdin>:2:32: warning: registry.pullSecrets.read: no Secret is read: "
            "namespaces lists none",
            id="no namespace",
        ),
        pytest.param(
            "registry: {pullSecrets: {names: [a/b]}}\n",
            "<stdin>:2:33: warning: registry.pullSecrets.names: counts only with "
            "read: named",
            id="names that are not read",
        ),
        pytest.param(
            "registry: {pullSecrets: {read: named, names: [a/b], namespaces: [a]}}\n",
            "<stdin>:2:65: warning: registry.pullSecrets.namespaces: counts only with "
            "read: namespaces",
            id="namespaces beside names",
        ),
        pytest.param(
            "policy: {mode: off}\n",
            "<stdin>:2:16: warning: policy.mode: nothing is judged, but in namespaces "
            "that choose another mode",
            id="off",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, images: [x], "
            "expires: 2020-01-01}]}\n",
            "<stdin>:2:67: warning: policy.exemptions.0.expires: has expired on "
            "2020-01-01: it exempts nothing",
            id="expired",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, images: ['*']}]}\n",
            "<stdin>:2:23: warning: policy.exemptions.0: exempts everything",
            id="every image",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, namespaces: [x, '*'], "
            "serviceAccounts: ['*/*']}]}\n",
            "<stdin>:2:23: warning: policy.exemptions.0: exempts everything",
            id="every account in every namespace",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, namespaces: [Team-*]}]}\n",
            "<stdin>:2:58: warning: policy.exemptions.0.namespaces.0: matches no name "
            "that a namespace can have",
            id="capitals",
        ),
        pytest.param(
            f"policy: {{exemptions: [{{owner: a, reason: b, namespaces: "
            f"[{'x' * 64}]}}]}}\n",
            "<stdin>:2:58: warning: policy.exemptions.0.namespaces.0: matches no name "
            "that a namespace can have",
            id="long",
        ),
        pytest.param(
            "policy: {exemptions: [{owner: a, reason: b, serviceAccounts: [a/b/c]}]}\n",
            "<stdin>:2:63: warning: policy.exemptions.0.serviceAccounts.0: matches no "
            "namespace/name that a service account can have",
            id="account",
        ),
    ],
)
def test_what_looks_like_a_mistake_is_told(run: "Run", text: str, line: str) -> None:
    given = text if text.startswith("server") else PAIR + text
    ran = run("validate-config", "-", stdin=given.encode())
    assert (0, "<stdin>: valid, 1 warning\n") == (ran.status, ran.out)
    assert line + "\n" == ran.err


@pytest.mark.parametrize(
    "text",
    [
        "exemptions: [{owner: a, reason: b, namespaces: [x], images: ['*']}]",
        "exemptions: [{owner: a, reason: b, serviceAccounts: ['ns-*/a.b', '*-x']}]",
        "exemptions: [{owner: a, reason: b, namespaces: ['team-[a-c]?*']}]",
        "exemptions: [{owner: a, reason: b, images: [x], expires: 2100-01-01}]",
        "mode: audit",
    ],
)
def test_what_may_well_be_meant_is_not_told(run: "Run", text: str) -> None:
    given = f"{PAIR}policy: {{{text}}}\n"
    assert "" == run("validate-config", "-", stdin=given.encode()).err


@pytest.mark.parametrize(
    "text",
    [
        "{read: none}",
        "{read: named, names: [a/b]}",
        "{read: namespaces, namespaces: ['*']}",
    ],
)
def test_pull_secrets_that_are_read_are_not_told(run: "Run", text: str) -> None:
    given = f"{PAIR}registry: {{pullSecrets: {text}}}\n"
    assert "" == run("validate-config", "-", stdin=given.encode()).err


def test_the_name_of_a_file_writes_no_line_of_its_own(
    run: "Run", tmp_path: Path
) -> None:
    file = tmp_path / "a\nb"
    name = f"{tmp_path}/a\\nb"
    file.write_text(PAIR)
    assert f"{name}: valid\n" == run("validate-config", str(file)).out
    several = tmp_path / "c\nd"
    several.write_text(f"{MANIFESTS}---\n{MANIFESTS}".replace("MODE", "warn"))
    ran = run("validate-config", str(file), "--against", str(several))
    assert f"{tmp_path}/c?d: expected one settings file, found 2\n" == ran.err
    file.write_text("x: 1\n")
    ran = run("validate-config", str(file))
    assert f"{name}:1:1: x: unknown key\n" == ran.err


# Changes ---------------------------------------------------------------------------


def test_changes_are_told_with_what_takes_them_up(
    run: "Run", file: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(PAIR + "policy: {tags: [gpu, tpu], exemptions: []}\n")
    file.write_text(
        "server: {port: 1, certificate: /tls.crt, privateKey: /tls.key}\n"
        "cluster: {context: staging}\n"
        "policy: {mode: warn, tags: [gpu, cpu]}\n"
    )
    ran = run("validate-config", str(file), "--against", str(old))
    assert [
        f"{file}: valid",
        "  server.port: 9443 -> 1 (new process)",
        "  cluster.context: none -> staging (new process)",
        "  policy.mode: enforce -> warn (live)",
        '  policy.tags: -["tpu"] +["cpu"] (live)',
    ] == ran.out.splitlines()
    assert 0 == ran.status


def test_another_order_and_no_change_are_told(run: "Run", file: Path) -> None:
    file.write_text(PAIR + "policy: {tags: [a, b]}\n")
    given = PAIR + "policy: {tags: [b, a]}\n"
    ran = run("validate-config", "-", "--against", str(file), stdin=given.encode())
    assert "  policy.tags: in another order (live)" == ran.out.splitlines()[1]
    ran = run("validate-config", str(file), "--against", str(file))
    assert "  no setting differs" == ran.out.splitlines()[1]


def test_old_settings_have_to_be_valid(run: "Run", file: Path) -> None:
    ran = run("validate-config", "-", "--against", str(file), stdin=b"")
    assert 2 == ran.status
    file.write_text("policy: 3")
    ran = run("validate-config", "-", "--against", str(file), stdin=b"")
    assert (2, f"{file}:1:9: policy: expected a mapping, got 3\n") == (
        ran.status,
        ran.err,
    )


def test_old_settings_are_one_file(run: "Run", file: Path) -> None:
    one = MANIFESTS.replace("MODE", "warn")
    file.write_text(f"{one}---\n{one}")
    ran = run("validate-config", "-", "--against", str(file), stdin=b"")
    assert 2 == ran.status
    assert f"{file}: expected one settings file, found 2\n" in ran.err


def test_machines_get_json(run: "Run", file: Path) -> None:
    file.write_text(PAIR)
    given = MANIFESTS.replace("MODE", "audit").encode()
    options = ("--against", str(file), "-o", "json")
    ran = run("validate-config", "-", *options, stdin=given)
    assert (0, "") == (ran.status, ran.err)
    assert {
        "files": [
            {
                "file": "<stdin>",
                "configMap": "system/imagecompat",
                "valid": True,
                "faults": [],
                "warnings": [],
                "changes": [
                    {
                        "setting": "policy.mode",
                        "old": "enforce",
                        "new": "audit",
                        "takes": "live",
                    }
                ],
            }
        ]
    } == json.loads(ran.out)
    ran = run("validate-config", "-", "-o", "json", stdin=b"policy: {x: 1}")
    assert 2 == ran.status
    assert [
        {
            "path": "policy.x",
            "message": "unknown key",
            "line": 1,
            "column": 10,
            "variable": None,
        }
    ] == json.loads(ran.out)["files"][0]["faults"]
