"""The worst spec at each bound: to read, on one node, on all nodes.

Each is as large as one bound lets it be, and asks for what is dearest there. *All
nodes* is the job that runs in a thread, until it has an answer or is too costly;
it holds the interpreter in portions, which `event_loop` and `hostile` measure.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final

from app.compat import matching
from app.compat.budget import Budget
from app.compat.features import Features
from app.compat.index import FirstSight, Index, TooCostly
from app.compat.limits import LIMITS
from app.compat.spec import Spec
from app.errors import SpecError
from bench import scene, specs
from bench.figure import Figure, Rows
from bench.timing import Clock, Times

NODES: Final = 5_000
FEW_NODES: Final = 12
_TIMES: Final = 3
_PATIENCE_SECONDS: Final = 2.0
_TERMS_PER_RULE: Final = 8
_PATTERNS: Final = 230
"""Patterns of 1 KiB that fit into a text of 256 KiB."""

_LOOP: Final = "{{ range $.kernel.loadedmodule }}"
_PLAIN: Final = 3 * _LOOP + 3 * "{{ end }}"
_DEEP: Final = (
    '{{ define "d" }}{{ if lt (len .) 30 }}{{ template "d" (append . 1) }}{{ end }}'
    f'{{{{ end }}}}{_LOOP}{{{{ template "d" list }}}}{{{{ end }}}}'
)


def _rule(name: str, *terms: object, **more: object) -> dict[str, Any]:
    return {"name": name, "matchFeatures": terms, **more}


def _loaded(op: str, *value: str) -> dict[str, Any]:
    """A term that looks at the name of every loaded module, which differ by node."""
    return {"feature": "kernel.loadedmodule", "matchName": {"op": op, "value": value}}


def _regexps(count: int, length: int = 0) -> list[dict[str, Any]]:
    """Rules of patterns that no other has, `length` bytes long."""
    found = []
    for number in range(count):
        head = f"^(k|kmod_|[a-z]+_)*[0-9]*({number}|[a-z_0-9]+)$"
        filling = "|(a?b?c?[0-9a-f]{1,9}){1,9}z"
        pattern = head + filling * ((length - len(head)) // len(filling))
        found.append(_loaded("InRegexp", pattern + "x" * (length - len(pattern))))
    return [
        _rule(f"r{start}", *found[start : start + _TERMS_PER_RULE])
        for start in range(0, count, _TERMS_PER_RULE)
    ]


def _template(text: str) -> list[dict[str, Any]]:
    return [_rule("template", _loaded("InRegexp", "."), varsTemplate=text)]


def _aliases() -> bytes:
    """Few bytes, and nearly as many YAML nodes as are let in."""
    asked = ", ".join(f"kmod_{number:03d}: {{op: Exists}}" for number in range(30))
    term = f"{{feature: kernel.loadedmodule, matchExpressions: {{{asked}}}}}"
    first = f"  - matchFeatures: &t [&a {term}, *a, *a, *a]\n"
    head = "version: v1alpha1\ncompatibilities:\n- rules:\n"
    return (head + first + 38 * "  - {matchFeatures: *t}\n").encode()


def _terms() -> list[dict[str, Any]]:
    """As many terms as are let in, each on an element of its own."""
    asked = [
        {
            "feature": "kernel.config",
            "matchExpressions": {
                f"SUBSYS_{number % 90:02d}_OPTION_{number:04d}": {"op": "Exists"}
            },
        }
        for number in range(LIMITS.terms)
    ]
    return [
        {"matchFeatures": asked[start : start + _TERMS_PER_RULE]}
        for start in range(0, LIMITS.terms, _TERMS_PER_RULE)
    ]


def _text(rules: list[dict[str, Any]]) -> bytes:
    content = {"version": "v1alpha1", "compatibilities": [{"rules": rules}]}
    return json.dumps(content, separators=(",", ":")).encode()


def texts() -> Mapping[str, bytes]:
    """Bound -> the worst spec that it lets in."""
    values = [f"m{number}" for number in range(LIMITS.values)]
    rules = [_rule(f"r{n}", _loaded("In", f"m{n}")) for n in range(LIMITS.rules)]
    return {
        "rules": _text(rules),
        "terms": _text(_terms()),
        "values": _text([_rule("values", _loaded("NotIn", *values))]),
        "patterns": _text(_regexps(_PATTERNS, LIMITS.pattern_bytes)),
        "yaml_nodes": _aliases(),
        "text": _text(rules[:1]) + b"\n#" + b"x" * (LIMITS.bytes - 300),
        "template_steps": _text(_template(_PLAIN)),
        "template_output": _text(_template(_LOOP + '{{ repeat 9000 "x" }}{{ end }}')),
        "template_depth": _text(_template(_DEEP)),
        "operator_calls": _text(_regexps(400)),
    }


def rows() -> Rows:
    """A row for each bound."""
    return {f"bound_{name}": partial(_measure, name) for name in texts()}


def _measure(name: str) -> Iterator[Figure]:
    """On a large and on a small cluster: what is too costly there may run here."""
    text = texts()[name]
    parsed = _few(lambda: specs.read(text))
    spec = specs.read(text)
    _, known = scene.cluster(NODES)
    node = known[min(known)]
    one = _few(lambda: _outcome(spec, node))
    few, said_of_few, _ = _job(spec, dict(islice(known.items(), FEW_NODES)))
    many, said_of_many, calls = _job(spec, known)
    worst = max(few, many, key=lambda times: times.median)
    yield Figure(
        name=f"bound_{name}",
        value=1e3 * worst.median,
        unit="milliseconds in a thread, all nodes",
        beside={
            **worst.beside("milliseconds"),
            f"{NODES} nodes, milliseconds": 1e3 * many.median,
            f"{NODES} nodes, operator calls": float(calls),
            f"{FEW_NODES} nodes, milliseconds": 1e3 * few.median,
            "one node, milliseconds": 1e3 * one.median,
            "reading the text, milliseconds": 1e3 * parsed.median,
            "bytes of text": float(len(text)),
        },
        note=f"{NODES} nodes: {said_of_many}; {FEW_NODES}: {said_of_few}; "
        f"one: {_outcome(spec, node)}",
    )


def _few(act: Callable[[], object]) -> Times:
    """Times an act that may take very long."""
    clock, ends = Clock(), time.monotonic() + _PATIENCE_SECONDS
    gc.collect()
    for _ in range(_TIMES):
        clock.time(act)
        if time.monotonic() > ends:
            break
    return clock.times()


def _job(spec: Spec, known: Mapping[str, Features]) -> tuple[Times, str, int]:
    """A new spec on all nodes: what it takes, and what comes out."""
    index = Index()
    index.update(known)
    jobs: list[FirstSight] = []

    def run() -> None:
        jobs.append(index.begin("bound", spec))
        jobs[-1].run()

    times = _few(run)
    found = jobs[-1].found
    said = found.message if isinstance(found, TooCostly) else "an answer"
    return times, said, jobs[-1].calls


def _outcome(spec: Spec, node: Features) -> str:
    """What one node's evaluation ends with."""
    try:
        matching.judge(spec, node, budget=Budget(where="this node"))
    except SpecError as error:
        return error.reason
    return "an answer"


ROWS: Final[Rows] = rows()
