"""What `validate-node` does: from what was typed to what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.cli.nodes import finding
from app.cli.output import (
    columns,
    located,
    read_input,
    tell_notes,
    want_colour,
)
from app.cli.reports.verdict import EXIT_CODES, Verdict, worst
from app.cli.validating import judging
from app.cli.validating.options import NodeFormat, Wanted
from app.compat import parse
from app.compat.spec import Spec
from app.errors import ConfigError, SpecError

if TYPE_CHECKING:
    from app.cli.nodes.known import KnownNodes
    from app.cli.validating.judging import Answer
    from app.cli.walking import Set

_OF_NFD: Final = frozenset({NodeFormat.NFD_JSON, NodeFormat.NFD_TABLE})


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be printed, and the exit status."""

    text: str
    code: int


def run(wanted: Wanted) -> Result:
    """Judges, and prints what was found out.

    Raises:
        ImagecompatError: something cannot be read, or asked.
    """
    content = _content(wanted)
    spec = None if content is None else _parsed(content, wanted)
    known = _nodes(wanted)
    answers = judging.judge(spec, known.snapshot, wanted.tags)
    text = _text(wanted, known, answers, spec, content=content)
    return Result(text, EXIT_CODES[worst(one.verdict for one in answers.values())])


def _parsed(content: bytes, wanted: Wanted) -> Spec:
    """As for admission; for NFD's own forms as NFD reads it, which refuses less."""
    is_nfd = wanted.output in _OF_NFD
    try:
        return parse.read(content) if is_nfd else parse.read_for_admission(content)
    except SpecError as error:
        text = located(error, wanted.spec or wanted.image or "")
        raise SpecError(error.reason, text) from error


def _content(wanted: Wanted) -> bytes | None:
    """The spec's bytes; `None` if nothing is attached to the image."""
    if wanted.spec is not None and wanted.image is not None:
        raise ConfigError("InvalidOptions", "--spec and --image: only one of them")
    if wanted.spec is None and wanted.image is None:
        raise ConfigError("InvalidOptions", "expected --spec FILE or --image REFERENCE")
    if wanted.spec is not None:
        if wanted.spec == "-" and "-" in (wanted.nodes.files or ()):
            text = "--spec - and --nodes -: standard input can be read only once"
            raise ConfigError("InputTwice", text)
        return read_input(wanted.spec)
    secret = wanted.reach.registry_password_stdin or wanted.reach.registry_token_stdin
    if secret and "-" in (wanted.nodes.files or ()):
        text = "--nodes - and a password or token: standard input can be read only once"
        raise ConfigError("InputTwice", text)
    from app.cli.specs import fetching  # noqa: PLC0415 - slow, and not always asked

    return fetching.spec_of(wanted.image or "", wanted.platform, wanted.reach)


def _nodes(wanted: Wanted) -> KnownNodes:
    quiet = wanted.reach.quiet
    return finding.find_now(wanted.nodes, else_host=True, quiet=quiet)


def _text(
    wanted: Wanted,
    known: KnownNodes,
    answers: Mapping[str, Answer],
    spec: Spec | None,
    *,
    content: bytes | None,
) -> str:
    if wanted.output in _OF_NFD:
        if len(answers) != 1:
            text = f"-o {wanted.output} is of one node, not of {len(answers)}: name one"
            raise ConfigError("InvalidOptions", text)
        ((node, only),) = answers.items()
        if not wanted.reach.quiet:  # these forms have no place for notes
            tell_notes(known.notes)
        return _of_nfd(wanted.output, node, only)
    if len(answers) == 1 and wanted.output is NodeFormat.TABLE:
        return _single(wanted, known, answers, spec)
    return _several(wanted, known, answers, spec, content=content)


def _of_nfd(form: NodeFormat, node: str, answer: Answer) -> str:
    """NFD's own report, to the byte; it has no word for what is not known."""
    from app.compat import status  # noqa: PLC0415 - one of several

    if answer.found is None and answer.verdict is Verdict.UNKNOWN:
        raise ConfigError("NoFeatures", f"nothing is known of node {node}")
    report = status.report(answer.results)
    if form is NodeFormat.NFD_JSON:
        return status.to_json(report)
    from app.compat import table  # noqa: PLC0415 - one of several

    return table.render(report, colour=want_colour())


def _single(
    wanted: Wanted,
    known: KnownNodes,
    answers: Mapping[str, Answer],
    spec: Spec | None,
) -> str:
    """One node, expression by expression."""
    from app.cli.validating import printing  # noqa: PLC0415 - one of several

    ((node, answer),) = answers.items()
    title = f"{wanted.name} on {node} ({known.origin})"
    notes = known.notes
    if spec is not None and answer.found is None:
        notes = (*notes, f"nothing is known of node {node}")
    text = printing.text(
        title, _walked(answer, spec), notes, width=columns(), colour=want_colour()
    )
    return f"{text}\n{answer.verdict}\n"


def _several(
    wanted: Wanted,
    known: KnownNodes,
    answers: Mapping[str, Answer],
    spec: Spec | None,
    *,
    content: bytes | None,
) -> str:
    from app.cli.validating import report  # noqa: PLC0415 - one of several

    if wanted.output is NodeFormat.JUNIT:
        from app.cli.reports import junit  # noqa: PLC0415

        return junit.document([report.suite(wanted.name, answers)])
    found = report.report(wanted.name, known, answers, content)
    if wanted.output in {NodeFormat.JSON, NodeFormat.YAML}:
        from app.cli.reports import document  # noqa: PLC0415

        more = {}
        if len(answers) == 1:
            (answer,) = answers.values()
            more = {"sets": _walked(answer, spec)}
        is_json = wanted.output is NodeFormat.JSON
        return (document.json if is_json else document.yaml)(found, more)
    from app.cli.reports import formats  # noqa: PLC0415

    return formats.render(
        found,
        formats.ReportFormat(wanted.output.value),
        width=columns(),
        colour=want_colour(),
        every_node=wanted.every_node,
    )


def _walked(answer: Answer, spec: Spec | None) -> tuple[Set, ...]:
    if spec is None or answer.found is None or answer.features is None:
        return ()
    from app.cli import walking  # noqa: PLC0415 - one of several

    return walking.walk(answer.found, spec, answer.features)
