"""Which commands there are: their names, modules and one line about each.

This table is all that the front page needs, so that it takes no longer than Python
itself. A command's module is imported when the command runs, or for its own help;
tests hold its first line of help against this table.
"""

from __future__ import annotations

from typing import Final, NamedTuple

AUTHORS: Final = "For authors of images"
DEVELOPERS: Final = "For developers and CI"
ADMINS: Final = "For admins of clusters"
OTHERS: Final = "Else"

GROUPS: Final = (AUTHORS, DEVELOPERS, ADMINS, OTHERS)
"""As the front page has them, in this order."""


class Row(NamedTuple):
    """One command.

    Attributes:
        name: as it is typed.
        group: of `GROUPS`.
        help: the first line of its help.
        is_server: what it does not expect ends up in a log, with a traceback.
    """

    name: str
    group: str
    help: str
    is_server: bool = False

    @property
    def module(self) -> str:
        """Its `register` adds the command to a `typer.Typer`."""
        return f"app.cli.{self.name.replace('-', '_')}"


COMMANDS: Final = (
    Row("init-spec", AUTHORS, "Write a first compatibility spec, to be edited."),
    Row(
        "validate-spec",
        AUTHORS,
        "Check a compatibility spec; errors name line and column.",
    ),
    Row("test-spec", AUTHORS, "Test specs on nodes, against what is expected."),
    Row("attach-spec", AUTHORS, "Attach a compatibility spec to images."),
    Row(
        "list-specs",
        AUTHORS,
        "List an image's specs: which counts, and why others do not.",
    ),
    Row("show-spec", AUTHORS, "Print the spec of an image that counts, byte for byte."),
    Row(
        "remove-spec",
        AUTHORS,
        "Remove the spec of an image that counts, another, or all.",
    ),
    Row(
        "copy-specs",
        AUTHORS,
        "Copy the specs of images to where the images were mirrored.",
    ),
    Row(
        "validate-node",
        DEVELOPERS,
        "Validate a node's features against a compatibility spec.",
    ),
    Row(
        "check",
        DEVELOPERS,
        "Check whether workloads will run on the nodes that there are.",
    ),
    Row(
        "export",
        ADMINS,
        "Export nodes and their features, for the other commands.",
    ),
    Row("status", ADMINS, "Show how an installed webhook is, problems first."),
    Row("selftest", ADMINS, "Ask the API server whether the webhook is heard."),
    Row("validate-config", ADMINS, "Check settings before they are applied."),
    Row(
        "serve",
        ADMINS,
        "Run the admission webhook until it is told to stop.",
        is_server=True,
    ),
    Row("completion", OTHERS, "Print a script that completes commands in your shell."),
    Row("demo", OTHERS, "Run the real webhook on a cluster in memory, and ask it."),
)
"""In the order of the front page."""


def find(name: str) -> Row | None:
    """The command of a name; `None` if there is none."""
    return next((one for one in COMMANDS if one.name == name), None)
