"""`imagecompat selftest`: does the API server ask the webhook, and is it heard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

IMAGE: Final = "selftest.imagecompat.invalid/unfit:1"

_IDLE_SECONDS: Final = 60.0
"""Above the 34 s that the API server grants all webhooks of a request."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("selftest")(selftest)


def selftest(
    *,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Where the Pod would be.")
    ] = "default",
    image: Annotated[
        str, typer.Option(help="An image that is known to fit no node.")
    ] = IMAGE,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the webhook.", min=0)
    ] = 60.0,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Else $KUBECONFIG, ~/.kube/config, the Pod's account."),
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of that file.")] = None,
) -> None:
    """Ask the API server whether the webhook is heard.

    Creates a Pod that no node fits, as a dry run, and expects a denial or a warning.

    Examples:
      imagecompat selftest --timeout 30

    Exit codes: 0 it said so, 1 it did not, 2 bad input, 3 could not find out.
    """
    import asyncio  # noqa: PLC0415 - fast --help
    import time  # noqa: PLC0415

    from app.cli.installed import asking, hearing  # noqa: PLC0415

    async def run() -> hearing.Report:
        async with asking.opened(
            kubeconfig=kubeconfig, context=context, idle_seconds=_IDLE_SECONDS
        ) as api:
            return await hearing.listen(
                api,
                namespace=namespace,
                image=image,
                seconds=timeout,
                clock=time.monotonic,
                sleep=asyncio.sleep,
            )

    report = asyncio.run(run())
    for line in report.lines:
        typer.echo(line, err=report.status != 0)
    raise typer.Exit(report.status)
