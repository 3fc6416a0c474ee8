"""`imagecompat test-spec`: do specs give the answers that their authors expect."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import Reach, with_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.cli.suites.loading import Fetched, Loaded
    from app.cli.suites.suite import Ran, Suite


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("test-spec")(with_options(judge_suites))


def judge_suites(
    suites: Annotated[
        list[str],
        typer.Argument(metavar="SUITE", help="Files with tests; - for stdin."),
    ],
    *,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Only tests whose name matches: a regular expression (RE2).",
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--output", "-o", help="How to print.")
    ] = Format.TABLE,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name what passed, too.")
    ] = False,
    reach: Reach,
) -> None:
    """Test specs on nodes, against what is expected.

    A suite names specs, nodes, and what each spec is expected to be on each node.
    The answers are the webhook's, in a cluster of the suite's nodes.

    Exit codes: 0 all as expected, 1 some are not, 2 bad input, 3 could not find out.

    Examples:
      imagecompat test-spec suite.yaml
      imagecompat test-spec --run 'cuda on' suite.yaml
      imagecompat test-spec -o junit suites/*.yaml > report.xml
    """
    from app.cli.output import DOES_NOT_FIT, FITS  # noqa: PLC0415 - fast --help
    from app.cli.suites import printing  # noqa: PLC0415

    selected = _pattern(run)
    ran = _ran(_loaded(suites, reach), selected)
    _, failed = printing.counts(ran)
    if output is Format.TABLE:
        typer.echo(printing.text(ran, every=verbose), nl=False)
    elif output is Format.JUNIT:
        typer.echo(printing.xml(ran), nl=False)
    else:
        from app.cli.specs.options import Format as Known  # noqa: PLC0415
        from app.cli.specs.printing import document  # noqa: PLC0415

        text = document(printing.document(ran), Known(output.value))
        typer.echo(text, nl=False)
    raise typer.Exit(DOES_NOT_FIT if failed else FITS)


def _pattern(run: str | None) -> Callable[[str], bool]:
    """Whether a test's name is meant; in time that is linear in its length."""
    from app.compat import regexp  # noqa: PLC0415 - fast --help
    from app.compat.limits import LIMITS  # noqa: PLC0415
    from app.errors import ConfigError, SpecError  # noqa: PLC0415

    if run is None:
        return lambda _: True
    if len(run.encode(errors="replace")) > LIMITS.pattern_bytes:
        text = f"--run: expected at most {LIMITS.pattern_bytes} bytes"
        raise ConfigError("InvalidOptions", text)
    try:
        return regexp.compiled(run)
    except SpecError as error:
        text = f"--run: expected a regular expression (RE2): {error.message}"
        raise ConfigError("InvalidOptions", text) from error


def _loaded(files: Sequence[str], reach: Reach) -> list[tuple[Suite, Loaded]]:
    """The suites and what they name; ends the command with all that is wrong.

    Images come last: they are asked for only if nothing else is wrong.
    """
    from app.cli.nodes.reading import read as read_nodes  # noqa: PLC0415
    from app.cli.output import read_input  # noqa: PLC0415
    from app.cli.suites import loading, reading  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    found: list[tuple[Suite, Loaded]] = []
    problems: list[str] = []
    for file in files:
        try:
            content = read_input(file, most_bytes=reading.LIMITS.bytes)
        except ConfigError as error:
            problems.append(f"imagecompat: {error.message}")
            continue
        suite, wrong = reading.read(content, file)
        loaded, missing = loading.load(suite, read_nodes)
        found.append((suite, loaded))
        problems += (*wrong, *missing)
    _refuse(problems)
    fetched = _fetched([suite for suite, _ in found], reach)
    return [(one, loading.with_images(known, one, fetched)) for one, known in found]


def _fetched(suites: Sequence[Suite], reach: Reach) -> Fetched:
    """The specs of the images that suites name."""
    from app.cli.suites import loading  # noqa: PLC0415 - fast --help

    wanted = tuple(
        dict.fromkeys(one for suite in suites for one in loading.images(suite))
    )
    if not wanted:
        return {}
    from app.cli.specs import fetching  # noqa: PLC0415

    return fetching.specs_of(wanted, reach)


def _ran(
    loaded: Sequence[tuple[Suite, Loaded]], selected: Callable[[str], bool]
) -> list[Ran]:
    from app.cli.suites import judging  # noqa: PLC0415 - fast --help
    from app.errors import ConfigError  # noqa: PLC0415

    ran = [judging.run(suite, known, selected) for suite, known in loaded]
    if not any(one.results for one in ran):
        raise ConfigError("InvalidOptions", "--run: no test has such a name")
    return ran


def _refuse(problems: Sequence[str]) -> None:
    """Ends the command with all problems, a line each."""
    from app.cli.output import BAD_INPUT, safe  # noqa: PLC0415 - fast --help

    for one in problems:
        typer.echo(safe(one), err=True)
    if problems:
        raise typer.Exit(BAD_INPUT)
