"""`serve`: a model of a run behind HTTP."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

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
    help="One of the run's models, or a .keras file; the recommended model by default.",
)
@click.option(
    "--calibrated", is_flag=True, help="Apply the temperature scaling that the run fitted."
)
@click.option(
    "--host",
    default=_USUAL.host,
    show_default=True,
    help="Address to bind to; 0.0.0.0 lets other machines in.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_USUAL.port,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option(
    "--token",
    help=(
        "What clients must show as `Authorization: Bearer TOKEN`. Other users of this machine see"
        " it; TUNER_SERVE_TOKEN in the environment or --token-file hide it."
    ),
)
@click.option("--token-file", type=A_PATH, help="A file that holds the token.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=_USUAL.workers,
    show_default=True,
    help="Processes, each with the model in its memory.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=_USUAL.batch,
    show_default=True,
    help="Images that wait and then go through the model together, at most.",
)
@click.option(
    "--max-size",
    "max_bytes",
    type=SIZE,
    default="32MB",
    show_default=True,
    help="Of the body of a request.",
)
@click.option(
    "--max-pixels",
    # The decoders refuse more.
    type=click.IntRange(1, _LIMITS.max_pixels),
    default=_LIMITS.max_pixels,
    show_default=True,
    help="Of an image.",
)
@click.option(
    "--max-images",
    type=click.IntRange(min=1),
    default=_LIMITS.max_images,
    show_default=True,
    help="Of a request.",
)
@click.option(
    "--rate",
    type=click.IntRange(min=0),
    help=(
        "Requests a minute of one client; 0 is no limit."
        f"  [default: {USUAL_RATE}; without --host and --trusted-proxy no limit]"
    ),
)
@click.option(
    "--trusted-proxy",
    default=_USUAL.trusted_proxy,
    metavar="ADDRESS",
    help="A proxy whose X-Forwarded-For names the client; several are separated by commas.",
)
def serve(token: str | None, token_file: Path | None, **options: Any) -> None:
    """Serve the recommended model of RUN over HTTP, with a page to try it on.

    RUN may be latest, a data set's name, or the folder of an exported model. Predictions are those
    of `predict`. The page is at the address that is printed; /docs there says how programs call the
    service. Ctrl-C or SIGTERM ends it after the requests that run.
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
