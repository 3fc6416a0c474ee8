"""Asks NFD and us the same generated questions.

    python tests/conformance/live.py [--cases N] [--seed S]

Prints the seed, what was tried, and every difference, and closes with
`N passed, N failed`. What a run must have tried is in `gaps`; where a random run
missed a probe or a quirk, more of it is generated. Cases that differ are written
to a file that `replay.py` takes.

NFD walks Go maps, so the text of an error, and with failFast even the outcome, may
be random. A case that differs is therefore asked again many times; it counts as
passed if our answer is one that NFD gives.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance import generate, quirks, replay, yamltext
from tests.conformance.generate import Case
from tests.conformance.vocabulary import BOOLEAN, EQUALITY, INTERVAL, KINDS, ORDER
from tests.tools.build import find

Json: TypeAlias = dict[str, Any]

ASKED_AGAIN: Final = 200
"""A Go map of two starts with its second entry once in eight walks."""
ROUNDS: Final = 20
MORE: Final = 20
"""How many more cases a round makes for something that was missed."""
LEAST: Final = {"fits": 0.20, "does not fit": 0.20, "error": 0.10}
"""Answer -> its least share of all cases."""

_OUTCOMES = ("true", "false", "error")
_VALUES = (*EQUALITY, "InRegexp", *BOOLEAN, *ORDER, *INTERVAL)
_VERSIONS = tuple(f"{op} version" for op in (*ORDER, *INTERVAL))
PROBES: Final = frozenset(
    {
        *(
            f"probe {kind} {op} {outcome}"
            for kind in ("attribute", "instance", "name")
            for op in (*_VALUES, *_VERSIONS)
            for outcome in _OUTCOMES
        ),
        # A flag has no value: false, and nothing is checked.
        *(f"probe flag {op} false" for op in (*_VALUES, *_VERSIONS)),
        *(
            f"probe {kind} {op} {outcome}"
            for kind in ("flag", "attribute", "instance")
            for op in ("Exists", "DoesNotExist")
            for outcome in _OUTCOMES
        ),
        # A name that is looked at exists.
        *(f"probe name Exists {outcome}" for outcome in ("true", "error")),
        *(f"probe name DoesNotExist {outcome}" for outcome in ("false", "error")),
        *(
            f"probe {kind}  {outcome}"
            for kind in KINDS
            for outcome in ("true", "error")
        ),
        *(f"probe {kind} invalid error" for kind in KINDS),
    }
)
"""Every operator on every kind of element with every outcome that it has there."""

OTHERS: Final = frozenset(
    {
        *(f"quirk {name}" for name in quirks.QUIRKS),
        *(f"shape {name}" for name in generate.SHAPES),
        *(f"yaml {style}" for style in yamltext.ALL_STYLES),
        *("tags", "merge", "template", "template odd", "broken yaml"),
    }
)


@dataclass(slots=True)
class Tally:
    """What a run found.

    Attributes:
        answers: NFD's answer -> how many cases.
        hits: what was tried -> how often; a probe with its outcome.
        varying: cases whose answer is random in NFD, and ours is one of them.
        differences: the cases that differ, with NFD's answer, and in words.
    """

    cases: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    varying: int = 0
    differences: list[tuple[Json, str]] = field(default_factory=list)


def run(count: int, seed: int, oracle: Path) -> Tally:
    """Makes cases, asks both, and makes more of what was missed."""
    generator = generate.Generator(seed)
    tally = Tally()
    cases = [generator.case(number) for number in range(count)]
    for number in range(ROUNDS):
        _compare(cases, oracle, tally)
        cases = list(_missed(generator, tally, number))
        if not cases:
            break
    return tally


def gaps(tally: Tally) -> list[str]:
    """What the run has not tried, in words."""
    missed = sorted(name for name in PROBES | OTHERS if not tally.hits[name])
    shares = {name: tally.answers[name] / max(tally.cases, 1) for name in LEAST}
    return missed + [
        f"only {share:.1%} {name}"
        for name, share in shares.items()
        if share < LEAST[name]
    ]


def ask(oracle: Path, lines: Iterable[Json]) -> list[Json]:
    """NFD's answers, in order."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(
        [oracle, "-batch"], input=text.encode(), capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _compare(cases: Sequence[Case], oracle: Path, tally: Tally) -> None:
    answers = ask(oracle, (case.line for case in cases))
    for case, answer in zip(cases, answers, strict=True):
        if answer.get("error_kind") == "input":
            raise AssertionError(f"no question for NFD: {case.line} {answer}")
        _count(case, answer, tally)
        recorded = _recorded(case.line, answer)
        difference = replay.difference(recorded)
        if difference is None:
            continue
        if _varies(case.line, oracle):
            tally.varying += 1
        else:
            tally.differences.append((recorded, difference))


def _recorded(line: Json, answer: Json) -> Json:
    expected = {
        key: answer.get(key) for key in ("error", "error_kind", "report", "fits")
    }
    return {**line, "expected": expected}


def _varies(line: Json, oracle: Path) -> bool:
    """Whether ours is one of several answers that NFD gives."""
    answers = ask(oracle, [line] * ASKED_AGAIN)
    distinct = {json.dumps(answer): answer for answer in answers}.values()
    return any(replay.difference(_recorded(line, one)) is None for one in distinct)


def _count(case: Case, answer: Json, tally: Tally) -> None:
    outcome = "true" if answer["fits"] else "false"
    if answer["error"] is not None:
        outcome = "error"
    words = {"true": "fits", "false": "does not fit", "error": "error"}
    tally.cases += 1
    tally.answers[words[outcome]] += 1
    for aim in case.aims:
        what, _, name = aim.partition(" ")
        if what == "probe":
            tally.hits[f"{aim} {outcome}"] += 1
        elif what == "quirk":
            tally.hits[aim] += quirks.QUIRKS[name].is_hit(answer)
        else:
            tally.hits[aim] += 1


def _missed(generator: generate.Generator, tally: Tally, number: int) -> Iterator[Case]:
    """More cases for the probes and quirks that were not hit."""
    missed = sorted(name for name in PROBES | OTHERS if not tally.hits[name])
    for index, name in enumerate(missed):
        what, _, rest = name.partition(" ")
        for again in range(MORE):
            if what == "probe":
                case = _probe(generator, rest)
            elif what == "quirk":
                case = generator.quirk(rest)
            else:
                case = generator.case(again)
            line = {"id": f"more/{number}/{index}/{again}", "group": what, **case.line}
            yield Case(line, case.aims)


def _probe(generator: generate.Generator, rest: str) -> Case:
    kind, _, rest = rest.partition(" ")
    op, _, _ = rest.rpartition(" ")
    type_ = "version" if op.endswith(" version") else ""
    op = "Near" if op == "invalid" else op.removesuffix(" version")
    return generator.probe(kind, op, type_)


def main(arguments: Sequence[str]) -> int:
    """Runs, prints; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().getrandbits(32)
    )
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}, {options.cases} cases", flush=True)
    tally = run(options.cases, options.seed, find("nfd-oracle"))
    report(tally)
    missing = gaps(tally)
    for name in missing:
        print(f"not tried: {name}")
    failed = len(tally.differences)
    print(f"{tally.cases - failed} passed, {failed} failed")
    return 1 if failed or missing else 0


def report(tally: Tally) -> None:
    """Prints what a run tried, and every difference."""
    shares = (
        f"{name} {n / tally.cases:.0%}" for name, n in sorted(tally.answers.items())
    )
    print(f"answers: {', '.join(shares)}; {tally.varying} random in NFD")
    probes = [name for name in PROBES if tally.hits[name]]
    print(f"probes: {len(probes)} of {len(PROBES)}")
    functions = {name for name in tally.hits if name.startswith("template ")}
    print(f"template functions: {len(functions)}")
    others = sorted(OTHERS - PROBES)
    print("tried: " + ", ".join(f"{name} {tally.hits[name]}" for name in others))
    for _, difference in tally.differences:
        print(difference)
    if tally.differences:
        print(f"written to {write(tally)}")


def write(tally: Tally) -> Path:
    """Keeps the cases that differ, in the corpus's format."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="imagecompat-differ-", suffix=".jsonl", delete=False
    ) as file:
        for case, _ in tally.differences:
            file.write(json.dumps(case) + "\n")
    return Path(file.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
