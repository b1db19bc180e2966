"""`export`: a model of a run for a phone, a web service or a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tuner.cli.options import A_PATH, CONTEXT, as_json, data_dir, quiet
from tuner.cli.terminal.output import print_json, print_result, say
from tuner.errors import TunerError
from tuner.exports.formats import FORMATS, INPUT_TYPES, QUANTIZATIONS
from tuner.exports.options import MAX_DIFFERING, MAX_DIFFERING_INT8, ExportOptions

# What holds where you say nothing.
_USUAL = ExportOptions(run=Path(), format="")


@click.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.option(
    "--format",
    type=click.Choice(tuple(FORMATS)),
    required=True,
    help=(
        "keras or saved_model for Python and TensorFlow Serving, litert for phones and small"
        " computers, onnx for web services, browsers and other languages."
    ),
)
@click.option(
    "--quantize",
    type=click.Choice(QUANTIZATIONS),
    help="Smaller numbers inside; for litert and onnx.",
)
@click.option(
    "--model",
    metavar="NAME_OR_FILE",
    help="One of the run's models, or a .keras file; the recommended model by default.",
)
@click.option("--out", type=A_PATH, help="The folder to write; below the run's folder by default.")
@click.option(
    "--input",
    "input_type",
    type=click.Choice(INPUT_TYPES),
    default=_USUAL.input_type,
    show_default=True,
    help="Type of the images, which are on the scale of 0-255.",
)
@click.option(
    "--max-differing",
    type=click.FloatRange(min=0, max=1),
    help=(
        "Share of the test images whose label may differ from the original's;"
        f" {MAX_DIFFERING:g} by default, {MAX_DIFFERING_INT8:g} for int8."
    ),
)
@click.option(
    "--check-images",
    type=click.IntRange(min=1),
    default=_USUAL.check_images,
    show_default=True,
    help="Test images that check the file at most.",
)
@click.option("--data", help="Other data of the same classes to check it with.")
@data_dir
@as_json
@quiet
def export(json_lines: bool, quiet: bool, **options: Any) -> None:
    """Export the recommended model of RUN as a file for elsewhere, and check it.

    Pixels are scaled and probabilities calibrated inside the file. It is checked on the run's
    sealed test images; one whose labels differ too often is kept as NAME.rejected, and the exit
    code is 1. RUN may be latest, or a data set's name.
    """
    from tuner.cli.endings.exported import export_ended, exported_lines, rejection
    from tuner.cli.terminal.chatter import chatter_kept_away
    from tuner.commands.export import export as export_command

    with chatter_kept_away():
        exported = export_command(ExportOptions(**options), (lambda _: None) if quiet else say)
    if json_lines:
        print_json(export_ended(exported))
    elif not quiet:
        for line in exported_lines(exported):
            say(line)
    if not exported.check.is_accepted:
        raise TunerError(*rejection(exported))
    if not json_lines:
        print_result(exported.file)
