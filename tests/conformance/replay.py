"""Replays recorded answers of NFD's own evaluator against ours.

    python tests/conformance/replay.py [--engine matching|index] FILE...

A file holds one case a line (plain or .gz):
`{"id", "mode"?, "spec", "features", "merge"?, "tags"?, "expected", "error_exact"?}`,
`expected` being `{"error", "error_kind", "report", "fits"}` as NFD answered.
Prints every difference and closes with `N passed, N failed`. No case is skipped.

The engine `index` judges all cases of a file as one cluster, each case a node: its
three-valued verdict of every set and rule must be what `outcome` makes of
`matching`, whether a feature that no node publishes is unknown or false, and must be
NFD's own where NFD gave no error. It judges specs only: cases of the modes `group`
and `rule` are not applicable, and counted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.compat import features as known
from app.compat import (
    groups,
    matching,
    nodefeaturerule,
    noderules,
    outcome,
    parse,
    status,
)
from app.compat.features import Features
from app.compat.index import Index, Judgement
from app.compat.limits import Limits
from app.compat.outcome import Outcome, UnpublishedFeatures
from app.compat.spec import Spec
from app.errors import SpecError

Case: TypeAlias = Mapping[str, Any]

LIMITS = Limits(bytes=1 << 30, nodes=1 << 30, pattern_bytes=1 << 30)
"""NFD has no limits of its own, so none of ours may decide a case."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an evaluator says of one case; with an error there is no report."""

    report: str | None = None
    fits: bool = False
    error: str | None = None
    kind: str | None = None


def read(path: Path) -> Iterator[Case]:
    """The cases of a file, in order."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in filter(str.strip, lines):
            case = json.loads(line)
            if not {"id", "spec", "features", "expected"} <= case.keys():
                sys.exit(f"{path}: no case of the corpus: {line[:60].rstrip()}")
            yield case


def difference(case: Case) -> str | None:
    """What is wanted and got where they differ; `None` if we agree with NFD."""
    wanted, got = expected(case), answer(case)
    if wanted.kind == "panic":
        agree = got.error is not None
    elif wanted.error is not None and case.get("error_exact") is False:
        agree = got.error is not None and got.kind == wanted.kind
    else:
        agree = got == wanted
    return None if agree else f"{case['id']}\n  wanted {wanted}\n  got    {got}"


def expected(case: Case) -> Answer:
    """NFD's answer; its report as the very text that NFD prints."""
    wanted = case["expected"]
    if wanted["error"] is not None:
        return Answer(error=wanted["error"], kind=wanted["error_kind"])
    return Answer(report=_go_json(wanted["report"]), fits=wanted["fits"])


def answer(case: Case) -> Answer:
    """Our answer."""
    return _MODES[case.get("mode", "compat")](case, _content(case), _features(case))


def _content(case: Case) -> bytes:
    spec = case["spec"]
    text = spec if isinstance(spec, str) else json.dumps(spec, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _features(case: Case) -> Features:
    return known.merge(
        known.from_json(one) for one in (case["features"], *case.get("merge", ()))
    )


def _compat(case: Case, content: bytes, features: Features) -> Answer:
    try:
        spec = parse.read(content, limits=LIMITS)
    except SpecError as error:
        return Answer(error=error.message, kind="parse")
    results = matching.judge(spec, features, tags=case.get("tags") or ())
    try:
        report = status.to_json(status.report(results))
    except SpecError as error:
        return Answer(error=error.message, kind="eval")
    return Answer(report=report, fits=matching.fits(results))


def _group(_: Case, content: bytes, features: Features) -> Answer:
    try:
        rules = parse.read_group(content, limits=LIMITS)
    except SpecError as error:
        return Answer(error=error.message, kind="parse")
    results = groups.judge_group(rules, features)
    rows = [
        {"name": result.rule.name, "isMatch": result.is_match} | _error(result.error)
        for result in results
    ]
    return Answer(report=_go_json(rows), fits=groups.belongs(results))


def _rule(_: Case, content: bytes, features: Features) -> Answer:
    try:
        rules = nodefeaturerule.read(content, limits=LIMITS)
    except SpecError as error:
        return Answer(error=error.message, kind="parse")
    results = noderules.judge_rules(rules, features)
    has_matched = matching.RULE_MATCHED in features.attributes
    labels = _shared_labels(results, has_matched=has_matched)
    rows = [
        {"name": result.rule.name, "isMatch": result.is_match}
        | _error(result.error)
        | _non_empty("labels", row_labels)
        | _non_empty("annotations", result.annotations)
        | _non_empty("extendedResources", result.extended_resources)
        | _non_empty("vars", result.vars)
        | _non_empty("taints", [_taint(taint) for taint in result.taints])
        for result, row_labels in zip(results, labels, strict=True)
    ]
    fits = any(result.is_match for result in results)
    return Answer(report=_go_json(rows), fits=fits)


def _shared_labels(
    results: tuple[noderules.NodeRuleResult, ...], *, has_matched: bool
) -> list[Mapping[str, str]]:
    """The labels as the recorded answers show them.

    NFD makes the first evaluated rule's label map the elements of `rule.matched`
    itself, so what later rules publish appears among its labels. nfd-master has
    copied them by then; whoever recorded the answers printed them at the end.
    """
    labels = [dict(result.labels) for result in results]
    evaluated = [n for n, result in enumerate(results) if result.error is None]
    if has_matched or not evaluated or not results[evaluated[0]].is_match:
        return list(labels)
    for number in evaluated:
        labels[evaluated[0]] |= {**results[number].labels, **results[number].vars}
    return list(labels)


def _taint(taint: Any) -> dict[str, str]:
    row = {"key": taint.key} | _non_empty("value", taint.value)
    row["effect"] = taint.effect
    return row | ({} if taint.time_added is None else {"timeAdded": taint.time_added})


def _error(message: str | None) -> dict[str, str]:
    return {} if message is None else {"error": message}


def _non_empty(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}


_MODES: Mapping[str, Callable[[Case, bytes, Features], Answer]] = {
    "compat": _compat,
    "group": _group,
    "rule": _rule,
}

_SORTED = frozenset({"labels", "annotations", "extendedResources", "vars"})


def _go_json(value: Any) -> str:
    """`value` as Go's encoding/json writes it; maps of text are sorted there."""
    text = json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_sorted, value))
    if isinstance(value, dict):
        return {
            key: dict(sorted(item.items())) if key in _SORTED else _sorted(item)
            for key, item in value.items()
        }
    return value


# The index ------------------------------------------------------------------------


def index_differences(cases: list[Case]) -> Iterator[str | None]:
    """The same for the index, for each case that applies: a node of one cluster.

    Asked twice: what no node publishes being unknown, and being false.
    """
    features = {case["id"]: _features(case) for case in cases}
    indexes = {one: Index(unpublished=one) for one in UnpublishedFeatures}
    for index in indexes.values():
        index.update(features)
    for case in cases:
        try:
            spec = parse.read(_content(case), limits=LIMITS)
        except SpecError:
            yield None if expected(case).kind == "parse" else f"{case['id']}: no spec"
            continue
        found = (
            _index_difference(case, spec, index, one) for one, index in indexes.items()
        )
        yield next(filter(None, found), None)


def _index_difference(
    case: Case, spec: Spec, index: Index, unpublished: UnpublishedFeatures
) -> str | None:
    tags, name = case.get("tags") or (), case["id"]
    results = matching.judge(spec, _features(case), tags=tags)
    found = outcome.decide(results, published=index.published, unpublished=unpublished)
    wanted = [found.outcome] + [
        one for a in found.sets for one in (a.outcome, *(b.outcome for b in a.rules))
    ]
    got = _outcomes(index.judge(name, spec, tags), index.number(name) or 0)
    if wanted != got:
        return f"{name} ({unpublished})\n  wanted {wanted}\n  got    {got}"
    nfd = expected(case)
    # What is unknown here, NFD takes for false: no node publishes the feature.
    if nfd.error is None and nfd.fits is not (got[0] is Outcome.FITS):
        return f"{name}\n  NFD fits {nfd.fits}\n  got      {got[0]}"
    return None


def _outcomes(found: Judgement, number: int) -> list[Outcome]:
    """The spec's outcome on a node, then each set's with its rules'."""
    bits = [(found.fits, found.unknown)]
    for one in found.sets:
        bits += [(one.fits, one.unknown), *((x.fits, x.unknown) for x in one.rules)]
    return [
        _outcome(fits >> number & 1, unknown >> number & 1) for fits, unknown in bits
    ]


def _outcome(fits: int, unknown: int) -> Outcome:
    if fits:
        return Outcome.FITS
    return Outcome.UNKNOWN if unknown else Outcome.DOES_NOT_FIT


def main(arguments: list[str]) -> int:
    """Replays all files; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("matching", "index"), default="matching")
    parser.add_argument("paths", nargs="+", metavar="FILE", type=Path)
    chosen = parser.parse_args(arguments)
    passed = failed = left_out = 0
    for path in chosen.paths:
        cases = list(read(path))
        applicable = cases
        if chosen.engine == "index":
            applicable = [x for x in cases if x.get("mode", "compat") == "compat"]
            differences = index_differences(applicable)
        else:
            differences = map(difference, cases)
        left_out += len(cases) - len(applicable)
        for found in differences:
            if found is None:
                passed += 1
            else:
                failed += 1
                print(found)
    if chosen.engine == "index":
        print(f"{left_out} not applicable (modes group and rule)")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
