"""JUnit's XML, as Jenkins and GitLab read it.

There is no standard; this is what both accept: `testsuites` over `testsuite` over
`testcase`, each with its counts, and one `failure`, `error` or `skipped` in a case.
The stricter is Jenkins, which has a schema:
https://github.com/jenkinsci/xunit-plugin/blob/031e285ef3b60dee7aaf36e9096d7dcd95ffae83/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from app.cli.reports import words
from app.cli.reports.clean import cleaned
from app.cli.reports.report import Change, Report, Verdict, Workload

NAME: Final = "imagecompat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        name: of the case.
        classname: what it belongs to; readers group by it.
        seconds: how long it took; `None` if that was not measured.
        failure: what was found instead of what was expected; empty if it passed.
        error: why it could not be found out; empty if it could.
        skipped: why it was not run; empty if it was.
    """

    name: str
    classname: str = ""
    seconds: float | None = None
    failure: str = ""
    error: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases under one name."""

    name: str
    cases: tuple[Case, ...] = ()


def document(suites: Sequence[Suite]) -> str:
    """A document of XML, with the end of its last line."""
    cases = [case for suite in suites for case in suite.cases]
    counts = _counts(cases)
    del counts["skipped"]  # Jenkins' schema has none here
    root = ET.Element("testsuites", {"name": NAME, **counts})
    for suite in suites:
        counts = _counts(suite.cases)
        under = ET.SubElement(
            root, "testsuite", {"name": cleaned(suite.name), **counts}
        )
        for case in suite.cases:
            _case(under, case)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def of_report(report: Report) -> str:
    """One case a workload: one that does not fit fails, an unknown one is an error.

    With `--what-if` one that breaks fails, as for the exit code: what does not fit now
    cannot break, and is skipped; what is not known now may fit, and is an error.
    """
    if report.changes is None:
        cases = [_of_workload(one) for one in report.workloads]
    else:
        left: dict[str, list[Change]] = {}
        for change in report.changes:
            left.setdefault(change.name, []).append(change)
        cases = [_of_other(one, _taken(one, left)) for one in report.workloads]
    return document([Suite(name=report.origin or NAME, cases=tuple(cases))])


def _taken(workload: Workload, left: Mapping[str, list[Change]]) -> Change | None:
    """What changes for a workload; of several with its name each is taken once."""
    same = left.get(workload.name, [])
    for change in same:
        if change.after is workload.verdict or not workload.rows:
            same.remove(change)
            return change
    return None


def _of_other(workload: Workload, change: Change | None) -> Case:
    before = workload.verdict if change is None else change.before
    after = workload.verdict if change is None else change.after
    lines = [f"now: {before}, then: {after}"]
    if change is not None:
        now, then = f"{change.nodes_before:,}", f"{change.nodes_after:,}"
        lines = [f"{words.outcome(change)}: {before} -> {after}, nodes {now} -> {then}"]
        lines += (f"- {one}" for one in words.details(change))
    text = "\n".join(lines)
    could_not_break = before is Verdict.DOES_NOT_FIT
    breaks = before is Verdict.FITS and after is Verdict.DOES_NOT_FIT
    is_well = after is Verdict.FITS
    return Case(
        name=workload.name,
        classname=_file(workload.place) or NAME,
        failure=text if breaks else "",
        error="" if breaks or could_not_break or is_well else text,
        skipped=text if could_not_break and not is_well else "",
    )


def _of_workload(workload: Workload) -> Case:
    lines = [f"{workload.verdict}: {words.summary(workload)}"]
    lines += (f"- {one}" for one in words.why(workload))
    if workload.nearest is not None:
        changes = "; ".join(map(words.change, workload.nearest.reasons))
        lines.append(f"closest: {words.closest(workload.nearest)}: {changes}")
    lines += workload.texts
    text = "\n".join(lines)
    return Case(
        name=workload.name,
        classname=_file(workload.place) or NAME,
        failure=text if workload.verdict is Verdict.DOES_NOT_FIT else "",
        error=text if workload.verdict is Verdict.UNKNOWN else "",
    )


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    found = {"tests": str(len(cases))}
    for plural, kind in (("failures", "failure"), ("errors", "error")):
        found[plural] = str(sum(_kind(case) == kind for case in cases))
    found["skipped"] = str(sum(_kind(case) == "skipped" for case in cases))
    found["time"] = f"{sum(case.seconds or 0 for case in cases):.3f}"
    return found


def _kind(case: Case) -> str:
    """What became of a case; empty if it passed. A case has one outcome."""
    return next((k for k in ("error", "failure", "skipped") if getattr(case, k)), "")


def _case(suite: ET.Element, case: Case) -> None:
    named = {"name": cleaned(case.name), "classname": cleaned(case.classname or NAME)}
    if case.seconds is not None:
        named["time"] = f"{case.seconds:.3f}"
    element = ET.SubElement(suite, "testcase", named)
    kind = _kind(case)
    if not kind:
        return
    text = cleaned(getattr(case, kind))
    outcome = ET.SubElement(element, kind, {"message": text.partition("\n")[0]})
    if kind != "skipped":
        outcome.set("type", kind)
        outcome.text = text


def _file(place: str) -> str:
    """A place without its line, which changes when other lines do."""
    file, _, line = place.rpartition(":")
    return file if line.isdecimal() else place
