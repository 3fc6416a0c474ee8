"""Runs suites of a few lines, without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from app.cli.nodes.known import KnownNodes
from app.cli.suites import judging, loading, reading
from app.cli.suites.loading import Fetched
from app.cli.suites.suite import Result

HEAD = "apiVersion: imagecompat.dev/v1alpha1\nkind: SpecTest\n"

Judge = Callable[..., tuple[Result, ...]]


def no_nodes(paths: Sequence[str]) -> KnownNodes:
    raise AssertionError(f"nobody asked for {paths}")


def ran(text: str, *, fetched: Fetched | None = None) -> tuple[Result, ...]:
    """The results of a suite that is without fault."""
    suite, problems = reading.read((HEAD + text).encode(), "s.yaml")
    assert () == problems
    loaded, wrong = loading.load(suite, no_nodes)
    assert () == wrong
    loaded = loading.with_images(loaded, suite, fetched or {})
    return judging.run(suite, loaded).results


SPEC = """\
specs:
- name: spec
  inline:
    compatibilities:
    - tag: native
      weight: 100
      rules:
      - name: driver
        matchFeatures:
        - feature: kernel.loadedmodule
          matchExpressions: {nvidia: {op: Exists}}
      - name: kernel
        matchFeatures:
        - feature: kernel.version
          matchExpressions: {major: {op: Gt, value: ["5"]}}
    - weight: 10
      rules:
      - name: kernel
        matchFeatures:
        - feature: kernel.version
          matchExpressions: {major: {op: Gt, value: ["5"]}}
      - name: kvm
        matchFeatures:
        - feature: kernel.kvm
          matchExpressions: {enabled: {op: IsTrue}}
"""
NODES: Mapping[str, str] = {
    "gpu": "{flags: {kernel.loadedmodule: {elements: {nvidia: {}}}},"
    " attributes: {kernel.version: {elements: {major: '6'}}}}",
    "old": "{flags: {kernel.loadedmodule: {elements: {nvidia: {}}}},"
    " attributes: {kernel.version: {elements: {major: '4'}}}}",
    "kvm": "{flags: {kernel.loadedmodule: {elements: {}}}, attributes: {"
    "kernel.version: {elements: {major: '6'}},"
    " kernel.kvm: {elements: {enabled: 'true'}}}}",
    "odd": "{flags: {kernel.loadedmodule: {elements: {nvidia: {}}}},"
    " attributes: {kernel.version: {elements: {major: six}}}}",
    "none": "{flags: {kernel.loadedmodule: {elements: {}}},"
    " attributes: {kernel.version: {elements: {major: '6'}}}}",
}


@pytest.fixture
def judge() -> Judge:
    """Runs a test on some of the nodes; all of them are in the suite otherwise."""

    def judged(test: str, *names: str, more: str = "") -> tuple[Result, ...]:
        nodes = "".join(
            f"- {{name: {name}, features: {NODES[name]}}}\n" for name in names or NODES
        )
        return ran(f"{more}{SPEC}nodes:\n{nodes}tests:\n- {{spec: spec, {test}}}\n")

    return judged
