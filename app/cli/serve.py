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
    """Run the admission webhook until it is told to stop.

    Examples:
      imagecompat serve --config /etc/imagecompat/settings.yaml
    """
    import signal  # noqa: PLC0415 - fast --help

    from app import telemetry  # noqa: PLC0415
    from app.bootstrap.files import load  # noqa: PLC0415
    from app.bootstrap.wiring import wire  # noqa: PLC0415
    from app.webhook import server  # noqa: PLC0415

    # To take up new settings; nobody listens yet, and that is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    loaded = load(config)
    telemetry.configure_logging()
    server.serve(wire(loaded, config), loaded.server)
