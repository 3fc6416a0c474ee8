"""Specs around what a test is about, and what lint says of them."""

from __future__ import annotations

from app.compat.lint import Problem, lint

HEAD = "version: v1alpha1\ncompatibilities:\n- rules:\n  - name: rule\n"


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def of_terms(text: str) -> bytes:
    """A spec of one rule with these terms."""
    return f"{HEAD}    matchFeatures:\n{indented(text, 4)}".encode()


def of_expressions(feature: str, expressions: str) -> bytes:
    """A spec of one term: `NAME: {op: ...}` lines on a feature."""
    text = f"- feature: {feature}\n  matchExpressions:\n{indented(expressions, 4)}"
    return of_terms(text)


def of_names(feature: str, expression: str) -> bytes:
    """A spec of one term with a matchName."""
    return of_terms(f"- feature: {feature}\n  matchName: {expression}")


def of_sets(text: str) -> bytes:
    """A spec of these sets."""
    return f"version: v1alpha1\ncompatibilities:\n{text}".encode()


def codes(spec: bytes) -> list[str]:
    """The codes of all problems, in order."""
    return [one.code for one in lint(spec)]


def only(spec: bytes) -> Problem:
    """The one problem of a spec."""
    (problem,) = lint(spec)
    return problem
