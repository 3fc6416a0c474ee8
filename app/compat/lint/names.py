"""Names of features and elements that no node publishes, or not under that name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from app.compat import gotext, regexp
from app.compat.limits import LIMITS
from app.compat.lint import cpuid, dashes, gfd, near
from app.compat.lint.features import DOMAINS, FEATURES
from app.compat.lint.problem import Problem, Problems, found, shown
from app.compat.lint.written import Spec, Term, Text
from app.errors import SpecError

_LABEL_PREFIXES: Final = ("feature.node.kubernetes.io/", "profile.node.kubernetes.io/")

_LONGEST_FEATURE: Final = 512
_LONGEST_OPTION: Final = 256
_KERNEL_OPTION: Final = re.compile("[A-Z0-9][A-Za-z0-9_]*")

_DASHED_FILES: Final = frozenset(
    """
    vfio_pci vfio_pci_core kvm_intel kvm_amd nvme_core nvme_fabrics nvme_rdma nvme_tcp
    dm_mod dm_crypt dm_thin_pool dm_snapshot usb_storage
    """.split()  # noqa: SIM905 - a table of words reads best as words
)
"""Modules whose file's name has a dash, which modules.builtin keeps."""


def check(spec: Spec) -> Problems:
    """Problems of every feature's and every element's name."""
    yield from _amx(spec)
    for rule in spec.rules:
        for term in rule.every:
            yield from _feature(term)
            look = _ELEMENTS.get(term.key, _closed)
            yield from look(term)


def named(term: Term) -> Iterator[Text]:
    """The elements that a term names: those of expressions, and of matchName In."""
    for one in term.expressions:
        yield one.name
    if term.match_name is not None and term.match_name.op.text in {"In", "NotIn"}:
        yield from term.match_name.values


# Features -----------------------------------------------------------------------


def _feature(term: Term) -> Problems:
    name, at = term.feature.text, term.feature.at
    if not name:
        message = "no feature is named: expected one as in kernel.version"
        yield found("no-feature", term.at, message, "this term never matches")
        return
    if len(name) > _LONGEST_FEATURE:
        message = f"no feature is called {shown(name)}"
        yield found("unknown-feature", at, message)
        return
    if gotext.lower(name) != name:
        message = f"upper case in {shown(name)}: NFD's report says that it is false"
        yield found("feature-case", at, message, f"write {shown(gotext.lower(name))}")
    domain, dot, _ = term.key.partition(".")
    if term.key in FEATURES:
        return
    if not dot:
        hint = _meant_feature(term.key)
        message = f"{shown(name)} has no dot: expected DOMAIN.FEATURE"
        yield found("feature-without-dot", at, message, hint)
    elif name.startswith(_LABEL_PREFIXES):
        message = f"{shown(name)} is a node's label, not a feature"
        hint = "labels cpu-cpuid.AVX are element AVX of feature cpu.cpuid"
        yield found("unknown-feature", at, message, hint)
    elif domain in DOMAINS - {"fake"} or _meant_feature(term.key):
        message = f"NFD v0.19 publishes no feature {shown(name)}"
        hint = _meant_feature(term.key)
        if domain == "custom":
            hint = "NFD's custom rules make labels of nodes, which no spec can ask for"
        yield found("unknown-feature", at, message, hint)


def _meant_feature(key: str) -> str:
    """A hint for a feature's name; `kernel.version.full` is an element of one."""
    for known in FEATURES:
        if key.startswith(f"{known}."):
            rest = key.removeprefix(f"{known}.")
            return f'"{known}" is the feature, {shown(rest)} an element of it'
    return near.meant(key, FEATURES)


# Elements -----------------------------------------------------------------------


def _closed(term: Term) -> Problems:
    """Elements of a feature that has no others."""
    feature = FEATURES.get(term.key)
    if feature is None:
        return
    for name in named(term):
        if feature.element(name.text) is None:
            yield _unknown(term, name)


def _unknown(term: Term, name: Text) -> Problem:
    known = FEATURES[term.key].elements
    message = f"{term.key} has no element {shown(name.text)}"
    likely = [*known, *_LIKELY.get(term.key, ())]
    hint = near.meant(name.text, likely)
    if not hint and len(known) <= _FEW:
        hint = f"it has {', '.join(sorted(known))}"
    return found("unknown-element", name.at, message, hint)


_FEW: Final = 10
_LIKELY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "memory.hugepages": tuple(
            f"hugepages-{size}"
            for size in ("64Ki", "1Mi", "2Mi", "32Mi", "512Mi", "1Gi", "2Gi", "16Gi")
        )
    }
)
"""Names that are not listed one by one -> those that nodes have."""


def _cpuid(term: Term) -> Problems:
    names = [name.text for name in named(term)]
    is_arm = any(name in cpuid.ARM64 - cpuid.AMD64 - {"AES"} for name in names)
    for name in named(term):
        text = name.text
        if text == "AES" and not is_arm:
            message = '"AES" is a flag of arm64: nodes with amd64 publish "AESNI"'
            hint = "for both write a matchAny with one of each"
            yield found("cpuid-name", name.at, message, hint)
        elif text == cpuid.FALSE_POSITIVE:
            yield found("cpuid-false-positive", name.at, _FALSE, _FALSE_HINT)
        else:
            yield from _flag(term, name)


_FALSE: Final = (
    f'"{cpuid.FALSE_POSITIVE}" is reported on every processor with protection keys,'
    " with AMX or without"
)
_FALSE_HINT: Final = "ask for AMXTILE and for the type that you use, as AMXINT8"


def _flag(term: Term, name: Text) -> Problems:
    meant = cpuid.renamed(name.text)
    if meant:
        message = f"NFD calls {shown(name.text)} otherwise: expected {shown(meant)}"
        yield found("cpuid-name", name.at, message, f"write {meant}")
    elif name.text not in FEATURES[term.key].elements:
        yield _unknown(term, name)


MAX_CALLS: Final = 100_000
"""What looking for AMX in patterns may cost, in operator calls."""


class _TooMuchError(Exception):
    """It cost more than `MAX_CALLS`."""


def _amx(spec: Spec) -> Problems:
    """Patterns on flags that are found in AMXFP8, and are about AMX."""
    left = MAX_CALLS

    def spend(calls: int) -> None:
        nonlocal left
        left -= calls
        if left < 0:
            raise _TooMuchError

    for rule in spec.rules:
        for term in rule.every:
            for value in _patterns(term) if term.key == "cpu.cpuid" else ():
                if "AM" in value.text and _finds_amxfp8(value.text, spend):
                    message = f"{shown(value.text)} is found in {cpuid.FALSE_POSITIVE}"
                    message = f"{message}, too: {_FALSE}"
                    yield found("cpuid-false-positive", value.at, message, _FALSE_HINT)


def _finds_amxfp8(pattern: str, spend: regexp.Spend) -> bool:
    try:
        return regexp.compiled(pattern, spend)(cpuid.FALSE_POSITIVE)
    except (SpecError, _TooMuchError):
        return False


_LONGEST_MODULE: Final = 256


def _modules(term: Term) -> list[Text]:
    """The modules that a term names; no module's file has a longer name."""
    return [one for one in named(term) if len(one.text) <= _LONGEST_MODULE]


_FILE: Final = re.compile(r"(.+)\.ko(?:\.(?:gz|xz|zst))?")


def _files(names: Iterable[Text]) -> Problems:
    """Modules that are called as their files are."""
    for name in names:
        file = _FILE.fullmatch(name.text)
        if file is not None:
            message = f"modules are named without .ko: found {shown(name.text)}"
            hint = f"write {file[1].replace('-', '_')}"
            yield found("unknown-element", name.at, message, hint)


def _loaded(term: Term) -> Problems:
    """Names of loaded modules: the kernel turns every dash into an underscore."""
    names = _modules(term)
    yield from _files(names)
    either = {one.text for one in names} if _is_any_of(term) else set()
    for name in names:
        if "-" in name.text:
            underscored = name.text.replace("-", "_")
            if underscored in either:
                continue
            message = (
                f"kernel.loadedmodule never holds a name with a dash: found"
                f" {shown(name.text)}, expected {shown(underscored)}"
            )
            yield found("module-dash", name.at, message, _built_in_hint(name.text))
    patterns = {value.text for value in _patterns(term)}
    for value in _patterns(term):
        is_either = value.text.replace("-", "_") in patterns
        if not is_either and dashes.needs_dash(value.text):
            message = (
                "kernel.loadedmodule never holds a name with a dash: found the pattern"
                f" {shown(value.text)}"
            )
            yield found("module-dash", value.at, message, "write [-_] for the dash")


def _built_in_hint(name: str) -> str:
    pattern = name.replace("-", "[-_]")
    return (
        "if it may be built in: feature kernel.enabledmodule, matchName"
        f' {{op: InRegexp, value: ["^{pattern}$"]}}'
    )


def _enabled(term: Term) -> Problems:
    """Names of enabled modules: loaded with `_`, built in as the file is called."""
    yield from _files(_modules(term))
    names = {name.text for name in _modules(term)}
    for name in _modules(term):
        text = name.text
        other = text.replace("-", "_") if "-" in text else text.replace("_", "-")
        has_dash = "-" in text or text in _DASHED_FILES
        is_either = other in names and term.match_name is not None
        if has_dash and not is_either:
            kind = "built in" if "-" in text else "loaded"
            message = f"{shown(text)} matches only where the module is {kind}"
            pattern = text.replace("_", "-").replace("-", "[-_]")
            hint = f'write matchName: {{op: InRegexp, value: ["^{pattern}$"]}}'
            yield found("module-built-in", name.at, message, hint)


def _patterns(term: Term) -> list[Text]:
    """The patterns on names; not those that are too long to be read."""
    names = term.match_name
    if names is None or names.op.text != "InRegexp":
        return []
    return [one for one in names.values if len(one.text) <= LIMITS.pattern_bytes]


def _is_any_of(term: Term) -> bool:
    return term.match_name is not None and term.match_name.op.text == "In"


_LABELS_ONLY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "amd.com/gpu": "AMD's node labeller labels the Node itself",
        "beta.amd.com/gpu": "AMD's node labeller labels the Node itself",
        "gpu.intel.com/": "Intel's NodeFeatureRules make labels",
        "intel.feature.node.kubernetes.io/": "Intel's NodeFeatureRules make labels",
        "feature.node.kubernetes.io/": "that is a label which NFD makes of a feature",
    }
)
"""Beginnings of labels that are no features -> where they come from."""


def _labels(term: Term) -> Problems:
    for name in named(term):
        for prefix, why in _LABELS_ONLY.items():
            if name.text.startswith(prefix):
                message = f"{shown(name.text)} is a label, and no feature: {why}"
                hint = "ask for what the label is made of, as pci.device"
                yield found("labels-only", name.at, message, hint)
        yield from _of_gfd(name)


def _of_gfd(name: Text) -> Problems:
    """Labels that are nearly one of GPU Feature Discovery."""
    rest = name.text.removeprefix(gfd.PREFIX)
    if rest == name.text or rest in gfd.LABELS or gfd.is_of_a_part(rest):
        return
    meant = near.nearest(rest, gfd.LABELS)
    if meant:
        message = f"GPU Feature Discovery makes no label {shown(name.text)}"
        hint = f'did you mean "{gfd.PREFIX}{meant}"?'
        yield found("unknown-element", name.at, message, hint)


def _config(term: Term) -> Problems:
    for name in named(term):
        text = name.text
        plain = text.removeprefix("CONFIG_")
        if plain != text:
            message = f"kernel.config has names without CONFIG_: found {shown(text)}"
            yield found("config-name", name.at, message, f"write {plain}")
        elif not _is_option(text):
            message = f"{shown(text)} is no name of a kernel option"
            hint = f"write {text.upper()}" if _is_option(text.upper()) else ""
            yield found("config-name", name.at, message, hint)


def _is_option(text: str) -> bool:
    return len(text) <= _LONGEST_OPTION and bool(_KERNEL_OPTION.fullmatch(text))


_ELEMENTS: Final[Mapping[str, Callable[[Term], Problems]]] = MappingProxyType(
    {
        "cpu.cpuid": _cpuid,
        "kernel.config": _config,
        "kernel.enabledmodule": _enabled,
        "kernel.loadedmodule": _loaded,
        "local.feature": _labels,
        "local.label": _labels,
    }
)
"""Feature -> what looks at the names of its elements; others are closed."""
