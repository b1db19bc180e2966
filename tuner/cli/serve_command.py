"""`serve`: a model of a run behind HTTP."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from tuner.cli.option_help import NumberOption
from tuner.cli.options import A_PATH, CONTEXT
from tuner.cli.terminal.output import print_result, say
from tuner.cli.units import SIZE
from tuner.serving.options import USUAL_RATE, Limits, ServeOptions

_USUAL = ServeOptions(source=Path())
_LIMITS = Limits()


@click.command(context_settings=CONTEXT)
@click.argument("source", type=A_PATH, metavar="RUN")
@click.option(
    "--model",
    metavar="NAME_OR_FILE",
    help="Model of the run, or a .keras file; by default, the recommended model.",
)
@click.option(
    "--calibrated",
    is_flag=True,
    help="Calibrate probabilities with the temperature that the run fitted.",
)
@click.option(
    "--host",
    default=_USUAL.host,
    show_default=True,
    help="Address to bind to; 0.0.0.0 accepts requests from other machines.",
)
@click.option(
    "--port",
    cls=NumberOption,
    type=click.IntRange(0, 65535),
    default=_USUAL.port,
    show_default=True,
    help="Port; 0 picks a free one.",
)
@click.option(
    "--token",
    help=(
        "Token that clients send as `Authorization: Bearer TOKEN`. Other users of this machine can"
        " read it here; use --token-file or the variable TUNER_SERVE_TOKEN instead."
    ),
)
@click.option("--token-file", type=A_PATH, help="File that holds the token.")
@click.option(
    "--workers",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=_USUAL.workers,
    show_default=True,
    help="Processes; each loads the model into its memory.",
)
@click.option(
    "--batch",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=_USUAL.batch,
    show_default=True,
    help="Maximum number of waiting images that are predicted together.",
)
@click.option(
    "--max-size",
    "max_bytes",
    type=SIZE,
    default="32MB",
    show_default=True,
    help="Maximum size of a request's body.",
)
@click.option(
    "--max-pixels",
    # The decoders refuse more.
    cls=NumberOption,
    type=click.IntRange(1, _LIMITS.max_pixels),
    default=_LIMITS.max_pixels,
    show_default=True,
    help="Maximum number of pixels of an image.",
)
@click.option(
    "--max-images",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=_LIMITS.max_images,
    show_default=True,
    help="Maximum number of images in a request.",
)
@click.option(
    "--rate",
    cls=NumberOption,
    type=click.IntRange(min=0),
    help=(
        "Maximum number of images per minute from one client; 0 is no limit."
        f"  [default: {USUAL_RATE}; without --host and --trusted-proxy no limit]"
    ),
)
@click.option(
    "--trusted-proxy",
    default=_USUAL.trusted_proxy,
    metavar="ADDRESS",
    help="Proxy whose X-Forwarded-For names the client; separate several by commas.",
)
def serve(token: str | None, token_file: Path | None, **options: Any) -> None:
    """Serve the recommended model of RUN over HTTP, with a page to try it on.

    RUN is a run folder, latest, a data set's name, or the folder of an exported model. Predictions
    are the same as those of `predict`. The command prints the address of the page; /docs at that
    address describes the HTTP interface. Ctrl-C or SIGTERM finishes the running requests first.
    """
    from tuner.commands.serve import serve as serve_command
    from tuner.commands.serve import the_proxy, the_token

    options["trusted_proxy"] = the_proxy(options["trusted_proxy"])
    options["max_bytes"] = int(options["max_bytes"])
    limits = Limits(
        **{field.name: options.pop(field.name) for field in fields(Limits) if field.name in options}
    )
    serve_command(
        ServeOptions(**options, token=the_token(token, token_file), limits=limits),
        say,
        print_result,
    )
    say("Stopped.")
