"""The command, from what is typed to what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.checking.conftest import IMAGE, SPEC, files, manifest

if TYPE_CHECKING:
    from tests.unit.cli.checking.conftest import Files
    from tests.unit.cli.conftest import Ran, Run

__all__ = ["files"]


def report(ran: Ran) -> dict[str, Any]:
    """What was printed as JSON."""
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_a_workload_that_fits_is_exit_0(run: Run, files: Files) -> None:
    ran = run("check", "-f", files.train, *files.given)
    assert (0, "") == (ran.status, ran.err)
    assert "Deployment ml/trainer" in ran.out
    assert "2 of 3 candidate nodes can run it" in ran.out


def test_nodes_are_ranked_best_first_with_set_score_and_reason(
    run: Run, files: Files
) -> None:
    (workload,) = report(run("check", "-f", files.train, *files.given, "-o", "json"))[
        "workloads"
    ]
    assert workload["images"][0]["digest"] is None
    assert [
        (["gpu"], "fits", 10, "fast"),
        (["cpu"], "fits", 0, "#2"),
        (["old"], "does not fit", None, ""),
    ] == [
        (row["nodes"], row["verdict"], row["score"], row["cells"][0]["chosen"])
        for row in workload["rows"]
    ]
    assert [
        {
            "rule": "driver",
            "what": "kernel.loadedmodule nvidia",
            "want": "Exists",
            "found": "not loaded",
            "changeable": True,
            "advice": "load kernel module nvidia",
        }
    ] == workload["rows"][2]["cells"][0]["reasons"]


def test_a_workload_that_no_node_fits_is_exit_1_with_the_closest_node(
    run: Run, files: Files
) -> None:
    ran = run("check", "-f", files.train, *files.given, "--node", "old", "-o", "json")
    (workload,) = report(ran)["workloads"]
    assert (1, "does not fit", "warn") == (
        ran.status,
        workload["verdict"],
        workload["action"],
    )
    assert workload["texts"][0].startswith("[IC101] Deployment trainer: its Pods will")
    assert ("old", "load kernel module nvidia") == (
        workload["nearest"]["node"],
        workload["nearest"]["reasons"][0]["advice"],
    )


def test_a_pod_that_no_node_fits_would_be_denied(run: Run, files: Files) -> None:
    containers = [{"name": "c", "image": IMAGE}]
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers}}
    path = files.write("pod.json", pod)
    ran = run("check", "-f", path, *files.given, "--node", "old", "-o", "json")
    (workload,) = report(ran)["workloads"]
    assert "deny" == workload["action"]
    assert workload["texts"][0].startswith("[IC101] no node fits the image: 0 of 1")
    assert all("\n" not in text for text in workload["texts"])


def test_what_helm_renders_is_read_from_standard_input(run: Run, files: Files) -> None:
    text = f"# Source: a/b.yaml\n{json.dumps(manifest('x'))}\n"
    ran = run("check", "-f", "-", *files.given, stdin=text.encode())
    assert 0 == ran.status
    assert "Deployment x (<stdin>:2, a/b.yaml)" in ran.out


def test_a_folder_is_read_with_its_folders(run: Run, files: Files) -> None:
    files.write("all/a.json", manifest("a"))
    files.write("all/more.json", manifest("b"))
    folder = str(files.folder / "all")
    ran = run("check", "-f", folder, "-R", *files.given, "-o", "json")
    names = [one["name"] for one in report(ran)["workloads"]]
    assert ["Deployment a", "Deployment b"] == names


def test_an_image_without_a_spec_is_not_known_offline(run: Run, files: Files) -> None:
    ran = run("check", "-f", files.train, "--nodes", files.hosts, "--offline")
    assert 3 == ran.status
    assert "nobody was asked" in ran.out


def test_no_node_can_run_what_nobody_could_look_up(run: Run, files: Files) -> None:
    """In every form: the webhook admits it, and that is another question."""
    given = ("-f", files.train, "--nodes", files.hosts, "--offline")
    ran = run("check", *given)
    assert "0 of 3 candidate nodes can run it, 3 unknown  unknown" in ran.out
    assert "the webhook would admit it, with a warning" in ran.out
    why = "not judged: its registry could not answer: nobody was asked (--offline)"
    (workload,) = report(run("check", *given, "-o", "json"))["workloads"]
    (row,) = workload["rows"]
    assert ("unknown", "unknown", why) == (
        row["verdict"],
        row["cells"][0]["verdict"],
        row["cells"][0]["reasons"][0]["what"],
    )
    assert 1 == run("check", *given, "-o", "junit").out.count(f"{why}\n")
    page = run("check", *given, "-o", "html").out
    assert "0 of 3 candidate nodes can run it, 3 unknown" in page
    walk = run("check", *given, "--explain", "gpu")
    assert (3, True) == (walk.status, f"  {why}\n" in walk.out)


def test_the_namespaces_own_mode_counts(run: Run, files: Files) -> None:
    labels = {"imagecompat.dev/mode": "audit"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "lab", "labels": labels},
    }
    path = files.write("ns.json", namespace)
    deployment = files.write("d.json", manifest("d"))
    given = (*files.given, "--node", "old", "-o", "json")
    ran = run("check", "-f", path, "-f", deployment, "-n", "lab", *given)
    (workload,) = report(ran)["workloads"]
    assert (1, "allow", []) == (ran.status, workload["action"], workload["texts"])
    assert "1 other object passed over" in report(ran)["notes"]


def test_settings_of_the_webhook_count(run: Run, files: Files) -> None:
    settings = files.write("settings.yaml", "policy: {onMissing: warn, mode: audit}")
    given = (*files.given, "--node", "old", "-o", "json", "--settings", settings)
    (workload,) = report(run("check", "-f", files.train, *given))["workloads"]
    assert "allow" == workload["action"]


def test_settings_that_cannot_be_used_are_told(run: Run, files: Files) -> None:
    settings = files.write("settings.yaml", "policy: {mode: loud}")
    ran = run("check", "-f", files.train, *files.given, "--settings", settings)
    assert (2, "") == (ran.status, ran.out)
    assert "policy.mode" in ran.err
    ran = run("check", "-f", files.train, *files.given, "--settings", "/no/such/file")
    assert (2, True) == (ran.status, "/no/such/file: cannot be read" in ran.err)


def test_exempt_workloads_are_not_judged_and_told(run: Run, files: Files) -> None:
    exemption = "{images: ['registry.example.com/*/*'], owner: ml, reason: x}"
    settings = files.write("s.yaml", f"policy: {{exemptions: [{exemption}]}}")
    given = (*files.given, "--settings", settings, "-o", "json")
    ran = run("check", "-f", files.train, *given)
    found = report(ran)
    assert [] == found["workloads"]
    note = "Deployment ml/trainer was not judged: all its images are exempt (ml)"
    assert [note] == [one for one in found["notes"] if "exempt" in one]


def test_tags_select_sets(run: Run, files: Files) -> None:
    given = (*files.given, "--tags", "none,fast", "-o", "json")
    (workload,) = report(run("check", "-f", files.train, *given))["workloads"]
    assert [["gpu"], ["cpu", "old"]] == [row["nodes"] for row in workload["rows"]]


# What is wrong -------------------------------------------------------------------


def refused(ran: Ran) -> str:
    """One line on standard error, nothing on standard output."""
    assert (2, "") == (ran.status, ran.out)
    assert 1 == ran.err.count("\n")
    return ran.err.removeprefix("imagecompat: ").strip()


def test_without_any_workload_ci_is_not_green(run: Run, files: Files) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap"}
    path = files.write("cm.json", config)
    assert "no workload found among 1 objects (ConfigMap)" == refused(
        run("check", "-f", path, *files.given[:2])
    )
    empty = files.write("empty.yaml", "")
    assert "no workload found: there is no object at all" == refused(
        run("check", "-f", empty, *files.given[:2])
    )


def test_a_workload_that_no_api_server_would_take_is_bad_input(
    run: Run, files: Files
) -> None:
    """Else a Deployment without a template would be green."""
    broken = manifest("broken")
    broken["spec"] = broken["spec"]["template"]["spec"]
    path = files.write("broken.json", broken)
    for more in ((), ("--explain", "old")):
        ran = run("check", "-f", path, "-f", files.train, *files.given, *more)
        assert (2, "") == (ran.status, ran.out)
        assert (
            f"imagecompat: {path}:1: Deployment broken: no container with an image in "
            "spec.template.spec\n"
        ) == ran.err


def test_broken_yaml_in_the_middle_names_its_place(run: Run, files: Files) -> None:
    text = f"{json.dumps(manifest('x'))}\n---\na: [\n---\nb: 1\n"
    path = files.write("a.yaml", f"# YAML\n---\n{text}")
    said = refused(run("check", "-f", path, *files.given))
    assert said.startswith(f"{path}: document 2, line 6: no valid YAML: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to check: expected -f FILE, TYPE/NAME, --all or --image"),
        (("--all", "-A"), "--all and --all-namespaces: only one can be given"),
        (("-A", "-n", "x"), "--all-namespaces and --namespace: only one"),
        (("-f", "x", "--what-if-only"), "--what-if-only without --what-if"),
        (("-f", "x", "--image", "y"), "--image or --spec FILE judges by itself"),
        (("--spec", "a", "--spec", "b"), "--spec FILE: only one can be given"),
        (("--spec", "a", "--spec", "b=c"), "--spec FILE: only one can be given"),
        (("-f", "x", "--spec", "=a"), "--spec =a: expected IMAGE=FILE"),
        (("-f", "x", "--spec", "a="), "--spec a=: expected IMAGE=FILE"),
        (("-f", "-", "-f", "-"), "standard input can be read only once"),
        (("-f", "-", "--what-if", "-"), "standard input can be read only once"),
        (
            ("-f", "-", "--registry-token-stdin"),
            "standard input can be read only once",
        ),
    ],
)
def test_options_that_do_not_go_together(
    run: Run, files: Files, arguments: tuple[str, ...], message: str
) -> None:
    ran = run("check", "--nodes", files.hosts, *arguments)
    assert refused(ran).startswith(message)


def test_a_spec_for_an_image_that_nobody_runs_is_a_mistake(
    run: Run, files: Files
) -> None:
    given = (*files.given, "--spec", f"nginx:2={files.spec}")
    said = refused(run("check", "-f", files.train, *given))
    assert "--spec docker.io/library/nginx:2: no workload runs that image" == said


def test_a_secret_is_for_one_registry_only(run: Run, files: Files) -> None:
    """Else any registry that a manifest names would be sent it."""
    other = files.write("o.json", manifest("o", image="evil.example/x:1"))
    third = files.write("t.json", manifest("t", image="good.example/x:1"))
    nodes = ("--nodes", files.hosts, "--registry-token-stdin")
    ran = run("check", "-f", other, "-f", third, *nodes, stdin=b"secret\n")
    said = refused(ran)
    assert "is for one registry, and the images are of 2" in said
    assert "secret" not in said


# An image alone ------------------------------------------------------------------


@pytest.mark.parametrize("with_image", [True, False])
def test_hosts_are_ranked_for_a_spec_without_any_workload(
    run: Run, files: Files, with_image: bool
) -> None:
    image = ("--image", "app:1") if with_image else ()
    ran = run(
        "check", *image, "--spec", files.spec, "--nodes", files.hosts, "-o", "json"
    )
    (workload,) = report(ran)["workloads"]
    assert 0 == ran.status
    assert ("app:1" if with_image else files.spec) == workload["name"]
    assert ("", [], 3) == (
        workload["action"],
        workload["texts"],
        workload["candidates"],
    )
    assert [["gpu"], ["cpu"], ["old"]] == [row["nodes"] for row in workload["rows"]]


def test_taints_do_not_count_for_an_image_without_a_workload(
    run: Run, files: Files
) -> None:
    """Who runs it decides what it tolerates."""
    taints = [{"key": "gpu", "effect": "NoSchedule"}]
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    kept = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "kept", "labels": labels},
        "spec": {"taints": taints},
    }
    nodes = ("--nodes", files.write("kept.json", kept))
    ran = run("check", "--spec", files.spec, *nodes, "-o", "json")
    (workload,) = report(ran)["workloads"]
    assert (1, {}) == (workload["candidates"], workload["excluded"])


def test_what_no_node_publishes_may_count_as_absent(run: Run, files: Files) -> None:
    """As the settings say, in the walk too."""
    text = "policy: {unpublishedFeatures: 'no'}\n"
    settings = ("--settings", files.write("s.yaml", text))
    content = SPEC.replace("kernel.loadedmodule", "off.now").split("- rules:", 1)[0]
    path = files.write(
        "off.yaml",
        content + "- rules: [{name: r, matchFeatures: [{feature: off.now}]}]\n",
    )
    given = ("--spec", path, "--nodes", files.hosts, "--explain", "gpu")
    assert 3 == run("check", *given).status
    assert 1 == run("check", *given, *settings).status


def test_a_spec_may_come_from_standard_input(run: Run, files: Files) -> None:
    ran = run("check", "--spec", "-", "--nodes", files.hosts, stdin=SPEC.encode())
    assert (0, True) == (ran.status, ran.out.startswith("<stdin> on 3 nodes"))


def test_features_that_do_not_tell_the_platform_are_judged_too(
    run: Run, files: Files
) -> None:
    flags: object = {"kernel.loadedmodule": {"elements": {"nvidia": {}}}}
    path = files.write("bare.json", {"flags": flags})
    ran = run("check", "--spec", files.spec, "--nodes", path)
    assert 0 == ran.status


# What is refused before anything is read -------------------------------------------


@pytest.mark.parametrize(
    ("form", "more", "said"),
    [
        ("nfd-json", (), "nfd-json: NFD's report is of one image on one node"),
        (
            "html",
            ("--explain", "x"),
            "--explain and -o html: expected table, json or yaml",
        ),
    ],
)
def test_a_form_without_a_place_for_the_answer_is_refused_before_anything_is_read(
    run: Run, form: str, more: tuple[str, ...], said: str
) -> None:
    absent = ("-f", "no.yaml", "--nodes", "no.json", "--spec", "x=no.yaml")
    assert said == refused(run("check", *absent, *more, "-o", form))


def test_an_object_that_is_none_is_refused_before_anything_is_read(run: Run) -> None:
    said = refused(run("check", "web", "--nodes", "no.json"))
    assert said.startswith("web: expected TYPE/NAME")


# Explain -------------------------------------------------------------------------


def test_one_node_is_walked_rule_by_rule(run: Run, files: Files) -> None:
    ran = run("check", "-f", files.train, *files.given, "--explain", "old")
    assert 1 == ran.status
    assert (
        f"""\
Deployment ml/trainer ({files.train}:1) on node old: does not fit
image {IMAGE}: does not fit
  set fast (weight 10): does not fit - with a GPU
    rule "driver": does not fit
      kernel.loadedmodule nvidia: want Exists, found not loaded: no
  set #2 (weight 0): does not fit
    rule "cpu": does not fit
      cpu.cpuid AVX512F: want Exists, found absent: no
      kernel.version full: want version >= 6.0, found 5.14.0: no
"""
        == ran.out
    )


def test_a_walk_of_a_node_that_is_no_candidate_is_exit_1(
    run: Run, files: Files
) -> None:
    train = manifest("trainer")
    train["spec"]["template"]["spec"]["nodeSelector"] = {"pool": "a"}
    path = files.write("train.json", train)
    ran = run("check", "-f", path, *files.given, "--explain", "gpu")
    assert (1, "") == (ran.status, ran.err)
    said = " ".join(ran.out.split())
    assert "on node gpu: does not fit not a candidate: " in said
    assert " nodeSelector pool=a (holds on 0 of 1 node) " in said
    assert f"image {IMAGE}: fits, score 10 " in said


def test_workloads_that_are_left_alone_are_not_walked(run: Run, files: Files) -> None:
    exemption = "{images: ['registry.example.com/*/*'], owner: ml, reason: x}"
    settings = files.write("s.yaml", f"policy: {{exemptions: [{exemption}]}}")
    given = (*files.given, "--settings", settings, "--explain", "old")
    ran = run("check", "-f", files.train, *given)
    said = "imagecompat: note: Deployment ml/trainer was not judged: all its images"
    assert (0, "") == (ran.status, ran.out)
    assert ran.err.startswith(said)
    assert "" == run("check", "-f", files.train, *given, "--quiet").err


def test_a_walk_is_json_too(run: Run, files: Files) -> None:
    given = (*files.given, "--explain", "gpu", "-o", "json")
    ran = run("check", "-f", files.train, *given)
    (walk,) = json.loads(ran.out)
    assert (0, "fits", 10) == (
        ran.status,
        walk["verdict"],
        walk["images"][0]["score"],
    )
    (check,) = walk["images"][0]["sets"][0]["rules"][0]["terms"][0]["checks"]
    assert {
        "what": "nvidia",
        "want": "Exists",
        "found": "present",
        "result": "yes",
    } == check


def test_a_walk_of_no_node_or_in_no_form_is_refused(run: Run, files: Files) -> None:
    given = ("check", "-f", files.train, *files.given, "--explain")
    said = refused(run(*given, "x"))
    assert f"--explain x: there is no such node in {files.hosts}" == said
    said = refused(run(*given, "gpu", "-o", "junit"))
    assert "--explain and -o junit: expected table, json or yaml" == said
