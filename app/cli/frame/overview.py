"""The front page: what `imagecompat --help` prints, without loading a command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.cli.commands import COMMANDS, GROUPS

WIDTH: Final = 80
"""Columns that its lines keep to: every terminal has them."""

EXIT_CODES: Final = (
    (0, "fits"),
    (1, "does not fit"),
    (2, "bad input"),
    (3, "could not find out"),
)
"""What they mean where a command says nothing else."""

VARIABLES: Final = (
    ("KUBECONFIG", "The cluster; else ~/.kube/config, else the Pod's account."),
    ("DOCKER_CONFIG", "Folder with credentials for registries; else ~/.docker."),
    ("https_proxy", "The way to registries; with http_proxy and no_proxy."),
    ("NODE_NAME", "This host's name among nodes; else its host name."),
    ("NO_COLOR", "If it is set, nothing is coloured."),
    ("IMAGECOMPAT_DEBUG", "If it is set, a bug of ours prints its traceback."),
)
"""Variables of the environment that commands look at, settings of `serve` aside."""


def page(program: str) -> str:
    """The front page.

    Args:
        program: as it was called: `imagecompat`, or `kubectl imagecompat`.
    """
    return "".join(f"{one}\n" for one in _lines(program))


def _lines(program: str) -> Iterator[str]:
    column = max(len(one.name) for one in COMMANDS) + 2
    wide = max(len(name) for name, _ in VARIABLES) + 2
    yield f"Usage: {program} COMMAND [OPTIONS] [ARGUMENTS]"
    yield ""
    yield "Image compatibility for Kubernetes. Which nodes can run an image, and why?"
    for group in GROUPS:
        yield ""
        yield f"{group}:"
        for one in COMMANDS:
            if one.group == group:
                yield f"  {one.name:<{column}}{one.help}"
    yield ""
    yield "Options:"
    yield f"  {'-h, --help':<{column}}Show this; after a command, its own help."
    yield f"  {'--version':<{column}}Print the version."
    yield ""
    yield "Environment:"
    for name, meaning in VARIABLES:
        yield f"  {name:<{wide}}{meaning}"
    yield ""
    codes = ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES)
    yield f"Exit codes: {codes}."


def unknown(name: str) -> str:
    """What to say of a command that does not exist, with the nearest names."""
    import difflib  # noqa: PLC0415 - needed by this alone

    what = "option" if name.startswith("-") else "command"
    names = ["--help", "--version"] if what == "option" else [c.name for c in COMMANDS]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no such {what}: {name}{hint or '; --help lists them'}"
