"""What the pages about operating say is so: values, tests, the one command."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from app.cli.commands import COMMANDS
from app.cli.installed import document
from app.cli.installed.survey import Survey
from tests.tools.build import ToolError, find

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
CHART = ROOT / "charts" / "imagecompat"

VALUES = re.compile(r"<!-- values -->\n+```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
BREAK_GLASS = (
    "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration "
    "-l app.kubernetes.io/instance=imagecompat"
)


def shown_values() -> list[tuple[str, str]]:
    """Page and text of each block of chart values."""
    return [
        (page.name, text)
        for page in sorted(DOCS.rglob("*.md"))
        for text in VALUES.findall(page.read_text())
    ]


def rendered(*flags: str) -> str:
    """The chart, as Helm 3 prints it."""
    try:
        helm = find("helm3")
    except ToolError as error:
        pytest.skip(str(error))
    command = [str(helm), "template", "imagecompat", str(CHART), *flags]
    command += ["--namespace", "imagecompat"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def default() -> str:
    return rendered()


@pytest.mark.parametrize(("page", "text"), shown_values())
def test_values_that_a_page_shows_change_the_chart(
    page: str, text: str, tmp_path: Path, default: str
) -> None:
    file = tmp_path / page
    file.write_text(text)
    assert default != rendered("--values", str(file))


def test_pages_show_values() -> None:
    assert {"install.md", "high-availability.md", "namespaces.md"} <= {
        page for page, _ in shown_values()
    }


def named_tests() -> list[tuple[str, str]]:
    """File and name of every test that the threat model calls, each once."""
    text = (DOCS / "explanation" / "threat-model.md").read_text()
    return list(dict.fromkeys(TEST.findall(text)))


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_a_test_that_the_threat_model_names_is_there(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text()


def test_every_threat_has_a_test_or_says_why_not() -> None:
    text = (DOCS / "explanation" / "threat-model.md").read_text()
    threats = re.split(
        r"^### ", text.partition("\n## What is left")[0], flags=re.MULTILINE
    )
    without = [one.partition("\n")[0] for one in threats[1:] if not TEST.search(one)]
    assert ["Move a tag after it was judged"] == without


ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.*) ?\|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "count"), [("Hostile registries", 22), ("Row by row", 16)]
)
def test_each_row_of_threats_has_a_test_or_says_why_not(
    heading: str, count: int
) -> None:
    text = (DOCS / "explanation" / "threat-model.md").read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert list(range(1, count + 1)) == [int(number) for number, *_ in rows]
    for number, _, answer, tests in rows:
        assert TEST.search(tests) or "not done, because" in answer, number


def test_the_page_for_emergencies_begins_with_the_one_command() -> None:
    first, *_ = (DOCS / "how-to" / "break-glass.md").read_text().splitlines()
    assert f"`{BREAK_GLASS}`" == first


def test_what_selects_in_that_command_is_on_both_configurations(default: str) -> None:
    found = [
        one
        for one in yaml.safe_load_all(default)
        if one
        and one["kind"].endswith("WebhookConfiguration")
        and "helm.sh/hook" not in one["metadata"].get("annotations", {})
    ]
    assert ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] == sorted(
        one["kind"] for one in found
    )
    assert {"imagecompat"} == {
        one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in found
    }


UPGRADE = re.compile(r"^helm upgrade (?!--install).*$", re.MULTILINE)


def test_no_upgrade_that_a_page_shows_loses_or_freezes_values() -> None:
    """`--reuse-values` leaves out what is new in the chart's values."""
    shown = [
        (page.name, line)
        for page in sorted(DOCS.rglob("*.md"))
        for line in UPGRADE.findall(page.read_text())
    ]
    assert {"break-glass.md", "certificates.md", "upgrade.md"} <= {p for p, _ in shown}
    keeps = re.compile(r" (--reset-then-reuse-values|--values|-f)\b")
    assert [] == [one for one in shown if not keeps.search(one[1])]


NEEDS = (ROOT / "README.md", CHART / "README.md", DOCS / "how-to" / "install.md")


@pytest.mark.parametrize("page", NEEDS, ids=lambda page: page.parent.name)
def test_the_oldest_helm_is_the_first_that_knows_our_flags(page: Path) -> None:
    """`--reset-then-reuse-values` came with Helm 3.14.0."""
    assert "Helm 3.14 or newer, or Helm 4" in page.read_text()


REASON = re.compile(r'Problem\(\s*"(\w+)"')


def test_every_problem_of_status_has_its_row() -> None:
    source = "".join(
        path.read_text() for path in (ROOT / "app/cli/installed").glob("*.py")
    )
    text = (DOCS / "reference" / "commands.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \|", text.partition("### Problems")[2], re.MULTILINE
    )
    reasons = {row for row in rows if row[0].isupper()}
    assert set(REASON.findall(source)) == reasons


def test_every_command_has_its_row() -> None:
    text = (DOCS / "reference" / "commands.md").read_text().partition("## Exit")[0]
    rows = re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)
    assert {row.name for row in COMMANDS} == set(rows)


def test_every_field_of_the_json_has_its_row() -> None:
    text = (DOCS / "reference" / "commands.md").read_text().partition("### JSON")[2]
    rows = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    empty = Survey("", "", ())
    assert set(json.loads(document.of(empty, (), ()))) == named


ANCHOR = re.compile(r"\]\((?!https?:)([^)#]*)#([\w-]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found}


def test_links_to_a_heading_lead_to_one() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}#{anchor}"
        for page in (ROOT / "README.md", *DOCS.rglob("*.md"))
        for target, anchor in ANCHOR.findall(page.read_text())
        if anchor not in anchors(page.parent / target if target else page)
    ]
    assert [] == broken


def test_flux_ignores_the_trust_of_every_webhook(default: str) -> None:
    text = (DOCS / "how-to" / "gitops.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (release,) = (
        one for one in map(yaml.safe_load, blocks) if one["kind"] == "HelmRelease"
    )
    ignored = {
        one["target"]["kind"]: one["paths"]
        for one in release["spec"]["driftDetection"]["ignore"]
    }
    for one in filter(None, yaml.safe_load_all(default)):
        if one.get("webhooks"):
            trust = [
                f"/webhooks/{number}/clientConfig/caBundle"
                for number, _ in enumerate(one["webhooks"])
            ]
            assert trust == ignored[one["kind"]]


DEFAULT = re.compile(r"\| `policy\.(\w+)` \| `(\w+)` \|")


def test_the_defaults_of_the_failure_modes_are_those_of_the_chart() -> None:
    page = (DOCS / "explanation" / "failure-modes.md").read_text()
    policy = yaml.safe_load((CHART / "values.yaml").read_text())["policy"]
    told = dict(DEFAULT.findall(page))
    assert {key for key in policy if key.startswith("on")} == set(told)
    assert {key: policy[key] for key in told} == told


SETTING = re.compile(r"`(policy|webhook|server|cluster|registry)\.(\w+)")
PAGES = (
    *sorted((DOCS / "how-to").glob("*.md")),
    *(DOCS / "explanation" / f"{name}.md" for name in ("failure-modes", "not-done")),
    DOCS / "explanation" / "threat-model.md",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_a_page_names_are_values_of_the_chart(page: Path) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    named = SETTING.findall(page.read_text())
    unknown = [f"{one}.{name}" for one, name in named if name not in values[one]]
    assert [] == unknown
