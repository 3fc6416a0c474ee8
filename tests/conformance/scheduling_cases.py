"""Makes pairs of a Pod and a Node that try kube-scheduler's filters.

Every trap that was found in the scheduler's source is a *hit*: the generator
counts what it made, and `gaps` names what a run did not reach, so that a change
here cannot quietly stop testing something.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from app.scheduling.node import Node, Taint
from app.scheduling.taints import TRANSIENT

Json = dict[str, Any]
T = TypeVar("T")

FILTERS: Final = ("NodeName", "NodeUnschedulable", "NodeAffinity", "TaintToleration")
LEAST_SHARE: Final = 0.25

NAMES = ("n1", "n2", "n3")
KEYS = ("zone", "example.com/tier", "number")
PLAIN = ("a", "b", "1.5", "")
NUMBERS = {
    "plus": "+5",
    "zeros": "007",
    "many zeros": "0" * 70 + "6",
    "minus": "-7",
    "minus zero": "-0",
    "plain": "5",
    "int64 max": str(2**63 - 1),
    "int64 max + 1": str(2**63),
    "int64 min": str(-(2**63)),
    "int64 min - 1": str(-(2**63) - 1),
    "underscore": "1_000",
    "space": " 5",
    "other script": "٥",
    "fraction": "5.0",
    "hex": "0x5",
    "exponent": "1e3",
    "sign alone": "+",
    "word": "x",
    "empty": "",
}
BAD_VALUES = {
    "value with space": "a b",
    "value of 64": "v" * 64,
    "value begins with -": "-v",
    "value ends with .": "v.",
    "value not ASCII": "é",
    "value with slash": "v/w",
    "value ends with newline": "v\n",
}
GOOD_VALUES = {"value of 63": "v" * 63, "empty value": ""}
BAD_KEYS = {
    "empty key": "",
    "two slashes": "a.b/c/d",
    "empty prefix": "/zone",
    "empty name": "example.com/",
    "upper case prefix": "Example.com/tier",
    "prefix with underscore": "exa_mple/tier",
    "name of 64": "k" * 64,
    "name begins with -": "-zone",
    "prefix of 254": "p" * 254 + "/zone",
    "key ends with newline": "zone\n",
}
GOOD_KEYS = {
    "name of 63": "k" * 63,
    "prefix of 253": "p" * 253 + "/zone",
    "upper case name": "Zone",
}
BAD_OPERATORS = {"unknown operator": "Near", "lower case operator": "in", "none": ""}
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")
BAD_EFFECTS = {"unknown effect": "Never", "lower case effect": "noschedule", "none": ""}
TAINT_KEYS = ("dedicated", "gpu")
TRANSIENT_KEYS = (
    *sorted(TRANSIENT.keys),
    *(f"{prefix}x" for prefix in TRANSIENT.prefixes),
)
CORDON_KEY = "node.kubernetes.io/unschedulable"
CORDON_TOLERATIONS: tuple[Json, ...] = (
    {"operator": "Exists"},
    {"key": CORDON_KEY, "operator": "Exists"},
    {"key": CORDON_KEY, "effect": "NoSchedule"},
    {"key": CORDON_KEY, "operator": "Exists", "effect": "NoExecute"},
    {"key": CORDON_KEY, "operator": "Equal", "value": "x", "effect": "NoSchedule"},
)

WANTED_HITS: Final = frozenset(
    {
        *(f"label {name}" for name in NUMBERS),
        *(f"bound {name}" for name in NUMBERS),
        *BAD_VALUES,
        *GOOD_VALUES,
        *BAD_KEYS,
        *GOOD_KEYS,
        *(f"operator {name}" for name in (*BAD_OPERATORS, *OPERATORS)),
        *(f"taint effect {name}" for name in (*BAD_EFFECTS, *EFFECTS)),
        *(f"toleration effect {name}" for name in (*BAD_EFFECTS, *EFFECTS)),
        *(
            f"toleration operator {name}"
            for name in ("Exists", "Equal", "none", "Gt", "Lt", "unknown")
        ),
        *(f"{count} terms" for count in range(4)),
        *(f"field operator {name}" for name in ("In", "NotIn", "Exists", "Gt")),
        *(f"field values {count}" for count in range(3)),
        "several matchFields",
        "other field",
        "no values",
        "several values",
        "values of Exists",
        "required null",
        "terms null",
        "empty term",
        "null term",
        "selector on missing label",
        "empty selector",
        "toleration without key",
        "transient taint",
        "several taints",
        "cordon",
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """A Pod and a Node as the API server would send them."""

    id: str
    pod: Json
    node: Json


class Generator:
    """Random cases; the same seed makes the same ones.

    Attributes:
        hits: trap -> how often it was made.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.hits: Counter[str] = Counter()
        self._waiting: dict[int, list[str]] = {}

    def case(self, number: int) -> Case:
        pod = {"metadata": {"name": "p", "namespace": "d"}, "spec": self._pod_spec()}
        return Case(str(number), pod, self._node())

    # Nodes

    def _node(self) -> Json:
        labels: dict[str, str] = {}
        for key in KEYS:
            if key == "number":
                if self._chance(0.8):
                    labels[key] = self._named(NUMBERS, "label ")
            elif self._chance(0.75):
                labels[key] = self._pick(PLAIN)
        for traps in (GOOD_KEYS, BAD_KEYS):
            if self._chance(0.1):
                labels[self._pick(tuple(traps.values()))] = self._pick(PLAIN)
        spec: Json = {}
        taints = [self._taint() for _ in range(self._pick((0, 0, 0, 1, 1, 2, 3)))]
        self._hit("several taints", len(taints) > 1)
        if taints or self._chance(0.5):
            spec["taints"] = taints
        if self._chance(0.65):
            spec["unschedulable"] = True
            self.hits["cordon"] += 1
        name = self._pick(NAMES)
        return {"metadata": {"name": name, "labels": labels}, "spec": spec}

    def _taint(self) -> Json:
        key = self._pick(TAINT_KEYS)
        if self._chance(0.3):
            key = self._pick(TRANSIENT_KEYS)
            self.hits["transient taint"] += 1
        taint = {"key": key, "effect": self._effect("taint")}
        if self._chance(0.6):
            taint["value"] = self._pick(("a", "b", "5", ""))
        return taint

    def _effect(self, what: str) -> str:
        if self._chance(0.12):
            return self._named(BAD_EFFECTS, f"{what} effect ")
        effect = self._pick(EFFECTS)
        self.hits[f"{what} effect {effect}"] += 1
        return effect

    # Pods

    def _pod_spec(self) -> Json:
        spec: Json = {"containers": [{"name": "c", "image": "i"}]}
        if self._chance(0.55):
            spec["nodeName"] = self._pick(NAMES)
        if self._chance(0.3):
            spec["nodeSelector"] = self._node_selector()
        if self._chance(0.75):
            spec["affinity"] = self._affinity()
        tolerations = [self._toleration() for _ in range(self._pick((0, 1, 2, 3)))]
        if self._chance(0.45):
            tolerations.append(dict(self._pick(CORDON_TOLERATIONS)))
        if tolerations or self._chance(0.5):
            spec["tolerations"] = tolerations
        return spec

    def _node_selector(self) -> dict[str, str] | None:
        if self._chance(0.2):
            self.hits["empty selector"] += 1
            return self._pick(({}, None))
        if self._chance(0.15):
            self.hits["selector on missing label"] += 1
            return {"missing": ""}
        chosen = {self._pick(KEYS[:2]): self._pick(PLAIN)}
        if self._chance(0.2):
            chosen["number"] = self._pick(tuple(NUMBERS.values()))
        return chosen

    def _toleration(self) -> Json:
        toleration: Json = {}
        if self._chance(0.8):
            keys = (*TAINT_KEYS, *TAINT_KEYS, self._pick(TRANSIENT_KEYS))
            toleration["key"] = self._pick(keys)
        else:
            self.hits["toleration without key"] += 1
        operators = ("Exists", "Exists", "Equal", "none", "Gt", "Lt", "unknown")
        operator = self._pick(operators)
        self.hits[f"toleration operator {operator}"] += 1
        if operator != "none":
            toleration["operator"] = "Like" if operator == "unknown" else operator
        if self._chance(0.5):
            toleration["value"] = self._pick(("a", "b", "4", "5", "05", "+4", ""))
        if self._chance(0.6):
            toleration["effect"] = self._effect("toleration")
        return toleration

    def _affinity(self) -> Json | None:
        if self._chance(0.05):
            self.hits["required null"] += 1
            nothing = {"requiredDuringSchedulingIgnoredDuringExecution": None}
            absent: tuple[Json | None, ...] = (
                None,
                {"nodeAffinity": None},
                {"nodeAffinity": nothing},
            )
            return self._pick(absent)
        count = self._pick((0, 1, 1, 1, 2, 2, 3, 3))
        terms: list[Json | None] | None = [self._term() for _ in range(count)]
        self.hits[f"{count} terms"] += 1
        if count == 0 and self._chance(0.5):
            self.hits["terms null"] += 1
            terms = None
        required = {"nodeSelectorTerms": terms}
        if terms is None and self._chance(0.5):
            required = {}
        key = "requiredDuringSchedulingIgnoredDuringExecution"
        return {"nodeAffinity": {key: required}}

    def _term(self) -> Json | None:
        if self._chance(0.04):
            self.hits["null term"] += 1
            return None
        term: Json = {}
        shape = self._pick(("labels", "labels", "labels", "fields", "both", "empty"))
        if shape in ("labels", "both"):
            count = self._pick((1, 1, 2))
            term["matchExpressions"] = [self._requirement() for _ in range(count)]
        if shape in ("fields", "both"):
            count = self._pick((1, 1, 1, 2, 3))
            self._hit("several matchFields", count > 1)
            term["matchFields"] = [self._field() for _ in range(count)]
        if shape == "empty":
            self.hits["empty term"] += 1
            empty: tuple[Json, ...] = (
                {},
                {"matchExpressions": []},
                {"matchFields": None},
            )
            return self._pick(empty)
        return term

    def _requirement(self) -> Json:
        operator = self._pick(OPERATORS)
        self.hits[f"operator {operator}"] += 1
        if operator in ("Gt", "Lt"):
            return self._comparison(operator)
        requirement: Json = {"key": self._key(), "operator": operator}
        if self._chance(0.05):
            requirement["operator"] = self._named(BAD_OPERATORS, "operator ")
        values = self._values(operator)
        if values is not None:
            requirement["values"] = values
        return requirement

    def _comparison(self, operator: str) -> Json:
        bounds = ["4"] if self._chance(0.5) else [self._named(NUMBERS, "bound ")]
        if self._chance(0.05):
            bounds = self._pick(([], ["1", "2"], ["1", "x"]))
        key = "number" if self._chance(0.9) else self._key()
        return {"key": key, "operator": operator, "values": bounds}

    def _key(self) -> str:
        if self._chance(0.08):
            return self._named(BAD_KEYS, "")
        if self._chance(0.06):
            return self._named(GOOD_KEYS, "")
        return self._pick(KEYS)

    def _values(self, operator: str) -> list[str] | None:
        if operator in ("Exists", "DoesNotExist"):
            if self._chance(0.1):
                self.hits["values of Exists"] += 1
                return ["a"]
            return self._pick(([], None))
        if self._chance(0.05):
            self.hits["no values"] += 1
            return self._pick(([], None))
        values = [self._pick(PLAIN) for _ in range(self._pick((1, 2, 3)))]
        self._hit("several values", len(values) > 1)
        if self._chance(0.08):
            values.append(self._named(BAD_VALUES, ""))
        if self._chance(0.08):
            values.append(self._named(GOOD_VALUES, ""))
        return values

    def _field(self) -> Json:
        operator = self._pick(("In", "In", "In", "NotIn", "NotIn", "NotIn"))
        if self._chance(0.06):
            operator = self._pick(("Exists", "Gt"))
        self.hits[f"field operator {operator}"] += 1
        count = self._pick((0, 2)) if self._chance(0.08) else 1
        self.hits[f"field values {count}"] += 1
        values = [self._pick(NAMES) for _ in range(count)]
        key = "metadata.name"
        if self._chance(0.08):
            self.hits["other field"] += 1
            key = self._pick(("metadata.namespace", "", "metadata.Name"))
            values = [self._pick(("", "x")) for _ in range(count)]
        return {"key": key, "operator": operator, "values": values}

    # Choices

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _pick(self, options: tuple[T, ...]) -> T:
        return self.random.choice(options)

    def _named(self, traps: Mapping[str, str], prefix: str) -> str:
        """The next of some traps; each comes once before any comes again."""
        waiting = self._waiting.setdefault(id(traps), [])
        if not waiting:
            waiting.extend(self.random.sample(tuple(traps), len(traps)))
        name = waiting.pop()
        self.hits[prefix + name] += 1
        return traps[name]

    def _hit(self, name: str, is_hit: bool) -> None:
        self.hits[name] += is_hit


def gaps(hits: Mapping[str, int], passed: Mapping[str, int], cases: int) -> list[str]:
    """What a run failed to try: traps never made, and filters that lean one way."""
    missing = sorted(WANTED_HITS - {name for name, count in hits.items() if count})
    shares = {name: passed[name] / cases for name in FILTERS}
    return missing + [
        f"{name} passes {share:.0%}"
        for name, share in shares.items()
        if not LEAST_SHARE <= share <= 1 - LEAST_SHARE
    ]


def node_of(manifest: Json) -> Node:
    """The Node as our own value."""
    spec = manifest["spec"]
    return Node(
        name=manifest["metadata"]["name"],
        labels=manifest["metadata"]["labels"],
        taints=tuple(
            Taint(taint["key"], taint.get("value", ""), taint["effect"])
            for taint in spec.get("taints", ())
        ),
        unschedulable=spec.get("unschedulable", False),
    )


def settled(manifest: Json) -> Json:
    """The same Node once its cordon and its transient taints are gone."""
    taints = manifest["spec"].get("taints", ())
    lasting = [taint for taint in taints if taint["key"] not in TRANSIENT]
    return {"metadata": manifest["metadata"], "spec": {"taints": lasting}}
