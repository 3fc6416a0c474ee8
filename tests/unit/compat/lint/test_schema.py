"""The JSON Schema of specs: it agrees with lint about shapes."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.compat.lint import lint, schema
from app.compat.operators import OPERATORS
from tests.unit.compat.lint.examples import of_expressions

ROOT = Path(__file__).resolve().parents[4]
PUBLISHED = ROOT / "docs/reference/compatibility-spec.schema.json"
SCHEMA = Draft202012Validator(schema.document())


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema.document())
    assert schema.document()["$id"].startswith("https://imagecompat.dev/")


def test_the_published_one_is_the_one_that_is_printed() -> None:
    """`imagecompat validate-spec --schema` writes it."""
    assert schema.document() == json.loads(PUBLISHED.read_text())


@pytest.mark.parametrize(
    "recipe",
    [
        one
        for one in resources.files("app.recipes").iterdir()
        if one.name.endswith(".yaml")
    ],
    ids=lambda one: one.name,
)
def test_recipes_satisfy_it(recipe: resources.abc.Traversable) -> None:
    assert SCHEMA.is_valid(yaml.safe_load(recipe.read_bytes()))


@pytest.mark.parametrize("op", [*OPERATORS, "exists", "="])
@pytest.mark.parametrize("count", [None, 0, 1, 2, 3])
def test_it_knows_how_many_values_an_operator_takes(op: str, count: int | None) -> None:
    expression: dict[str, object] = {"op": op}
    if count is not None:
        expression["value"] = [str(one) for one in range(1, count + 1)]
    spec = of_expressions("local.label", f"a: {json.dumps(expression)}")
    is_error = any(one.severity == "error" for one in lint(spec))
    assert is_error != SCHEMA.is_valid(yaml.safe_load(spec))


def test_every_field_has_a_description() -> None:
    open_schemas = [schema.document()]
    while open_schemas:
        one = open_schemas.pop()
        for field in one.get("properties", {}).values():
            assert "description" in field or "$ref" in field
        inner = [*one.get("properties", {}).values(), *one.get("$defs", {}).values()]
        inner += [one[key] for key in ("items",) if key in one]
        open_schemas += inner
