"""A compatibility spec as values: what NFD's `v1alpha1` types hold.

The fields are those of NFD's `api/image-compatibility/v1alpha1/spec.go` and
`api/nfd/v1alpha1/types.go` at v0.19.0; a field that NFD ignores is not here.
`None` stands where Go has nil and NFD tells nil from empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MatchExpression:
    """`{op, value, type}`: one test of one input.

    Attributes:
        op: the operator as written; `""` is MatchAny.
        value: the operands, as text.
        type: `""` or `version`; looked at by the order operators only.
    """

    op: str = ""
    value: tuple[str, ...] = ()
    type: str = ""


@dataclass(frozen=True, slots=True)
class FeatureMatcherTerm:
    """One term of matchFeatures.

    Attributes:
        feature: the feature's name as written; looked up in lower case.
        match_expressions: element name -> expression; `None` if absent. A `None`
            expression was written as null: evaluating it is an error (NFD panics).
        match_name: the expression on element names; `None` if absent.
    """

    feature: str = ""
    match_expressions: Mapping[str, MatchExpression | None] | None = None
    match_name: MatchExpression | None = None


@dataclass(frozen=True, slots=True)
class GroupRule:
    """A rule of a NodeFeatureGroup; the unit of a compatibility set.

    Attributes:
        name: for people; need not be unique.
        vars: static variables, published as `rule.matched`.
        vars_template: a Go text/template that yields `key=value` lines.
        match_features: terms that must all hold; empty if absent.
        match_any: alternatives, each a tuple of terms; empty if absent.
    """

    name: str = ""
    vars: Mapping[str, str] = field(default_factory=dict)
    vars_template: str = ""
    match_features: tuple[FeatureMatcherTerm, ...] = ()
    match_any: tuple[tuple[FeatureMatcherTerm, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Compatibility:
    """A compatibility set: all its rules must match."""

    rules: tuple[GroupRule, ...] = ()
    weight: int = 0
    tag: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """A compatibility spec: its sets are alternatives."""

    version: str = ""
    compatibilities: tuple[Compatibility, ...] = ()
