"""What NVIDIA's variables in an image ask of a node's driver and GPU.

`NVIDIA_REQUIRE_*` holds conditions that NVIDIA's container toolkit checks before it
starts a container (`internal/requirements` of NVIDIA/nvidia-container-toolkit at
2da3297):

1. All variables of that prefix must hold, but those for Jetpack, which it leaves out.
2. In a value, a space separates alternatives; within one, a comma separates
   conditions that must hold together.
3. A condition is `PROPERTY OPERATOR VALUE` without spaces; properties are `cuda`,
   `driver`, `arch` (versions) and `brand`, operators `=`, `!=`, `<`, `<=`, `>`, `>=`.
   What has another property is passed over.
4. An old image has `CUDA_VERSION` and no `NVIDIA_REQUIRE_CUDA`: that means `cuda>=`
   its first two numbers.
5. `NVIDIA_DISABLE_REQUIRE=true` turns all that off.

NFD knows what GPU Feature Discovery writes: the driver's version, the newest CUDA
that it supports, and the compute capability; it knows no brand.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.cli.authoring.draft import Term, Terms, rule, said
from app.cli.authoring.platforms import Asked

PREFIX: Final = "NVIDIA_REQUIRE_"
MAX_ALTERNATIVES: Final = 32
"""Of one variable, each once; CUDA's own images have up to ten."""

MAX_CHOICES: Final = 1024
"""Within one alternative, before those that are the same are made one."""

MAX_CONDITIONS: Final = 256
"""Of one variable, as it is written; CUDA's own images have up to a hundred."""

_CUDA: Final = f"{PREFIX}CUDA"
_JETPACK: Final = f"{PREFIX}JETPACK"
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
"""What Go's strconv.ParseBool takes for true."""

_CONDITION: Final = re.compile(r"([^<>=!]*)(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
_VERSION: Final = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,2})")
_SHORT: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")

_LABEL: Final = "local.label"
_MAJOR: Final = "nvidia.com/gpu.compute.major"
_MINOR: Final = "nvidia.com/gpu.compute.minor"
_VERSIONS: Final = {
    "cuda": "nvidia.com/cuda.runtime-version.full",
    "driver": "nvidia.com/cuda.driver-version.full",
}

Alternatives: TypeAlias = tuple[Terms, ...]
"""One of these must hold; each is terms that must hold together."""

_GPU: Final = rule(
    "NVIDIA GPU",
    why=(
        "Class 0300 is a display controller, 0302 a 3D controller.",
        "Delete the rules from here on if the image runs without a GPU, too.",
    ),
    any_of=[
        (
            Term(
                "pci.device",
                {
                    "vendor": '{op: In, value: ["10de"]}',
                    "class": '{op: In, value: ["0300", "0302"]}',
                },
            ),
        )
    ],
)
_WHY: Final = (
    "local.label is what GPU Feature Discovery (0.15 or newer) writes to features.d.",
    "Its runtime-version is the newest CUDA that the driver supports.",
)


def ask(environment: Mapping[str, str]) -> Asked:
    """What the environment of an image asks for."""
    notes = [*_capabilities(environment)]
    wanted = {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith(PREFIX) and value.strip()
    }
    for name in [one for one in wanted if one.startswith(_JETPACK)]:
        value = said(f"{name}={wanted.pop(name)}")
        notes.append(f"{value}: not mapped: NFD knows nothing of Jetpack.")
    legacy = _SHORT.match(environment.get("CUDA_VERSION", ""))  # (4)
    if legacy and not environment.get(_CUDA):
        wanted["CUDA_VERSION"] = f"cuda>={legacy[1]}.{legacy[2] or 0}"
    if environment.get("NVIDIA_DISABLE_REQUIRE") in _TRUE:  # (5)
        if wanted:
            names = said(", ".join(wanted))
            text = "NVIDIA_DISABLE_REQUIRE is set, so nothing is made of"
            notes.append(f"{text} {names}.")
        return Asked(notes=tuple(notes))
    rules = [line for one in wanted.items() for line in _rule(*one, notes)]
    return Asked((*_GPU, *rules) if rules else (), tuple(notes))


def _capabilities(environment: Mapping[str, str]) -> Iterator[str]:
    value = environment.get("NVIDIA_DRIVER_CAPABILITIES")
    if value:
        text = "not mapped: no feature says which parts of a driver are installed."
        yield f"NVIDIA_DRIVER_CAPABILITIES={said(value)}: {text}"


def _rule(name: str, value: str, notes: list[str]) -> tuple[str, ...]:
    """The rule for a variable; none if nothing of it can be asked for."""
    if len(re.split("[ ,]", value)) > MAX_CONDITIONS:
        notes.append(
            f"{said(name)}: not mapped: more than {MAX_CONDITIONS} conditions."
        )
        return ()
    read = _Reader()
    found = read.alternatives(value)
    notes += (f"{said(name)}: {note}" for note in dict.fromkeys(read.notes))
    if found is None:
        text = "no rule: what is left of one alternative holds on any GPU."
        notes.append(f"{said(name)}: {text}")
    if not found:
        return ()
    if len(found) > MAX_ALTERNATIVES:
        text = f"not mapped: {len(found)} alternatives, at most {MAX_ALTERNATIVES}."
        notes.append(f"{said(name)}: {text}")
        return ()
    why = (f"{said(f'{name}={value}')}", *_WHY)
    return rule(said(name), why=why, any_of=found)


@dataclass(slots=True)
class _Reader:
    """Reads a variable's value; notes what has no feature."""

    notes: list[str] = field(default_factory=list)

    def alternatives(self, value: str) -> list[Terms] | None:
        """(2): each once; `None` if of one nothing is left that could be asked for."""
        found: dict[str, Terms] = {}
        for alternative in value.split(" "):
            conditions = [one for one in alternative.split(",") if one]
            if not conditions:
                continue
            read = [self.condition(one) for one in conditions]
            known = [one for one in read if one]
            if not known and None in read:
                return None
            if not known:
                continue
            if math.prod(map(len, known)) > MAX_CHOICES:
                self.notes.append(f"{said(alternative)} has too many choices.")
                return []
            for parts in itertools.product(*known):
                terms = _joined([term for part in parts for term in part])
                found[repr(terms)] = terms
        return list(found.values())

    def condition(self, text: str) -> Alternatives | None:
        """(3): none if it is passed over, `None` if it cannot be asked for."""
        read = _CONDITION.fullmatch(text)
        if read is None:
            self.notes.append(f"{said(text)} is no condition.")
            return None
        name, operator, value = read.groups()
        if name in _VERSIONS:
            version = _VERSION.fullmatch(value)
            if version is not None:
                return _of_version(_VERSIONS[name], operator, version[1])
        elif name == "arch":
            numbers = _SHORT.fullmatch(value.removeprefix("v"))
            if numbers is not None:
                major, minor = int(numbers[1]), int(numbers[2] or 0)
                return _ARCH[operator](major, minor)
        elif name == "brand":
            self.notes.append("brand is left out, so any will do: no feature says it.")
            return None
        else:
            self.notes.append(f"{said(text)} is left out: NVIDIA has no such property.")
            return ()
        self.notes.append(f"{said(text)} is left out: its value is no version.")
        return None


def _joined(terms: Sequence[Term]) -> Terms:
    """Terms, those with different elements of one feature made one."""
    joined: list[Term] = []
    for term in terms:
        for number, known in enumerate(joined):
            if not known.expressions.keys() & term.expressions.keys():
                both = {**known.expressions, **term.expressions}
                joined[number] = Term(_LABEL, both)
                break
            if known == term:
                break
        else:
            joined.append(term)
    return tuple(joined)


# Versions -----------------------------------------------------------------------

_OPERATORS: Final = {">=": ("Ge",), ">": ("Gt",), "<=": ("Le",), "<": ("Lt",)}


def _of_version(element: str, operator: str, version: str) -> Alternatives:
    if operator == "=":
        both = f'{{op: GeLe, type: version, value: ["{version}", "{version}"]}}'
        return ((Term(_LABEL, {element: both}),),)
    names = _OPERATORS.get(operator, ("Lt", "Gt"))
    return tuple(
        (Term(_LABEL, {element: f'{{op: {op}, type: version, value: ["{version}"]}}'}),)
        for op in names
    )


# Compute capability: two numbers, one element each ----------------------------------


def _number(element: str, op: str, value: int) -> Mapping[str, str]:
    return {element: f'{{op: {op}, value: ["{value}"]}}'}


def _major(op: str, value: int) -> Terms:
    return (Term(_LABEL, _number(_MAJOR, op, value)),)


def _within(major: int, op: str, minor: int) -> Terms:
    expressions = {**_number(_MAJOR, "In", major), **_number(_MINOR, op, minor)}
    return (Term(_LABEL, expressions),)


def _at_least(major: int, minor: int) -> Alternatives:
    if minor == 0:
        return (_major("Gt", major - 1),)
    return _major("Gt", major), _within(major, "Gt", minor - 1)


def _below(major: int, minor: int) -> Alternatives:
    less = _major("Lt", major)
    return (less, _within(major, "Lt", minor)) if minor else (less,)


_ARCH: Final[Mapping[str, Callable[[int, int], Alternatives]]] = {
    "=": lambda major, minor: (_within(major, "In", minor),),
    "!=": lambda major, minor: (_major("NotIn", major), _within(major, "NotIn", minor)),
    "<": _below,
    "<=": lambda major, minor: _below(major, minor + 1),
    ">": lambda major, minor: _at_least(major, minor + 1),
    ">=": _at_least,
}
