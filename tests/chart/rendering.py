"""What Helm makes of the chart."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.tools.build import find

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CHART: Final = ROOT / "charts" / "imagecompat"
HELMS: Final = ("helm3", "helm4")
NAMESPACE: Final = "imagecompat"

FILES: Final = (
    *sorted((CHART / "ci").glob("*.yaml")),
    CHART / "values-ha.yaml",
)
"""Every file of values that we ship or test with."""

MONITORING: Final = "monitoring.coreos.com/v1"

Object = dict[str, Any]


class RenderError(Exception):
    """Helm refused; the text is what it said."""


def fresh(
    *files: Path,
    helm: str = "helm4",
    sets: Sequence[str] = (),
    kube_version: str = "1.35",
    api_versions: Sequence[str] = (),
    namespace: str = NAMESPACE,
    flags: Sequence[str] = (),
    chart: Path = CHART,
    release: str = "imagecompat",
) -> str:
    """All documents, as `helm template` prints them.

    Raises:
        RenderError: it does not render.
    """
    command: list[str | Path] = [find(helm), "template", release, chart]
    command += ["--namespace", namespace, "--kube-version", kube_version, *flags]
    for file in files:
        command += ["--values", file]
    for one in sets:
        command += ["--set", one]
    for one in api_versions:
        command += ["--api-versions", one]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


text = functools.cache(fresh)
"""The same; what was rendered once is remembered."""


def objects(*files: Path, **options: Any) -> list[Object]:
    """The documents, decoded, in the order of kind and name; nobody changes them."""
    return list(_decoded(text(*files, **options)))


@functools.cache
def _decoded(documents: str) -> tuple[Object, ...]:
    found = yaml.load_all(documents, Loader=yaml.CSafeLoader)
    return tuple(sorted((one for one in found if one), key=identity))


def identity(one: Object) -> tuple[str, str, str, str]:
    """Kind, namespace and name; and the hook, for two objects may share the rest."""
    metadata = one["metadata"]
    hook = metadata.get("annotations", {}).get("helm.sh/hook", "")
    return (one["kind"], metadata.get("namespace", ""), metadata["name"], hook)


def find_one(kind: str, rendered: Sequence[Object], name: str = "") -> Object:
    """The object of a kind, hooks aside; of a name, if there are several.

    Raises:
        LookupError: there is none, or more than one.
    """
    found = [
        one
        for one in rendered
        if one["kind"] == kind
        and (not name or one["metadata"]["name"] == name)
        and not is_hook(one)
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} objects {kind} {name}")
    return found[0]


def kinds(rendered: Sequence[Object]) -> list[str]:
    """The kinds of all objects but hooks."""
    return [one["kind"] for one in rendered if not is_hook(one)]


def is_hook(one: Object) -> bool:
    """Whether Helm keeps it apart from the release."""
    return "helm.sh/hook" in one["metadata"].get("annotations", {})


def settings(rendered: Sequence[Object], name: str = "imagecompat") -> str:
    """The settings file."""
    content = find_one("ConfigMap", rendered, name)["data"]["settings.yaml"]
    if not isinstance(content, str):
        raise TypeError("no text")
    return content


def pod(rendered: Sequence[Object]) -> Object:
    """The Deployment's Pod template."""
    template = find_one("Deployment", rendered)["spec"]["template"]
    if not isinstance(template, dict):
        raise TypeError("no template")
    return template
