"""Whose credential goes where, what it earns for whom, and that none is ever shown."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping

import pytest

from app.admission.review import Response, Review
from app.bootstrap.observers import RegistryObserver
from app.bootstrap.options import options
from app.checker import Checker
from app.demo import faults
from app.demo.registry import Api, Auth, Basic, Bearer, Registry
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.ports import Found, Puller, PullSecret, Resolved, Unauthorized
from app.settings.sections import Settings
from app.telemetry import Metrics
from tests.tools.doubles import FakeCluster, wants_module
from tests.tools.hostile import (
    AMD64,
    CANARY,
    SPEC,
    app,
    content,
    filled,
    keys,
    look,
    outcome,
    part,
    reading,
    word,
)

pytestmark = pytest.mark.integration

Making = Callable[[Mapping[str, str]], Auth]
AUTHS = [
    pytest.param(Basic, id="basic"),
    pytest.param(lambda users: Bearer(users, is_open=False), id="bearer"),
]


def sent(registry: Registry) -> str:
    """Everything that came in, with what was packed in base64 beside it."""
    texts = []
    for one in registry.log:
        texts += [one.path, *one.headers.values()]
        packed = one.authorization.partition("Basic ")[2]
        texts.append(base64.b64decode(packed).decode())
    return " ".join(texts)


# (9) Of one registry, to another -----------------------------------------------------


@pytest.mark.parametrize("auth", AUTHS)
async def test_a_credential_goes_to_its_own_registry_and_to_no_other(
    auth: Making,
) -> None:
    """Two registries want one; each has its own, and the third has none."""
    one, two, three = filled(), filled(), filled()
    async with one.serving(), two.serving(), three.serving():
        passwords = {one.address: f"{CANARY}-one", two.address: f"{CANARY}-two"}
        for registry in (one, two):
            registry.auth = auth({"u": passwords[registry.address]})
        three.auth = auth({"u": f"{CANARY}-three"})
        async with reading(one, two, three, keyring=keys(passwords)) as artifacts:
            words = [word(await look(artifacts, app(it))) for it in (one, two, three)]
    assert ["Found", "Found", "Unauthorized"] == words
    assert f"{CANARY}-two" not in sent(one)
    assert f"{CANARY}-one" not in sent(two)
    assert CANARY not in sent(three)


async def test_a_token_of_one_registry_is_not_sent_to_another() -> None:
    one, two = filled(), filled()
    one.auth, two.auth = Bearer({"u": "p"}), Bearer({"u": "p"})
    async with one.serving(), two.serving(), reading(one, two) as artifacts:
        assert SPEC == content(await look(artifacts, app(one)))
        two.auth.issued.clear()
        assert SPEC == content(await look(artifacts, app(two)))
        assert "token" in two.asked()


async def test_a_token_is_for_one_repository_whatever_the_challenge_says() -> None:
    registry = filled()
    wide = 'Bearer realm="{}",service="registry",scope="repository:*:*"'
    registry.auth = Bearer({"u": "p"})
    async with registry.serving():
        challenge = wide.format(f"http://{registry.address}/token")
        registry.faults["resolve"] = faults.header("WWW-Authenticate", challenge)
        await outcome(registry, keyring=keys({registry.address: "p"}))
    (asked,) = [one.path for one in registry.log if one.kind == "token"]
    assert "scope=repository:team/app:pull&" in f"{asked}&"


# (9) Of one namespace, to another ----------------------------------------------------


class Secrets:
    """Implements the port: a secret for the registry in the namespace `has`."""

    def __init__(self, host: str) -> None:
        auths = {host: {"username": "u", "password": CANARY}}
        content = json.dumps({"auths": auths}).encode()
        kind = "kubernetes.io/dockerconfigjson"
        self._secret = PullSecret("s", kind, {".dockerconfigjson": content})

    def at_hand(self, puller: Puller) -> tuple[PullSecret, ...]:
        return (self._secret,) if puller.namespace == "has" else ()

    async def read(
        self, puller: Puller, *, deadline_seconds: float
    ) -> tuple[PullSecret, ...]:
        del deadline_seconds
        return self.at_hand(puller)


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("first", ["has", "lacks"])
async def test_what_a_namespace_s_secret_earned_serves_no_other_namespace(
    auth: Making, first: str
) -> None:
    registry = filled()
    registry.auth = auth({"u": CANARY})
    async with (
        registry.serving(),
        reading(registry, secrets=Secrets(registry.address)) as artifacts,
    ):
        for namespace in (first, "has", "lacks", "has", "lacks"):
            found = await _pulled(artifacts, registry, namespace)
            expected = Found if namespace == "has" else Unauthorized
            assert isinstance(found, expected)


async def _pulled(
    artifacts: RegistryArtifacts, registry: Registry, namespace: str
) -> object:
    puller = Puller(namespace, ("s",))
    found = await artifacts.find(
        app(registry), [AMD64], deadline_seconds=10, puller=puller
    )
    return found.platforms[AMD64] if isinstance(found, Resolved) else found


# (10) Over plain HTTP ----------------------------------------------------------------


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize("is_allowed", [True, False])
async def test_over_plain_http_credentials_need_the_operator_s_word(
    auth: Making, is_allowed: bool
) -> None:
    registry = filled()
    registry.auth = auth({"u": CANARY})
    async with registry.serving():
        here = HostPolicy(
            plain_http=True, loopback=True, plain_http_credentials=is_allowed
        )
        policy = RegistryPolicy({registry.address: here})
        found = await outcome(
            registry, policy=policy, keyring=keys({registry.address: CANARY})
        )
    assert is_allowed is isinstance(part(found), Found)
    assert is_allowed is (CANARY in sent(registry))


# (16), (22) Nothing of it shows ------------------------------------------------------


async def _answers(checker: Checker, image: str) -> list[Response]:
    pod = {"spec": {"containers": [{"name": "c", "image": image}]}}
    review = Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object=pod,
    )
    return [
        await checker.validate(review, deadline_seconds=10.0),
        await checker.mutate(review, deadline_seconds=10.0),
    ]


FAULTS: dict[str, dict[str, faults.Fault]] = {
    "nothing": {},
    "refused": {"blob": faults.status(403, {"X-Secret": CANARY})},
    "broken": {"referrers": faults.status(500, {"X-Secret": CANARY})},
    "token": {"token": faults.body(f'{{"token": "{CANARY}\\r\\n"}}'.encode())},
    "signed": {"blob": faults.redirect(f"http://127.0.0.1:1/x?sig={CANARY}&{{path}}")},
    "elsewhere": {"blob": faults.redirect(f"https://u:{CANARY}@evil.example/")},
    "no-http": {"manifest": faults.no_http},
    "body": {"referrers": faults.body(f"<h1>{CANARY}</h1>".encode())},
    "type": {"referrers": faults.header("Content-Type", f"text/{CANARY}")},
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("auth", AUTHS)
async def test_no_secret_shows_in_logs_metrics_answers_or_repr(
    name: str, auth: Making, caplog: pytest.LogCaptureFixture
) -> None:
    """The password, tokens, signed addresses, and what a registry says in secret."""
    caplog.set_level(logging.DEBUG)
    registry, metrics = filled(wants_module("nvidia").encode()), Metrics()
    registry.auth = auth({"u": CANARY})
    registry.faults.update(FAULTS[name])
    registry.api = Api()
    cluster = FakeCluster()
    cluster.add("a", "vfio")
    settings = Settings.model_validate({"policy": {"nodesMayAppear": "no"}})
    observer = RegistryObserver(metrics)
    async with registry.serving():
        keyring = keys({registry.address: CANARY})
        async with reading(registry, keyring=keyring, observer=observer) as artifacts:
            checker = Checker(cluster, artifacts, metrics, options(settings))
            async with checker.running():
                answers = await _answers(checker, app(registry))
            shown = [
                caplog.text,
                *(str(vars(one)) for one in caplog.records),
                metrics.text().decode(),
                *(repr(one) for one in answers),
                repr(keyring),
                repr(vars(artifacts)),
                repr(await look(artifacts, app(registry))),
            ]
    packed = base64.b64encode(f"u:{CANARY}".encode()).decode()
    issued = list(getattr(registry.auth, "issued", ()))
    for secret in (CANARY, packed, *issued):
        assert not any(secret in text for text in shown)
    assert CANARY in sent(registry)
    assert name != "nothing" or "[IC101]" in answers[0].message


async def test_the_text_of_a_denial_holds_no_content_of_the_registry() -> None:
    """The rule's name and what it asks of nodes; nothing else of the spec."""
    spec = wants_module("nvidia").encode() + f"# {CANARY}\nauthor: x\n".encode()
    registry = filled(spec)
    cluster = FakeCluster()
    cluster.add("a", "vfio")
    async with registry.serving(), reading(registry) as artifacts:
        checker = Checker(cluster, artifacts, Metrics(), options(Settings()))
        async with checker.running():
            answers = await _answers(checker, app(registry))
    assert not any(CANARY in repr(one) for one in answers)
