"""`imagecompat serve`: the admission webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("serve")(serve)


def serve(
    config: Annotated[
        Path | None, typer.Option(help="Settings file (YAML).", show_default=False)
    ] = None,
) -> None:
    """Run the admission webhook until it is told to stop."""
    from app import bootstrap, settings, telemetry  # noqa: PLC0415 - fast --help
    from app.webhook import server  # noqa: PLC0415

    loaded = settings.load(config)
    telemetry.configure_logging()
    server.serve(bootstrap.wire(loaded, config), loaded.server)
