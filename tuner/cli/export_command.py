"""`export`: write a model of a run for a phone, a web service or another program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tuner.cli.option_help import NumberOption
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
    help="Store smaller numbers, for a smaller file; for litert and onnx.",
)
@click.option(
    "--model",
    metavar="NAME_OR_FILE",
    help="Model of the run, or a .keras file; by default, the recommended model.",
)
@click.option(
    "--out", type=A_PATH, help="Folder to write; by default, exports/ in the run's folder."
)
@click.option(
    "--input",
    "input_type",
    type=click.Choice(INPUT_TYPES),
    default=_USUAL.input_type,
    show_default=True,
    help="Type of the input images; their values are 0 to 255.",
)
@click.option(
    "--max-differing",
    cls=NumberOption,
    type=click.FloatRange(min=0, max=1),
    help=(
        "Share of the test images whose label may differ from the original model's; by default"
        f" {MAX_DIFFERING:g}, or {MAX_DIFFERING_INT8:g} for int8."
    ),
)
@click.option(
    "--check-images",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=_USUAL.check_images,
    show_default=True,
    help="Maximum number of test images to check the file with.",
)
@click.option("--data", help="Other data with the same classes to check the file with.")
@data_dir
@as_json
@quiet
def export(json_lines: bool, quiet: bool, **options: Any) -> None:
    """Export the recommended model of RUN to another format, and check the file.

    The file scales pixels and calibrates probabilities itself. It is checked on the sealed test
    images of the run. A file that differs from the model too often is renamed to NAME.rejected,
    and the exit code is 1. RUN is a run folder, latest, or a data set's name.
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
