r"""Go's text/template with sprig's functions, for the varsTemplate of a rule.

> Templates are Go text/template with the functions of sprig v3.

A template and its data give what they give in NFD, byte for byte, and fail with
Go's own text. What NFD wraps around it (the split into lines and values) is not
done here. Three things differ on purpose: functions whose result is never the same
twice, or that read the host, are refused; costs are bounded (`Limits`); and where Go
leaves an order to chance (`keys`, `values`), it is sorted here.
`docs/reference/templates.md` lists every function.

    template = parse("{{ range .cpu.cpuid }}{{ .Name | lower }}=yes\n{{ end }}")
    template.execute({"cpu": {"cpuid": [{"Name": "AVX"}]}})

Strings are bytes inside, as in Go; bytes of the output that are no valid UTF-8
become U+FFFD, one for each byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.compat.template import runes
from app.compat.template.builtins import BUILTINS, SPECIAL
from app.compat.template.data import Data, domains
from app.compat.template.execute import Execution
from app.compat.template.limits import LIMITS, Limits, Meter
from app.compat.template.nodes import Trees
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
