"""A Secret that we make belongs to the release that its configurations belong to."""

from __future__ import annotations

import pytest

from app.certificates.own import SelfCertificates
from app.certificates.rotation import Plan
from app.certificates.store import Place
from tests.tools.certifying import NAMES
from tests.tools.fakeobjects import FakeObjects, VirtualTime, configuration

SECRETS = "/api/v1/namespaces/imagecompat/secrets"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
PLAN = Plan(
    names=NAMES,
    authority_seconds=9000,
    leaf_seconds=900,
    renew_at=2 / 3,
    publish_seconds=60,
)
LABELS = {"app.kubernetes.io/instance": "one", "app.kubernetes.io/managed-by": "Helm"}
NOTED = {"meta.helm.sh/release-name": "one", "meta.helm.sh/release-namespace": "ns"}
OTHERS = {"admissions.enforcer/disabled": "true"}


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def objects(time: VirtualTime) -> FakeObjects:
    """A release whose Secret is not there."""
    made = FakeObjects(time)
    marks = {"labels": LABELS, "annotations": {**NOTED, **OTHERS}}
    made.put(HOOKS, "hooks", {**configuration(b""), "metadata": marks})
    return made


def replica(objects: FakeObjects, time: VirtualTime) -> SelfCertificates:
    return SelfCertificates(
        objects,
        PLAN,
        secret=Place(SECRETS, "tls"),
        configurations=[Place(HOOKS, "hooks")],
        clock=time.clock(),
    )


def marks_of(objects: FakeObjects) -> tuple[object, object]:
    metadata = objects.objects[SECRETS, "tls"]["metadata"]
    return metadata["labels"], metadata["annotations"]


async def test_a_secret_that_is_made_is_helms_to_remove(
    objects: FakeObjects, time: VirtualTime
) -> None:
    """Helm leaves alone, and refuses to install over, what does not carry these."""
    one = replica(objects, time)
    async with one.running():
        await time.until(lambda: not one.problems())
    assert (LABELS, NOTED) == marks_of(objects)


async def test_so_is_one_that_somebody_deleted_and_we_made_again(
    objects: FakeObjects, time: VirtualTime
) -> None:
    one = replica(objects, time)
    async with one.running():
        await time.until(lambda: not one.problems())
        objects.delete(SECRETS, "tls")
        await time.until(lambda: (SECRETS, "tls") in objects.objects)
    assert (LABELS, NOTED) == marks_of(objects)
