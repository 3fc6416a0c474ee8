"""Runs the suites, then prints a table of suite, tests, skipped, seconds.

`python tests/run.py [SUITE ...]` runs the named suites, all of them by default.
A full run also checks branch coverage: 100 % for the core, 90 % elsewhere. With
`CI=true` a skipped test is a failure: nothing may be missing there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES = {
    "unit": ("--disable-socket", "--allow-unix-socket", "-n", "2"),
    "property": ("--disable-socket", "--allow-unix-socket", "-n", "2"),
    "conformance": ("-n", "2"),
    "integration": (),
    "docs": (),
    "image": ("-n", "2", "--dist", "loadfile"),
    "chart": (),
    "incidents": (),
}
"""Suite, which is the folder's name -> arguments for pytest."""

CORE = "app/compat/*,app/scheduling/*,app/admission/*,app/bits.py,app/errors.py"

GATES = (("core", CORE, 100), ("shell", "app/*", 90))
"""What is measured, its files, and the branch coverage that it must reach."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one suite said."""

    suite: str
    tests: int
    failed: int
    skipped: int
    seconds: float
    status: int


def run(suite: str, folder: Path) -> Result:
    """Runs one suite under coverage; its output goes to ours."""
    report = folder / f"{suite}.xml"
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q"]
    command += [f"tests/{suite}", f"--junitxml={report}", *SUITES[suite]]
    print(f"\n== {suite}", flush=True)
    started = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    seconds = time.monotonic() - started
    if not report.exists():
        return Result(suite, 0, 1, 0, seconds, status or 1)
    tests = failed = skipped = 0
    for node in ET.parse(report).getroot().iter("testsuite"):
        tests += int(node.get("tests", 0))
        failed += int(node.get("failures", 0)) + int(node.get("errors", 0))
        skipped += int(node.get("skipped", 0))
    return Result(suite, tests, failed, skipped, seconds, status)


def coverage(*arguments: str) -> int:
    """Runs coverage; its exit status."""
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def covered() -> bool:
    """Whether every gate is reached; prints what is not covered."""
    coverage("combine", "--quiet")
    reached = True
    for name, files, percent in GATES:
        print(f"\n== branch coverage of the {name}: at least {percent} %", flush=True)
        omit = [] if name == "core" else [f"--omit={CORE}"]
        status = coverage(
            "report", f"--include={files}", f"--fail-under={percent}", *omit
        )
        reached = reached and status == 0
    return reached


def table(results: list[Result]) -> None:
    """Prints what ran."""
    print(f"\n{'suite':<14}{'tests':>8}{'skipped':>9}{'seconds':>9}")
    for one in results:
        print(f"{one.suite:<14}{one.tests:>8}{one.skipped:>9}{one.seconds:>9.1f}")


def main(names: list[str]) -> int:
    """The exit status: 0 if all passed, and in CI none was skipped."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are: {', '.join(SUITES)}")
        return 2
    coverage("erase")
    with tempfile.TemporaryDirectory() as folder:
        results = [run(suite, Path(folder)) for suite in names or SUITES]
    reached = covered() if not names else True
    table(results)
    failed = sum(one.failed for one in results)
    skipped = sum(one.skipped for one in results)
    passed = sum(one.tests for one in results) - failed - skipped
    broken = [one.suite for one in results if one.status]
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    if broken:
        print(f"failed suites: {', '.join(broken)}")
    if not reached:
        print("branch coverage is below a gate")
    in_ci = os.environ.get("CI") == "true"
    if in_ci and skipped:
        print("skipped tests are failures in CI")
    return int(bool(broken) or not reached or (in_ci and skipped > 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
