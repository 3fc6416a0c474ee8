"""Which chart stands for the release before, in histories of all shapes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.tools import former


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of one commit, without a chart."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, None)
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Runs git as somebody who has configured nothing."""
    who = {f"GIT_{one}_NAME": "x" for one in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{one}_EMAIL": "x@example.com" for one in ("AUTHOR", "COMMITTER")}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **nothing, **who},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, template: str | None, *, readme: str = "") -> str:
    """Commits a chart with this one template; which commit that is."""
    (folder / "README.md").write_text(readme)
    if template is not None:
        chart = folder / former.CHART
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(f"name: imagecompat # {readme}\n")
        (chart / "templates" / "one.yaml").write_text(template)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    return git(folder, "rev-parse", "HEAD")


def template(found: former.Former) -> str:
    """What its one template says."""
    return (found.chart / "templates" / "one.yaml").read_text()


def test_it_is_that_of_the_newest_tag(root: Path, tmp_path: Path) -> None:
    """Not that of a commit behind it: those were never released."""
    for name in ("v0.9.0", "v0.10.0", "other"):
        commit(root, name)
        if name != "other":
            git(root, "tag", name)
    commit(root, "now")
    found = former.chart(tmp_path / "found", root)
    assert ("v0.10.0", "v0.10.0") == (found.origin, template(found))
    assert "the chart of v0.10.0 stands for the release before" == str(found)


def test_a_tag_without_a_chart_or_with_this_one_is_none(
    root: Path, tmp_path: Path
) -> None:
    git(root, "tag", "v0.1.0")
    commit(root, "one")
    git(root, "tag", "v0.2.0")
    commit(root, "now")
    git(root, "tag", "v0.3.0")
    found = former.chart(tmp_path / "found", root)
    assert ("v0.2.0", "one") == (found.origin, template(found))


def test_without_a_tag_it_is_that_of_the_newest_commit_with_other_templates(
    root: Path, tmp_path: Path
) -> None:
    commit(root, "one")
    wanted = commit(root, "two")
    commit(root, "now")
    commit(root, "now", readme="other words")
    found = former.chart(tmp_path / "found", root)
    assert (wanted, "two") == (found.origin, template(found))


def test_a_template_that_is_not_committed_yet_is_another(
    root: Path, tmp_path: Path
) -> None:
    wanted = commit(root, "committed")
    (root / former.CHART / "templates" / "one.yaml").write_text("now")
    found = former.chart(tmp_path / "found", root)
    assert (wanted, "committed") == (found.origin, template(found))


@pytest.mark.parametrize("is_repository", [True, False])
def test_where_there_is_no_other_it_is_this_one_and_says_so(
    root: Path, tmp_path: Path, *, is_repository: bool
) -> None:
    commit(root, "now")
    if not is_repository:
        (root / ".git").rename(tmp_path / "gone")
    found = former.chart(tmp_path / "found", root)
    assert former.Former(root / former.CHART) == found
    assert "no other chart in this history" in str(found)
