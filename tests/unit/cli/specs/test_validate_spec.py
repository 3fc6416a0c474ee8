"""`imagecompat validate-spec` on what is attached to images of a layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.cli.linting import attached
from app.cli.linting.linted import Linted
from app.compat.lint import CODES, Problem
from app.demo.layout import Layout
from app.oci.writing.listing import ImageSpecs, Listed, State, SubjectSpecs
from app.oci.writing.store import Failed
from app.ports import Doubt, Found, Invalid, Missing, PlatformOutcome, Unavailable
from tests.unit.cli.specs.conftest import Images

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

GOOD = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: cpu
    matchFeatures: [{feature: cpu.model}]
"""
BROKEN = GOOD.replace(b"{feature: cpu.model}", b"cpu.model")
DATE = "2026-03-01T00:00:00Z"


def test_the_spec_of_an_image_is_checked(run: Run, images: Images) -> None:
    ran = run("validate-spec", images.app)
    expected = (0, f"{images.app}: valid: 1 set, 1 rule\n", "")
    assert expected == (ran.status, ran.out, ran.err)


def test_every_spec_of_an_index_is_checked(run: Run, images: Images) -> None:
    ran = run("validate-spec", images.multi)
    names = [line.partition(": valid")[0] for line in ran.out.splitlines()]
    assert [f"{images.multi} (index)", f"{images.multi} (linux/arm64)"] == names


def test_an_image_without_a_spec_is_not_valid(run: Run, images: Images) -> None:
    ran = run("validate-spec", images.bare)
    assert (2, "") == (ran.status, ran.out)
    expected = (
        f"{images.bare}: error[artifact-missing]: no compatibility spec is attached to"
        " the image; imagecompat attach-spec\n"
    )
    assert expected == ran.err


def test_an_image_that_is_not_there_could_not_be_read(run: Run, images: Images) -> None:
    absent = images.app.replace(":app", ":absent")
    ran = run("validate-spec", absent, "-o", "json")
    assert (3, "") == (ran.status, ran.out)
    assert f"imagecompat: {absent}: the layout has no absent" in ran.err


def test_what_can_be_read_is_printed_all_the_same(run: Run, images: Images) -> None:
    absent = images.app.replace(":app", ":absent")
    ran = run("validate-spec", absent, images.app, "-o", "json")
    assert 3 == ran.status
    assert [images.app] == [one["name"] for one in json.loads(ran.out)]


def test_an_image_is_named_by_an_option_whatever_it_looks_like(
    run: Run, images: Images
) -> None:
    ran = run("validate-spec", "--image", images.app)
    assert (0, 1) == (ran.status, ran.out.count("valid"))


def test_what_is_no_image_is_bad_input(run: Run) -> None:
    ran = run("validate-spec", "--image", "UPPER/Case")
    assert (2, "") == (ran.status, ran.out)
    assert "UPPER/Case" in ran.err


@dataclass
class Odd:
    """A layout with one image, to which odd things are attached."""

    layout: Layout
    image: Mapping[str, object]

    def attach(
        self, spec: bytes = GOOD, created: str | None = DATE, **more: Any
    ) -> str:
        found = self.layout.attach(self.image, spec, created=created, **more)
        return str(found["digest"])


@pytest.fixture
def odd(tmp_path: Path) -> Odd:
    layout = Layout(tmp_path / "odd")
    image = layout.image("amd64", "app")
    layout.tag(image, "app")
    return Odd(layout, image)


def found(run: Run, odd: Odd) -> tuple[int, list[str]]:
    """Exit code, and the codes of all problems."""
    odd.layout.close()
    ran = run("validate-spec", f"oci-layout://{odd.layout.folder}:app", "-o", "json")
    specs = json.loads(ran.out)
    return ran.status, [each["code"] for one in specs for each in one["problems"]]


def test_an_artifact_as_it_should_be_has_no_problem(run: Run, odd: Odd) -> None:
    odd.attach()
    assert (0, []) == found(run, odd)


def test_an_older_one_is_no_problem(run: Run, odd: Odd) -> None:
    odd.attach()
    odd.attach(BROKEN, "2026-01-01T00:00:00Z")
    assert (0, []) == found(run, odd)


def test_a_trap_is_told_with_its_place_in_the_spec(run: Run, odd: Odd) -> None:
    odd.attach(GOOD.replace(b"cpu.model", b"cpu.modle"))
    odd.layout.close()
    image = f"oci-layout://{odd.layout.folder}:app"
    ran = run("validate-spec", image)
    assert (0, f"{image}: valid: 1 set, 1 rule, 1 warning\n") == (ran.status, ran.out)
    assert ran.err.startswith(f"{image}:5:31: warning[unknown-feature]: ")


def test_a_broken_spec_is_told_with_every_problem(run: Run, odd: Odd) -> None:
    odd.attach(BROKEN)
    assert (2, ["wrong-type"]) == found(run, odd)


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([], id="none"),
        pytest.param([{"mediaType": "text/html", "digest": "x", "size": 1}], id="type"),
    ],
)
def test_an_artifact_that_breaks_the_rules_is_an_error(
    run: Run, odd: Odd, layers: list[object]
) -> None:
    odd.attach(changes={"layers": layers})
    assert (2, ["artifact-invalid"]) == found(run, odd)


def test_an_artifact_without_a_date_is_warned_of(run: Run, odd: Odd) -> None:
    odd.attach(created=None)
    assert (0, ["artifact-undated"]) == found(run, odd)


def test_a_date_in_the_future_is_warned_of(run: Run, odd: Odd) -> None:
    odd.attach(created="2126-01-01T00:00:00Z")
    assert (0, ["date-in-future"]) == found(run, odd)


def test_a_tie_is_warned_of(run: Run, odd: Odd) -> None:
    odd.attach()
    odd.attach(GOOD + b"# again\n")
    assert (0, ["artifact-tie"]) == found(run, odd)


def test_an_artifact_that_is_gone_is_warned_of(run: Run, odd: Odd) -> None:
    odd.attach()
    gone = odd.attach(GOOD + b"# gone\n", "2026-01-01T00:00:00Z")
    del odd.layout.blobs[gone]
    status, problems = found(run, odd)
    assert 0 == status
    assert set(problems) <= {"artifact-gone"}


def test_an_artifact_of_the_index_that_nobody_needs_is_warned_of(
    run: Run, odd: Odd
) -> None:
    index = odd.layout.index([("amd64", odd.image)])
    odd.layout.tag(index, "multi")
    odd.layout.attach(index, GOOD, created=DATE)
    odd.attach()
    odd.layout.close()
    image = f"oci-layout://{odd.layout.folder}:multi"
    ran = run("validate-spec", image)
    assert 0 == ran.status
    assert "warning[artifact-unused]" in ran.err
    assert f"{image} (linux/amd64): valid: 1 set, 1 rule\n" in ran.out


def subject(outcome: PlatformOutcome, *states: State) -> ImageSpecs:
    """What a list says of one manifest."""
    artifacts = tuple(
        Listed("sha256:1", 1, DATE, "", one, detail="why not") for one in states
    )
    one = SubjectSpecs("sha256:0", "", "", artifacts, outcome)
    return ImageSpecs("app:1", "sha256:0", is_index=False, subjects=(one,))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.BROKEN, ["artifact-broken"]),
        (State.DANGLING, ["artifact-gone"]),
        (State.OTHER_SUBJECT, ["artifact-elsewhere"]),
        (State.OTHER_VARIANT, ["artifact-unused"]),
        (State.OLDER, []),
    ],
)
def test_what_does_not_count_is_told_where_its_author_should_know(
    state: State, expected: list[str]
) -> None:
    specs = attached.specs(subject(Missing(), state))
    problems = [each.code for one in specs for each in problems_of(one)]
    assert expected == problems


def problems_of(one: attached.Outcome) -> tuple[Problem, ...]:
    assert isinstance(one, Linted)
    return one.problems


def test_what_is_odd_about_the_one_that_counts_is_told() -> None:
    counts = Found("sha256:1", "", "", GOOD, DATE, doubts=tuple(Doubt))
    (one,) = attached.specs(subject(counts, State.COUNTS))
    assert [
        "date-in-future",
        "date-differs",
        "artifact-gone",
    ] == [each.code for each in problems_of(one)]


def test_an_invalid_one_is_told_once() -> None:
    invalid = Invalid("TooLarge", "5 MiB")
    (one,) = attached.specs(subject(invalid, State.BROKEN, State.BROKEN))
    first, second = problems_of(one)
    assert ("artifact-invalid", "5 MiB (TooLarge)") == (first.code, first.message)
    assert "artifact-broken" == second.code


def test_a_registry_that_does_not_answer_is_a_failure() -> None:
    (one,) = attached.specs(subject(Unavailable("Timeout", "no answer")))
    assert Failed("app:1", "Timeout", "no answer") == one


def test_every_doubt_and_every_code_is_told_somehow() -> None:
    assert set(Doubt) == set(attached.DOUBTS)


def test_every_code_is_its_own() -> None:
    assert not set(attached.CODES) & set(CODES)
