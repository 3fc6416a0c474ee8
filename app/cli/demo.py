"""`imagecompat demo`: the main job, embedded."""

from __future__ import annotations

from typing import Annotated, Final

import typer

NO_DEMO: Final = (
    "the demo is not in this image; run `make demo` in a checkout of the sources"
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    *,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the webhook running.")
    ] = False,
    port: Annotated[
        int, typer.Option(help="TCP port with --serve; 0 for any.", min=0, max=65535)
    ] = 9443,
) -> None:
    """Run the real webhook on a cluster in memory, and ask it.

    Examples:
      imagecompat demo
      imagecompat demo --serve --port 9443
    """
    import asyncio  # noqa: PLC0415 - fast --help
    import importlib.util  # noqa: PLC0415

    from app.errors import ConfigError  # noqa: PLC0415

    if importlib.util.find_spec("app.demo") is None:
        raise ConfigError("NoDemo", NO_DEMO)
    from app.demo import story  # noqa: PLC0415 - the production image has no demo

    if serve:
        try:
            asyncio.run(story.serve_forever(typer.echo, port=port))
        except KeyboardInterrupt:
            return
    asyncio.run(story.tell(typer.echo))
