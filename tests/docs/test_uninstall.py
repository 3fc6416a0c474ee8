"""The page on uninstalling names every kind that would be left behind."""

import re

import yaml

from tests.docs.test_operating import CHART, DOCS, rendered

WIDEST = (
    f"--values={CHART / 'values-ha.yaml'}",
    "--no-hooks",
)


def test_what_outlives_the_namespace_goes_by_two_commands() -> None:
    page = (DOCS / "how-to" / "uninstall.md").read_text()
    glass = (DOCS / "how-to" / "break-glass.md").read_text().partition("\n")[0]
    (rest,) = re.findall(r"^kubectl delete (clusterrole.*)$", page, re.MULTILINE)
    kinds = [glass.removeprefix("`kubectl delete ").split()[0], rest.split()[0]]
    left = {
        one["kind"].lower()
        for one in yaml.safe_load_all(rendered(*WIDEST))
        if one and one["metadata"].get("namespace") != "imagecompat"
    }
    assert left == set(",".join(kinds).split(","))
    selector = "-l app.kubernetes.io/instance=imagecompat"
    assert glass.strip("`").endswith(selector)
    assert rest.endswith(f"--all-namespaces {selector}")
