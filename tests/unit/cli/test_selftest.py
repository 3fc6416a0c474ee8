"""What an answer of the API server tells about the webhook."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.cli.installed import asking, diagnosis, hearing, probe
from app.cli.installed.asking import Created
from app.errors import ClusterError
from tests.unit.cli.fakeapi import Clock, FakeApi

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

IMAGE = "selftest.imagecompat.invalid/unfit:1"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
NAMESPACE = "/api/v1/namespaces/default"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/imagecompat/endpointslices"
DENIAL = (
    'admission webhook "pods.imagecompat.dev" denied the request: '
    "[IC101] no node fits the image: 0 of 3 candidate nodes fit\ncontainer unfit: ..."
)


def status(code: int, message: str) -> Created:
    body = {"kind": "Status", "message": message}
    return Created(code, json.dumps(body).encode())


def stored(*warnings: str, **annotations: str) -> Created:
    keys = {f"imagecompat.dev/{key}": value for key, value in annotations.items()}
    body = {"kind": "Pod", "metadata": {"annotations": keys}}
    return Created(201, json.dumps(body).encode(), warnings)


def bundle(days: int = 30) -> str:
    """A `caBundle` with one certificate that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def hook(**changes: Any) -> dict[str, Any]:
    """The webhook for Pods as the API server has it."""
    return {
        "name": "pods.imagecompat.dev",
        "clientConfig": {
            "service": {"namespace": "imagecompat", "name": "imagecompat"},
            "caBundle": bundle(),
        },
        "failurePolicy": "Ignore",
        "timeoutSeconds": 5,
        "namespaceSelector": {
            "matchExpressions": [
                {
                    "key": "kubernetes.io/metadata.name",
                    "operator": "NotIn",
                    "values": ["kube-system", "imagecompat"],
                }
            ]
        },
        **changes,
    }


def objects(*hooks: dict[str, Any], **labels: str) -> dict[str, Any]:
    """A cluster in which all is well."""
    found = [{"metadata": {"name": "imagecompat"}, "webhooks": list(hooks)}]
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}]
    keys = {f"imagecompat.dev/{key}": value for key, value in labels.items()}
    return {
        VALIDATING: {"items": found},
        NAMESPACE: {"metadata": {"name": "default", "labels": keys}},
        SLICES: {"items": [{"endpoints": endpoints}]},
    }


async def listen(api: FakeApi, *, seconds: float = 0) -> hearing.Report:
    clock = Clock()
    return await hearing.listen(
        api,
        namespace="default",
        image=IMAGE,
        seconds=seconds,
        clock=clock,
        sleep=clock.sleep,
    )


async def test_a_denial_is_what_is_expected() -> None:
    api = FakeApi(answers=[status(403, DENIAL)])
    report = await listen(api)
    line = "ok: the Pod was denied: [IC101] no node fits the image: 0 of 3 candidate "
    assert hearing.Report((line + "nodes fit",), 0) == report
    ((path, query, body),) = api.created
    assert ("/api/v1/namespaces/default/pods", {"dryRun": "All"}) == (path, query)
    assert IMAGE == body["spec"]["containers"][0]["image"]
    assert [] == api.asked, "nothing else is needed where all is well"


async def test_a_warning_will_do() -> None:
    api = FakeApi(answers=[stored("unknown field", "[IC103] x", "[IC101] no node")])
    assert hearing.Report(
        ("ok: the Pod was warned about: [IC101] no node",), 0
    ) == await listen(api)


async def test_an_annotation_will_do_in_mode_audit() -> None:
    answers = [stored(verdict="does not fit")]
    report = await listen(FakeApi(objects(hook(), mode="audit"), answers))
    assert 0 == report.status
    assert "ok: the Pod was annotated imagecompat.dev/verdict: does not fit" in (
        report.lines
    )


async def test_an_annotation_will_not_do_while_nobody_can_deny() -> None:
    answers = [stored(verdict="does not fit")]
    report = await listen(FakeApi(objects(), answers))
    assert 1 == report.status
    assert any("no ValidatingWebhookConfiguration" in line for line in report.lines)


async def test_an_image_that_is_judged_to_fit_is_a_failure() -> None:
    report = await listen(FakeApi(objects(hook()), [stored(verdict="fits")]))
    assert 1 == report.status
    assert report.lines[0].endswith("annotated imagecompat.dev/verdict: fits")


@pytest.mark.parametrize("code", sorted(hearing._OTHER_CODES))
async def test_another_code_is_explained(code: str) -> None:
    report = await listen(FakeApi(answers=[stored(f"[{code}] text")]))
    assert 1 == report.status
    assert report.lines[1].endswith(hearing._OTHER_CODES[code])


async def test_a_fresh_installation_is_waited_for() -> None:
    answers = [stored(), stored("[IC103] unknown"), status(403, DENIAL)]
    api = FakeApi(answers=answers)
    assert 0 == (await listen(api, seconds=60)).status
    assert 3 == len(api.created)


async def test_a_denial_may_still_follow_an_annotation() -> None:
    """The annotating webhook may be trusted a moment before the other."""
    answers = [stored(verdict="does not fit"), status(403, DENIAL)]
    report = await listen(FakeApi(answers=answers), seconds=60)
    assert report.lines[0].startswith("ok: the Pod was denied")


async def test_an_annotation_alone_is_not_waited_for_long() -> None:
    api = FakeApi(objects(hook(), mode="audit"), [stored(verdict="does not fit")])
    assert 0 == (await listen(api, seconds=60)).status
    assert 6 == len(api.created)


async def test_the_wait_has_an_end() -> None:
    api = FakeApi(objects(hook()), answers=[stored()])
    assert 1 == (await listen(api, seconds=5)).status
    assert 6 == len(api.created)


@pytest.mark.parametrize(
    ("answer", "code", "words", "times"),
    [
        pytest.param(
            status(404, 'namespaces "default" not found'),
            2,
            "there is no namespace default",
            1,
            id="no namespace",
        ),
        pytest.param(
            status(422, "Pod is invalid"), 2, "takes no such Pod", 1, id="invalid"
        ),
        pytest.param(
            status(403, "pods is forbidden: User x cannot create"),
            3,
            "could not find out",
            11,
            id="forbidden",
        ),
        pytest.param(
            status(500, "etcdserver: no leader"), 3, "could not find", 61, id="error"
        ),
        pytest.param(Created(502, b"<html>"), 3, "502: no detail", 61, id="no status"),
    ],
)
async def test_who_else_refuses_is_told(
    answer: Created, code: int, words: str, times: int
) -> None:
    """A right that was granted a moment ago is waited for, but not for long."""
    api = FakeApi(answers=[answer])
    report = await listen(api, seconds=60)
    assert (code, times) == (report.status, len(api.created))
    assert words in report.lines[0]


FAILED = 'failed calling webhook "pods.imagecompat.dev": connection refused'


async def test_a_failed_call_under_fail_is_explained() -> None:
    world = objects(hook(failurePolicy="Fail"))
    world[SLICES] = {"items": []}
    report = await listen(FakeApi(world, [status(500, FAILED)]))
    assert 1 == report.status
    assert report.lines[0].startswith("failed: the API server could not ask: failed")
    assert "Service imagecompat/imagecompat has no ready endpoint" in report.lines[1]


def without_bundle() -> dict[str, Any]:
    client = hook()["clientConfig"]
    return hook(clientConfig={**client, "caBundle": ""})


def with_bundle(text: str) -> dict[str, Any]:
    client = hook()["clientConfig"]
    return hook(clientConfig={**client, "caBundle": text})


EXEMPT = {"matchLabels": {"team": "ml"}}


@pytest.mark.parametrize(
    ("world", "words"),
    [
        pytest.param(objects(), "no ValidatingWebhookConfiguration has", id="none"),
        pytest.param(
            objects(hook(name="pods.example.com")), "pods.imagecompat.dev", id="others"
        ),
        pytest.param(objects(without_bundle()), "caBundle is empty", id="no bundle"),
        pytest.param(
            objects(with_bundle("bm90IGEgY2VydGlmaWNhdGU=")),
            "caBundle holds no certificate",
            id="broken bundle",
        ),
        pytest.param(
            objects(with_bundle(bundle(days=-1))), "has expired", id="old bundle"
        ),
        pytest.param(
            objects(hook(namespaceSelector=EXEMPT)),
            "namespace default is exempt",
            id="exempt",
        ),
        pytest.param(
            objects(hook(), mode="off"), "label imagecompat.dev/mode=off", id="off"
        ),
        pytest.param(
            {**objects(hook()), SLICES: {"items": []}},
            "has no ready endpoint",
            id="no endpoints",
        ),
    ],
)
async def test_silence_is_explained(world: dict[str, Any], words: str) -> None:
    report = await listen(FakeApi(world, [stored()]))
    assert 1 == report.status
    assert "failed: the Pod was admitted without a word" == report.lines[0]
    problems = [one for one in report.lines if one.startswith("problem: ")]
    (problem,) = problems
    assert words in problem
    assert "; do: " in problem
    assert not any(one.startswith("perhaps: ") for one in report.lines)


@pytest.mark.parametrize(
    ("changes", "leads"),
    [
        pytest.param({}, 2, id="ignore"),
        pytest.param({"failurePolicy": "Fail"}, 1, id="fail"),
        pytest.param(
            {"clientConfig": {"url": "https://a.example", "caBundle": bundle()}},
            2,
            id="url",
        ),
    ],
)
async def test_where_nothing_is_surely_wrong_there_are_leads(
    changes: dict[str, Any], leads: int
) -> None:
    report = await listen(FakeApi(objects(hook(**changes)), [stored()]))
    found = [one for one in report.lines if one.startswith("perhaps: ")]
    assert leads == len(found)


async def test_what_the_credentials_do_not_show_is_told() -> None:
    """The chart's own test Pod may create Pods in one namespace, and read nothing."""
    report = await listen(FakeApi({VALIDATING: 403, NAMESPACE: 403}, [stored()]))
    assert 1 == report.status
    unread = [one for one in report.lines if one.startswith("not seen: ")]
    assert 2 == len(unread)
    partly = {**objects(hook()), SLICES: 403}
    report = await listen(FakeApi(partly, [stored()]))
    assert any("not seen: endpointslices of imagecompat" in one for one in report.lines)


async def test_credentials_that_are_refused_end_the_command() -> None:
    with pytest.raises(ClusterError, match="401"):
        await diagnosis.why_silent(FakeApi({VALIDATING: 401}), "default")


async def test_an_answer_of_another_shape_ends_it_too() -> None:
    with pytest.raises(ClusterError, match="another shape"):
        await diagnosis.why_silent(FakeApi({VALIDATING: b"[]"}), "default")


def test_the_pod_is_one_that_every_node_could_take() -> None:
    spec = probe.pod(IMAGE)["spec"]
    assert [{"operator": "Exists"}] == spec["tolerations"]
    assert "nodeSelector" not in spec


def test_kubectls_own_order_finds_the_cluster(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert None is asking.find_kubeconfig({}), "a container's user has no home"
    assert None is asking.find_kubeconfig(home)
    (tmp_path / ".kube").mkdir()
    default = tmp_path / ".kube" / "config"
    default.touch()
    assert default == asking.find_kubeconfig(home)
    named = {**home, "KUBECONFIG": "/etc/other"}
    assert Path("/etc/other") == asking.find_kubeconfig(named)


@pytest.mark.parametrize("command", ["selftest", "status"])
def test_without_any_kubeconfig_the_way_out_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    ran = run(command)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith("imagecompat: no cluster to ask: name a kubeconfig")


def test_without_a_cluster_the_command_says_so(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    ran = run("selftest", "--kubeconfig", str(missing))
    assert (2, "") == (ran.status, ran.out)
    assert f"imagecompat: {missing}: no such kubeconfig file\n" == ran.err


def test_of_a_list_of_kubeconfigs_some_may_be_missing(run: Run, tmp_path: Path) -> None:
    """As kubectl has it."""
    (tmp_path / "there").write_text("{}")
    named = f"{tmp_path}/none{os.pathsep}{tmp_path}/there"
    ran = run("selftest", "--kubeconfig", named)
    assert (2, "") == (ran.status, ran.out)
    assert "no such kubeconfig file" not in ran.err
