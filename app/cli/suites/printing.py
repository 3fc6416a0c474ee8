"""What became of suites: for people, as JSON or YAML, and as JUnit's XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from app.cli.output import safe
from app.cli.reports import junit
from app.cli.suites.suite import Ran, Result


def text(ran: Sequence[Ran], *, every: bool = False) -> str:
    """A line for each difference, under what failed; a summary at the end.

    Args:
        ran: the suites.
        every: whether what passed is named, too.
    """
    lines = [safe(line) for one in ran for line in _suite(one, every=every)]
    passed, failed = counts(ran)
    return "\n".join([*lines, f"{passed} passed, {failed} failed"]) + "\n"


def counts(ran: Sequence[Ran]) -> tuple[int, int]:
    """How many cases passed and failed."""
    results = [result for one in ran for result in one.results]
    failed = sum(bool(result.differences) for result in results)
    return len(results) - failed, failed


def _suite(ran: Ran, *, every: bool) -> Iterator[str]:
    for result in ran.results:
        title = f"{result.case.place}: {result.case.title}"
        if result.differences:
            yield f"FAIL {title}"
            yield from (f"     {line}" for line in _why(result))
        elif every:
            yield f"ok   {title}"


def _why(result: Result) -> tuple[str, ...]:
    """What differs, then what is known of why; each once."""
    got = result.got
    return tuple(dict.fromkeys((*result.differences, *got.errors, *got.reasons)))


def document(ran: Sequence[Ran]) -> object:
    """All of it, in JSON's types."""
    passed, failed = counts(ran)
    return {
        "apiVersion": "imagecompat.dev/v1alpha1",
        "kind": "SpecTestReport",
        "passed": passed,
        "failed": failed,
        "suites": [
            {
                "name": one.suite.name,
                "file": one.suite.file,
                "tests": [_case(result) for result in one.results],
            }
            for one in ran
        ],
    }


def _case(result: Result) -> dict[str, object]:
    case, got = result.case, result.got
    return {
        "name": case.name,
        "spec": case.spec,
        "node": case.node,
        "line": case.place.line,
        "passed": not result.differences,
        "differences": list(result.differences),
        "expected": str(case.expected.answer),
        "answer": str(got.answer),
        "score": got.score or None,
        "set": got.chosen,
        "failing": list(got.failing),
        "reasons": list(got.reasons),
        "errors": list(got.errors),
    }


def xml(ran: Sequence[Ran]) -> str:
    """JUnit's XML: a test suite for each file.

    No line is in it, which changes when other lines do: readers compare runs by name.
    """
    return junit.document(
        [
            junit.Suite(
                name=one.suite.name,
                cases=tuple(
                    junit.Case(
                        name=title,
                        classname=one.suite.file,
                        failure="\n".join(_why(result)) if result.differences else "",
                    )
                    for title, result in _named(one.results)
                ),
            )
            for one in ran
        ]
    )


def _named(results: Sequence[Result]) -> Iterator[tuple[str, Result]]:
    """Each by its title; those after the first of the same title with a number."""
    taken: Counter[str] = Counter()
    for result in results:
        title = result.case.title
        taken[title] += 1
        yield title if taken[title] == 1 else f"{title} ({taken[title]})", result
