"""Parses a template and runs it; all of Go's and sprig's functions come in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.compat.template import runes
from app.compat.template.builtins import BUILTINS, SPECIAL
from app.compat.template.data import Data, domains
from app.compat.template.execute import Execution
from app.compat.template.limits import LIMITS, Limits, Meter
from app.compat.template.nodes import Body, Trees
from app.compat.template.parser import parse as parse_trees
from app.compat.template.refusal import refuse
from app.compat.template.sprig import FUNCTIONS as SPRIG
from app.compat.template.sprig import REFUSED
from app.compat.template.values import Function

__all__ = ["LIMITS", "Data", "Limits", "Meter", "Template", "parse"]

_FUNCTIONS: Final[Mapping[str, Function]] = {**BUILTINS, **SPRIG}


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; never changes, and may run any number of times.

    Attributes:
        text: the text that was parsed, without lone surrogates.
        limits: the bounds of each execution.
    """

    text: str
    limits: Limits = LIMITS
    _trees: Trees = field(default_factory=dict, repr=False)

    @property
    def body(self) -> Body:
        """The nodes of the template itself, without those that it defines."""
        return self._trees[b""]

    def execute(self, data: Data, meter: Meter | None = None) -> str:
        """Runs the template.

        Args:
            data: what it is run on.
            meter: counts what the run costs, also if it fails; by default a new one
                with the template's limits.

        Raises:
            SpecError: `TemplateFailed` with Go's text, `TooCostly`, or
                `UnsupportedFunction` for a use that is refused (`printf "%p"`).
        """
        meter = Meter(self.limits) if meter is None else meter
        root = domains(data)
        run = Execution(self.text, self._trees, _FUNCTIONS, meter, root)
        return runes.to_text(run.run(root))


def parse(text: str, limits: Limits = LIMITS) -> Template:
    """Parses a template.

    Raises:
        SpecError: `InvalidTemplate` with Go's text, `UnsupportedFunction`, or
            `TooCostly`.
    """
    source = runes.clean(text)
    return Template(source, limits, parse_trees(source, _has_function, limits))


def _has_function(name: str) -> bool:
    """Tells whether a function may be called; refuses what sprig would allow."""
    if name in REFUSED:
        refuse(f'function "{name}"', REFUSED[name])
    return name in _FUNCTIONS or name in SPECIAL
