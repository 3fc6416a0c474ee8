"""The JSON Schema of a compatibility spec, for editors.

It says what `lint` says of shapes, names of keys, operators and numbers of values,
and nothing of traps. It takes less than NFD does:

* Text is quoted where it looks like a number or a boolean, because YAML 1.1 changes
  what is not.
* Keys are known ones, spelled as they are documented; none is null.
* `version` is there, and is `v1alpha1`.
* There is a set, a set has a rule, and a term names its feature.
* A weight is 1 to 100.
* `value` is left out, or empty, with operators that take none, even where NFD would
  not look at it; so are wrong numbers of values, and types other than `version`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from app.compat.lint.expressions import INTERVALS, ORDER
from app.compat.lint.rules import LEAST_WEIGHT, MOST_WEIGHT, VERSION
from app.compat.operators import OPERATORS

Schema: TypeAlias = dict[str, Any]

ID: Final = "https://imagecompat.dev/schemas/compatibility-spec-v1alpha1.json"


def document() -> Schema:
    """The schema, draft 2020-12; a new one at each call."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Image compatibility spec (v1alpha1)",
        "description": (
            "What a container image needs of its host, in the words of Node Feature"
            " Discovery. Sets are alternatives; all rules of a set must match."
        ),
        **_object(
            {
                "version": {
                    "const": VERSION,
                    "description": "The version of this format.",
                },
                "compatibilities": {
                    "type": "array",
                    "minItems": 1,
                    "items": _set(),
                    "description": "The compatibility sets: a node fits if one fits.",
                },
            },
            "version",
            "compatibilities",
        ),
        "$defs": {
            "matchFeatures": _terms(),
            "expression": _expression(),
        },
    }


def _set() -> Schema:
    return _object(
        {
            "rules": {
                "type": "array",
                "minItems": 1,
                "items": _rule(),
                "description": "Rules that must all match.",
            },
            "weight": {
                "type": "integer",
                "minimum": LEAST_WEIGHT,
                "maximum": MOST_WEIGHT,
                "description": "How much the set is preferred; larger is better.",
            },
            "tag": _text("A word by which --tags selects sets, and reports name one."),
            "description": _text("For people."),
        },
        "rules",
    )


def _rule() -> Schema:
    return _object(
        {
            "name": _text("For people; denials and reports name it."),
            "vars": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Variables for rule.matched of later rules.",
            },
            "varsTemplate": _text(
                "A Go template that yields NAME=VALUE lines from what has matched."
            ),
            "matchFeatures": {"$ref": "#/$defs/matchFeatures"},
            "matchAny": {
                "type": "array",
                "items": _object({"matchFeatures": {"$ref": "#/$defs/matchFeatures"}}),
                "description": "Alternatives, of which one must match.",
            },
        }
    )


def _terms() -> Schema:
    term = _object(
        {
            "feature": {
                "type": "string",
                "minLength": 1,
                "description": "DOMAIN.FEATURE, as in kernel.version.",
            },
            "matchExpressions": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/expression"},
                "description": "Element -> what is asked of its value.",
            },
            "matchName": {
                "$ref": "#/$defs/expression",
                "description": "What is asked of the elements' names.",
            },
        },
        "feature",
    )
    return {
        "type": "array",
        "items": term,
        "description": "Terms that must all match.",
    }


def _expression() -> Schema:
    none = sorted(set(OPERATORS) - ORDER - {"In", "NotIn", "InRegexp"})
    return {
        **_object(
            {
                "op": {
                    "enum": list(OPERATORS),
                    "description": "The operator; without one every value matches.",
                },
                "value": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The operands. Quote them.",
                },
                "type": {
                    "enum": ["", "version"],
                    "description": "How Gt, Ge, Lt, Le, GtLt and GeLe compare.",
                },
            }
        ),
        "allOf": [
            _values(["In", "NotIn", "InRegexp"], minItems=1),
            _values(sorted(ORDER - INTERVALS), minItems=1, maxItems=1),
            _values(sorted(INTERVALS), minItems=2, maxItems=2),
            {
                "if": {"properties": {"op": {"enum": none}}},
                "then": {"properties": {"value": {"maxItems": 0}}},
            },
        ],
    }


def _values(operators: list[str], **bounds: int) -> Schema:
    return {
        "if": {"properties": {"op": {"enum": operators}}, "required": ["op"]},
        "then": {"properties": {"value": bounds}, "required": ["value"]},
    }


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _object(properties: Schema, *required: str) -> Schema:
    found: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    return {**found, "required": list(required)} if required else found
