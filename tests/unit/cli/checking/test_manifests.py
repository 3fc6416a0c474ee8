import json

import pytest

from app.cli.checking import manifests
from app.cli.checking.files import File
from app.cli.checking.manifests import Found
from app.errors import ConfigError
from app.scheduling.kinds import KINDS, Kind

NO_OBJECT = "expected an object with a kind, found "
HELM = b"""\
# a comment
---
# Source: web/charts/cache/templates/sts.yaml

apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache}
---
# Source: web/templates/tests/ping.yaml
apiVersion: v1
kind: Pod
metadata:
  generateName: ping-
  namespace: ci
  annotations: {"helm.sh/hook": test}
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  app.yaml: |
    ---
    kind: Pod
"""


def read(content: bytes, name: str = "a.yaml") -> Found:
    found = Found()
    manifests.read(File(name, content), found)
    return found


def refused(content: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(content)
    assert "InvalidManifest" == caught.value.reason
    return caught.value.message


def test_what_helm_renders_is_told_by_line_and_template() -> None:
    found = read(HELM, "<stdin>")
    assert [
        ("StatefulSet cache", "<stdin>:5, web/charts/cache/templates/sts.yaml"),
        ("Pod ci/ping-", "<stdin>:10, web/templates/tests/ping.yaml"),
    ] == [(one.label, one.place) for one in found.manifests]


def test_other_kinds_are_counted_and_passed_over() -> None:
    assert {"ConfigMap": 1} == read(HELM).others


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_that_runs_images_is_read(kind: Kind) -> None:
    group = f"{kind.group}/v1" if kind.group else "v1"
    content = json.dumps({"apiVersion": group, "kind": kind.name}).encode()
    assert [kind] == [one.kind for one in read(content).manifests]


def test_a_kind_of_another_group_is_none_of_ours() -> None:
    found = read(b"apiVersion: example.com/v1\nkind: Deployment\n")
    assert ([], {"Deployment": 1}) == (found.manifests, found.others)


def test_a_list_is_taken_apart() -> None:
    found = read(b"""\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a}}
- {apiVersion: v1, kind: Service}
- apiVersion: v1
  kind: List
  items: [{apiVersion: batch/v1, kind: Job, metadata: {name: b}}]
""")
    assert [
        ("Pod a", "a.yaml:1 items[0]"),
        ("Job b", "a.yaml:1 items[2] items[0]"),
    ] == [(one.label, one.place) for one in found.manifests]


def test_items_of_a_list_of_one_kind_need_not_say_theirs() -> None:
    found = read(b"""\
apiVersion: apps/v1
kind: DeploymentList
items:
- metadata: {name: a}
- metadata: {name: b}
""")
    assert ["Deployment a", "Deployment b"] == [one.label for one in found.manifests]


@pytest.mark.parametrize("text", ["items: []", "items: null", "metadata: {}"])
def test_a_list_may_be_empty(text: str) -> None:
    found = read(f"apiVersion: v1\nkind: List\n{text}\n".encode())
    assert (0, []) == (found.objects, found.manifests)


def test_a_kind_that_only_ends_in_list_is_no_list() -> None:
    found = read(b"apiVersion: example.com/v1\nkind: AllowList\n")
    assert {"AllowList": 1} == found.others


@pytest.mark.parametrize("depth", [4, 5])
def test_lists_in_lists_have_a_bound(depth: int) -> None:
    value: object = {"apiVersion": "v1", "kind": "Pod"}
    for _ in range(depth):
        value = {"apiVersion": "v1", "kind": "List", "items": [value]}
    content = json.dumps(value).encode()
    if depth == 4:
        assert 1 == len(read(content).manifests)
    else:
        assert refused(content).endswith("more than 4 Lists in each other")


def test_labels_of_namespaces_are_kept() -> None:
    found = read(b"""\
apiVersion: v1
kind: Namespace
metadata: {name: lab, labels: {imagecompat.dev/mode: warn, odd: 1}}
""")
    assert {"lab": {"imagecompat.dev/mode": "warn"}} == found.namespaces


def test_json_documents_follow_one_another() -> None:
    pod = '{"apiVersion": "v1",\n "kind": "Pod", "metadata": {"name": "%s"}}\n'
    found = read(f"\ufeff\n{pod % 'a'}\n{pod % 'b'}  \n".encode(), "a.json")
    assert [("Pod a", "a.json:2"), ("Pod b", "a.json:5")] == [
        (one.label, one.place) for one in found.manifests
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"kind: Pod\napiVersion: v1\n---\nkind: Pod\n  broken: [\n",
            "a.yaml: document 2, line 5: no valid YAML: ",
            id="broken in the middle",
        ),
        pytest.param(
            b'{"kind": "Pod", "apiVersion": "v1"}\n{"kind": ]',
            "a.yaml: document 2, line 2: no valid JSON: ",
            id="broken JSON",
        ),
        pytest.param(b'{"a": \xff}', "a.yaml: document 1, line 1: no valid", id="utf8"),
        pytest.param(
            b'{"a": ' + b"9" * 5000 + b"}",
            "a.yaml: document 1, line 1: no valid JSON: ",
            id="a number without end",
        ),
        pytest.param(
            b"[" * 100_000, "a.yaml: document 1, line 1: no valid JSON: ", id="depth"
        ),
        pytest.param(b"- a\n", f"a.yaml:1: {NO_OBJECT}a list", id="a list"),
        pytest.param(b"hello\n", f"a.yaml:1: {NO_OBJECT}a str", id="text"),
        pytest.param(b"a: 1\n", "a.yaml:1: an object without kind", id="no kind"),
        pytest.param(b"kind: Pod\n", "a.yaml:1: an object without apiVersion", id="v"),
    ],
)
def test_what_is_no_object_names_file_and_line(content: bytes, message: str) -> None:
    assert refused(content).startswith(message)


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "more than 2000000 values" in refused("\n".join(lines).encode())


@pytest.mark.parametrize(("most", "is_fine"), [(5, True), (4, False)])
def test_values_of_a_text_have_a_bound(
    monkeypatch: pytest.MonkeyPatch, most: int, *, is_fine: bool
) -> None:
    monkeypatch.setattr(manifests, "MAX_NODES", most)
    content = b"apiVersion: v1\nkind: Pod\n"
    if is_fine:
        assert 1 == len(read(content).manifests)
    else:
        assert refused(content).endswith("more than 4 values")


def test_anchors_and_merge_keys_are_read_as_kubectl_reads_them() -> None:
    found = read(b"""\
apiVersion: v1
kind: Pod
metadata: &meta {name: a, namespace: x}
spec:
  containers:
  - &one {name: one, image: i}
  - <<: *one
    name: two
""")
    (pod,) = found.manifests
    assert [
        {"name": "one", "image": "i"},
        {"name": "two", "image": "i"},
    ] == pod.object["spec"]["containers"]


@pytest.mark.parametrize("more", [0, 1])
def test_objects_have_a_bound(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(manifests, "MAX_OBJECTS", 3)
    content = b'{"apiVersion": "v1", "kind": "Service"}\n' * (3 + more)
    if more:
        assert "a.yaml:4: more than 3 objects" == refused(content)
    else:
        assert 3 == read(content).objects


def test_metadata_of_any_shape_is_no_reason_to_fail() -> None:
    found = read(b"apiVersion: v1\nkind: Pod\nmetadata: 3\n")
    assert ["Pod without a name"] == [one.label for one in found.manifests]


def test_the_review_is_that_of_a_creation() -> None:
    content = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}"
    (one,) = read(content).manifests
    review = one.review("ml")
    assert ("Deployment", "apps", "deployments", "CREATE", "ml", "a") == (
        review.kind,
        review.group,
        review.resource,
        review.operation,
        review.namespace,
        review.name,
    )


def test_what_a_manifest_says_of_its_namespace_wins() -> None:
    (one,) = read(HELM.split(b"---\n")[2]).manifests
    assert "ci" == one.review("ml").namespace


# What an API server would refuse --------------------------------------------------

APP = "{name: a, image: i}"


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        pytest.param(
            "apps/v1 Deployment",
            f"{{containers: [{APP}]}}",
            "no container with an image in spec.template.spec",
            id="no template",
        ),
        pytest.param(
            "batch/v1 CronJob",
            f"{{template: {{spec: {{containers: [{APP}]}}}}}}",
            "no container with an image in spec.jobTemplate.spec.template.spec",
            id="a Job's spec in a CronJob",
        ),
        pytest.param("v1 Pod", "x", "cannot read spec", id="text for a spec"),
        pytest.param(
            "v1 Pod", "{}", "no container with an image in spec", id="nothing at all"
        ),
        pytest.param(
            "v1 Pod",
            f"{{containers: [{APP}, {{name: b}}, {{name: c, image: 3}}]}}",
            "cannot read spec.containers[1].image, spec.containers[2].image",
            id="one image beside others",
        ),
        pytest.param(
            "v1 Pod",
            f"{{containers: [{APP}], nodeSelector: {{gpu: true}}}}",
            "cannot read spec.nodeSelector",
            id="a selector of a wrong type",
        ),
    ],
)
def test_a_workload_that_cannot_be_judged_is_a_broken_manifest(
    kind: str, spec: str, message: str
) -> None:
    version, _, name = kind.partition(" ")
    text = f"---\napiVersion: {version}\nkind: {name}\nmetadata: {{name: w}}\n"
    found = read(f"{text}spec: {spec}\n".encode())
    with pytest.raises(ConfigError) as caught:
        manifests.require_readable(found)
    assert ("InvalidManifest", f"a.yaml:2: {name} w: {message}") == (
        caught.value.reason,
        caught.value.message,
    )


def test_what_an_api_server_takes_is_readable() -> None:
    pod = f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{APP}], volumes: null}}\n"
    manifests.require_readable(read(pod.encode()))
