"""Every outcome, from a registry's answers to what a Pod's creator and its record get.

One table for outcomes, one for habits of registries that change none: both go over
real sockets, through the port, into a review.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from app.admission.review import Response, Review
from app.checker import Checker
from app.demo import faults
from app.demo.content import (
    ARTIFACT_TYPE,
    INDEX_TYPE,
    MANIFEST_TYPE,
    Descriptor,
    Repository,
    digest_of,
    encode,
)
from app.demo.faults import Reply
from app.demo.registry import Api, Basic, Bearer, Registry, Types
from app.oci.images.manifests import DOCKER_LIST, DOCKER_MANIFEST
from app.telemetry import Metrics
from tests.integration.test_registries import reading
from tests.tools.doubles import FakeCluster, wants_module

pytestmark = pytest.mark.integration

SPEC = wants_module("vfio_pci").encode()
MISFIT = wants_module("nvidia").encode()
OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"

Change = Callable[[Registry, Repository], None]


def repository(*, spec: bytes | None = SPEC, created: str = NEW) -> Repository:
    """`app:1` is an index of amd64 and arm64; its artifact is at the index."""
    made = Repository()
    children = [(one, made.image(one, one)) for one in ("amd64", "arm64")]
    index = made.index(children)
    made.tag(index, "1")
    if spec is not None:
        made.attach(index, spec, created=created)
    return made


@asynccontextmanager
async def serving(change: Change | None = None) -> AsyncIterator[Registry]:
    made = repository()
    served = Registry({"org/app": made})
    async with served.serving():
        if change is not None:
            change(served, made)
        yield served


async def review(served: Registry, name: str = "org/app:1") -> tuple[Response, str]:
    """The response to a Pod with one image, and the image."""
    image = f"{served.address}/{name}"
    pod = {"spec": {"containers": [{"name": "main", "image": image}]}}
    request = Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object=pod,
    )
    cluster = FakeCluster()
    for architecture in ("amd64", "arm64"):
        labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture}
        cluster.add(architecture, "vfio_pci", labels=labels)
    async with reading(served.address) as artifacts:
        checker = Checker(cluster, artifacts, Metrics())
        return await checker.validate(request, deadline_seconds=4.0), image


def served_as(value: object, kind: str) -> Change:
    """`app:1` is something else."""

    def change(_: Registry, made: Repository) -> None:
        made.tags["1"] = str(made.manifest(kind, value)["digest"])

    return change


def failing(kind: str, fault: faults.Fault) -> Change:
    def change(served: Registry, _: Repository) -> None:
        served.faults[kind] = fault

    return change


def attached(spec: bytes, **changes: object) -> Change:
    """A newer artifact at the index."""

    def change(_: Registry, made: Repository) -> None:
        digest = made.tags["1"]
        subject = {"digest": digest, "mediaType": INDEX_TYPE, "size": 1}
        created = "2026-03-01T00:00:00Z"
        made.attach(subject, spec, created=created, changes=changes)

    return change


def bare(served: Registry, _: Repository) -> None:
    served.repositories["org/app"] = repository(spec=None)


def guarded(auth: Basic | Bearer) -> Change:
    def change(served: Registry, _: Repository) -> None:
        served.auth = auth

    return change


def only_arm(served: Registry, made: Repository) -> None:
    image = made.image("arm64", "x")
    made.tag(made.index([("arm64", image)]), "1")
    made.attach(image, SPEC, created=NEW)
    del served


LAYERS: dict[str, object] = {"layers": []}
V1 = "application/vnd.docker.distribution.manifest.v1+json"


@pytest.mark.parametrize(
    ("change", "code", "verdict", "text"),
    [
        pytest.param(None, "", "fits", "", id="found"),
        pytest.param(attached(MISFIT), "IC101", "does not fit", "", id="misfit"),
        pytest.param(bare, "IC201", "fits", "", id="missing"),
        pytest.param(only_arm, "", "fits", "", id="platform-absent"),
        pytest.param(
            failing("all", faults.status(503)),
            "IC202",
            "unknown",
            "answered 503",
            id="server-error",
        ),
        pytest.param(
            failing("referrers", faults.status(500)),
            "IC202",
            "unknown",
            "answered 500",
            id="no-list",
        ),
        pytest.param(
            failing("all", faults.status(429)),
            "IC202",
            "unknown",
            "answered 429",
            id="too-many-requests",
        ),
        pytest.param(
            failing("all", faults.no_http), "IC202", "unknown", "", id="no-http"
        ),
        pytest.param(
            guarded(Bearer(realm="https://elsewhere.example/token")),
            "IC202",
            "unknown",
            "token server",
            id="realm-elsewhere",
        ),
        pytest.param(
            guarded(Basic({"u": "p"})), "IC203", "unknown", "", id="unauthorized"
        ),
        pytest.param(
            lambda served, _: served.repositories.clear(),
            "IC204",
            "unknown",
            "no such image",
            id="no-repository",
        ),
        pytest.param(
            lambda _, made: made.tags.clear(),
            "IC204",
            "unknown",
            "no such image",
            id="no-tag",
        ),
        pytest.param(attached(b"a: ["), "IC205", "unknown", "line 1", id="no-spec"),
        pytest.param(
            attached(SPEC, **LAYERS), "IC205", "unknown", "0 layers", id="no-layer"
        ),
        pytest.param(
            failing("blob", faults.body(b"x")),
            "IC205",
            "unknown",
            "the content of sha256:",
            id="digest",
        ),
        pytest.param(
            served_as({"schemaVersion": 1, "fsLayers": []}, V1),
            "IC205",
            "unknown",
            "schema 1",
            id="docker-schema-1",
        ),
        pytest.param(
            served_as({"mediaType": "application/x"}, "application/x"),
            "IC205",
            "unknown",
            "neither",
            id="no-manifest",
        ),
    ],
)
async def test_every_outcome_reaches_who_created_the_pod(
    change: Change | None, code: str, verdict: str, text: str
) -> None:
    async with serving(change) as served:
        response, _ = await review(served)
    assert code == response.audit.get("causes", "")
    assert verdict == response.audit["verdict"]
    assert ("IC101" != code) == response.allowed
    said = " ".join(response.warnings)
    assert text in said
    assert "secret" not in said


async def test_the_record_names_artifact_and_subject() -> None:
    async with serving() as served:
        made = served.repositories["org/app"]
        response, image = await review(served)
        index, (artifact,) = made.tags["1"], made.subjects
    wanted = f"{digest_of(SPEC)} in {artifact} at index {index}"
    assert {image: wanted} == json.loads(response.audit["specs"])


# Habits ------------------------------------------------------------------------------


async def page(_: web.Request, reply: Reply) -> Reply:
    """A page for people, as proxies and consoles answer what they do not know."""
    return replace(reply, headers={"Content-Type": "text/html"}, body=b"<html>")


async def absolute(request: web.Request, reply: Reply) -> Reply:
    """The next page's whole address."""
    link = reply.headers.get("Link")
    if link is None:
        return reply
    whole = link.replace("</", f"<http://{request.host}/")
    return replace(reply, headers={**reply.headers, "Link": whole})


def with_api(
    api: Api, *, tag: bool = False, fault: faults.Fault | None = None
) -> Change:
    """Two artifacts, the newer one first; `tag` writes the list of them."""

    def change(served: Registry, made: Repository) -> None:
        served.api = api
        subject = {"digest": made.tags["1"], "mediaType": INDEX_TYPE, "size": 1}
        made.attach(subject, MISFIT, created=OLD)
        other = {"artifactType": "application/spdx+json"}
        made.attach(subject, b"{}", created="2026-04-01T00:00:00Z", changes=other)
        if tag:
            made.write_fallback_tag(made.tags["1"])
        if fault is not None:
            served.faults["referrers"] = fault

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_api(Api()), id="as-the-spec-says"),
        pytest.param(with_api(Api(filtered=False)), id="unfiltered"),
        pytest.param(
            with_api(Api(types=Types.CONFIG, filtered=False)), id="types-of-configs"
        ),
        pytest.param(with_api(Api(types=Types.CONFIG)), id="harbor"),
        pytest.param(with_api(Api(types=Types.NONE, filtered=False)), id="no-types"),
        pytest.param(with_api(Api(page_descriptors=1, filtered=False)), id="pages"),
        pytest.param(
            with_api(Api(page_descriptors=1), fault=absolute), id="absolute-links"
        ),
        pytest.param(with_api(Api(referrers=False), tag=True), id="fallback-tag"),
        pytest.param(with_api(Api(), tag=True, fault=page), id="a-page-for-people"),
        pytest.param(with_api(Api(digest_header=False)), id="no-digest-header"),
        pytest.param(
            with_api(Api(digest_header=False, referrers=False), tag=True),
            id="neither-header-nor-api",
        ),
        pytest.param(with_api(Api(head=False)), id="no-head"),
    ],
)
async def test_habits_of_registries_change_no_answer(change: Change) -> None:
    async with serving(change) as served:
        response, image = await review(served)
    assert "fits" == response.audit["verdict"]
    assert digest_of(SPEC) in json.loads(response.audit["specs"])[image]


async def test_the_subject_under_its_own_fallback_tag_is_no_list() -> None:
    """GitLab takes the tag for the digest. Its children are no referrers."""

    def change(served: Registry, made: Repository) -> None:
        served.api = Api(referrers=False)
        names = ("amd64", "arm64", *(f"a{n}" for n in range(8)))
        images = {name: made.image(name, name) for name in names}
        made.tag(made.index(list(images.items())), "1")
        for digest in list(made.types):
            made.tags[digest.replace(":", "-")] = digest

    async with serving(change) as served:
        response, _ = await review(served)
    assert "IC201" == response.audit["causes"]


# Docker's types, and sha512 ----------------------------------------------------------


async def test_images_of_docker_are_read() -> None:
    def change(_: Registry, made: Repository) -> None:
        listed = []
        for architecture in ("amd64", "arm64"):
            value = {
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST,
                "config": made.blob("application/vnd.docker.image.v1+json", b"{}"),
                "layers": [],
                "note": architecture,
            }
            platform = {"os": "linux", "architecture": architecture}
            child = made.manifest(DOCKER_MANIFEST, value)
            listed.append({**child, "platform": platform})
        made.attach(listed[1], SPEC, created=NEW)
        value = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": listed}
        made.tag(made.manifest(DOCKER_LIST, value), "1")

    async with serving(change) as served:
        response, image = await review(served)
        arm = served.repositories["org/app"].subjects.values()
    where = json.loads(response.audit["specs"])[image]
    assert where.endswith(f" at linux/arm64 {list(arm)[-1]}")


def sha512(made: Repository, number: int) -> dict[str, object]:
    """An image that goes by its sha512 digest."""
    value = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": [], "n": number}
    content = encode(value)
    digest = digest_of(content, "sha512")
    made.blobs[digest], made.types[digest] = content, MANIFEST_TYPE
    return {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(content)}


@pytest.mark.parametrize("has_api", [True, False])
async def test_sha512_digests_are_followed(has_api: bool) -> None:
    """The fallback tag is cut short, so that another manifest may share it."""
    made = Repository()
    image, other = sha512(made, 1), sha512(made, 2)
    made.attach(image, SPEC, created=OLD)
    newer = made.attach(other, MISFIT, created=NEW)
    digest = str(image["digest"])
    if not has_api:
        entry = {**newer, "artifactType": ARTIFACT_TYPE, "annotations": {}}
        listed: list[Descriptor] = [*made.referrers(digest), entry]
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": listed}
        tag = digest.replace(":", "-")[: len("sha512-") + 64]
        made.tag(made.manifest(INDEX_TYPE, index), tag)
    served = Registry({"org/app": made}, Api(referrers=has_api))
    async with served.serving():
        response, name = await review(served, f"org/app@{digest}")
    assert "fits" == response.audit["verdict"]
    where = json.loads(response.audit["specs"])[name]
    assert where.startswith(digest_of(SPEC))
    assert where.endswith(f" at manifest {digest}")


async def test_content_that_has_not_its_sha512_digest_is_refused() -> None:
    made = Repository()
    image = sha512(made, 1)
    digest = str(image["digest"])
    made.blobs[digest] += b" "
    served = Registry({"org/app": made}, Api(head=False))
    async with served.serving():
        response, _ = await review(served, f"org/app@{digest}")
    assert "IC205" == response.audit["causes"]
    assert "the con" in response.warnings[0]
