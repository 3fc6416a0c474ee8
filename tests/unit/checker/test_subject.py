import pytest

from app.admission.review import Review
from app.checker import subject
from app.checker.subject import NotJudged, Subject
from app.ports import NOBODY, Puller
from app.scheduling.podspec import ImageUse, Owner


def pod(*images: str, **spec: object) -> dict[str, object]:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    return {"metadata": {}, "spec": {"containers": containers, **spec}}


def asked(obj: object, **fields: object) -> Review:
    values: dict[str, object] = {
        "uid": "u",
        "kind": "Pod",
        "resource": "pods",
        "operation": "CREATE",
        "object": obj,
        **fields,
    }
    return Review(**values)  # type: ignore[arg-type]


def test_every_distinct_image_of_a_new_pod_counts_once() -> None:
    found = subject.of(asked(pod("a:1", "b:1", "a:1")))
    assert isinstance(found, Subject)
    assert {"a:1": ("c0", "c2"), "b:1": ("c1",)} == found.images
    assert found.template_of is None
    assert not found.is_running


def test_an_update_counts_what_it_changes() -> None:
    review = asked(
        pod("a:1", "b:2", nodeName="n"),
        operation="UPDATE",
        old_object=pod("a:1", "b:1", nodeName="n"),
    )
    found = subject.of(review)
    assert isinstance(found, Subject)
    assert (ImageUse("c1", "b:2", "containers"),) == found.uses
    assert {"b:2": ("c1",)} == found.images
    assert {"a:1": ("c0",)} == found.others
    assert found.is_running


def test_an_image_that_one_container_changed_counts_for_all() -> None:
    review = asked(pod("a:1", "a:1"), operation="UPDATE", old_object=pod("a:1", "b:1"))
    found = subject.of(review)
    assert isinstance(found, Subject)
    assert {"a:1": ("c1",)} == found.images
    assert {} == found.others


def test_an_update_without_an_old_object_counts_as_new() -> None:
    found = subject.of(asked(pod("a:1", nodeName="n"), operation="UPDATE"))
    assert isinstance(found, Subject)
    assert not found.is_running


def test_a_pod_that_waits_for_its_node_is_not_running() -> None:
    review = asked(pod("a:2"), operation="UPDATE", old_object=pod("a:1"))
    found = subject.of(review)
    assert isinstance(found, Subject)
    assert not found.is_running


OWNED = {
    "ownerReferences": [
        {"kind": "Deployment", "apiVersion": "apps/v1", "name": "d", "controller": True}
    ]
}
MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}}


@pytest.mark.parametrize(
    ("review", "why"),
    [
        pytest.param(asked(pod("a"), kind="Service"), "kind", id="foreign kind"),
        pytest.param(asked(pod("a"), group="x.io"), "kind", id="foreign group"),
        pytest.param(asked(pod("a"), operation="DELETE"), "operation", id="delete"),
        pytest.param(asked(None), "operation", id="no object"),
        pytest.param(asked({}), "images", id="no containers"),
        pytest.param(
            asked(pod("a"), operation="UPDATE", old_object=pod("a")),
            "images",
            id="no image changed",
        ),
        pytest.param(
            asked(
                {**pod("a"), "metadata": MIRROR},
                groups=("system:nodes",),
            ),
            "mirror",
            id="mirror Pod",
        ),
        pytest.param(
            asked(
                {"metadata": OWNED, "spec": {"template": pod("a")}},
                kind="ReplicaSet",
                group="apps",
            ),
            "owned",
            id="owned template",
        ),
    ],
)
def test_what_is_not_judged_says_why(review: Review, why: str) -> None:
    found = subject.of(review)
    assert isinstance(found, NotJudged)
    assert why == found.why


def test_whose_an_owned_template_is_stays_known() -> None:
    owned = {"metadata": OWNED, "spec": {"template": pod("a")}}
    review = asked(owned, kind="ReplicaSet", group="apps")
    assert NotJudged("owned", Owner("Deployment", "d", "apps")) == subject.of(review)


@pytest.mark.parametrize(
    ("metadata", "groups"),
    [
        pytest.param(MIRROR, ("system:authenticated",), id="annotation by a user"),
        pytest.param({}, ("system:nodes",), id="user without the annotation"),
        pytest.param({"annotations": []}, ("system:nodes",), id="odd annotations"),
        pytest.param([], ("system:nodes",), id="odd metadata"),
    ],
)
def test_a_mirror_pod_needs_annotation_and_user(
    metadata: object, groups: tuple[str, ...]
) -> None:
    review = asked({**pod("a"), "metadata": metadata}, groups=groups)
    assert isinstance(subject.of(review), Subject)


@pytest.mark.parametrize(
    ("name", "metadata", "expected"),
    [
        ("web", {}, "Deployment web"),
        ("", {"name": "web"}, "Deployment web"),
        ("", {"name": 3}, "Deployment"),
        ("", None, "Deployment"),
    ],
)
def test_a_template_names_its_workload(
    name: str, metadata: object, expected: str
) -> None:
    review = asked(
        {"metadata": metadata, "spec": {"template": pod("a")}},
        kind="Deployment",
        group="apps",
        name=name,
    )
    found = subject.of(review)
    assert isinstance(found, Subject)
    assert expected == found.template_of


def test_a_daemon_set_and_its_pods_are_told() -> None:
    template = asked(
        {"metadata": {}, "spec": {"template": pod("a")}},
        kind="DaemonSet",
        group="apps",
    )
    owner = {
        "kind": "DaemonSet",
        "apiVersion": "apps/v1",
        "name": "d",
        "controller": True,
    }
    made = asked({**pod("a"), "metadata": {"ownerReferences": [owner]}})
    for review in (template, made):
        found = subject.of(review)
        assert isinstance(found, Subject)
        assert found.is_daemon_set


TEMPLATE = {"kind": "Deployment", "group": "apps", "namespace": "n"}


def template(**spec: object) -> dict[str, object]:
    return {"metadata": {}, "spec": {"template": pod("a", **spec)}}


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        pytest.param(
            asked(
                pod("a", imagePullSecrets=[{"name": "t"}, {"name": "s"}]), namespace="n"
            ),
            Puller("n", ("t", "s")),
            id="pod",
        ),
        pytest.param(
            asked(pod("a", serviceAccountName="robot"), namespace="n"),
            NOBODY,
            id="pod-whose-account-has-given-none",
        ),
        pytest.param(
            asked(template(imagePullSecrets=[{"name": "s"}]), **TEMPLATE),
            Puller("n", ("s",)),
            id="template",
        ),
        pytest.param(
            asked(template(serviceAccountName="robot"), **TEMPLATE),
            Puller("n", (), "robot"),
            id="template-of-an-account",
        ),
        pytest.param(
            asked(template(), **TEMPLATE), Puller("n", (), "default"), id="default"
        ),
        pytest.param(
            asked(template(imagePullSecrets=[{"name": ""}]), **TEMPLATE),
            NOBODY,
            id="an-empty-name-keeps-the-account-away",
        ),
        pytest.param(
            asked({**pod("a"), "metadata": {"namespace": "other"}}, namespace="n"),
            NOBODY,
            id="nobody",
        ),
        pytest.param(
            asked(
                {
                    **pod("a", imagePullSecrets=[{"name": "s"}]),
                    "metadata": {"namespace": "other"},
                },
                namespace="n",
            ),
            Puller("n", ("s",)),
            id="namespace-of-the-review",
        ),
    ],
)
def test_pull_secrets_are_those_that_the_kubelet_will_have(
    review: Review, expected: Puller
) -> None:
    found = subject.of(review)
    assert isinstance(found, Subject)
    assert expected == found.puller


def test_a_pod_without_secrets_is_nobody_to_every_cache() -> None:
    """The very same: who has nothing costs no look into what secrets open."""
    found = subject.of(asked(pod("a"), namespace="n"))
    assert isinstance(found, Subject)
    assert NOBODY is found.puller
