"""`labels`: the labels that are likely wrong."""

from __future__ import annotations

from typing import Any

import click

from tuner.cli.option_help import NumberOption
from tuner.cli.options import A_PATH, CONTEXT, as_json, data_dir, labels, no_progress, quiet
from tuner.cli.terminal.output import print_json, print_result, say
from tuner.production.labels_options import TABLE, LabelsOptions


@click.command("labels", context_settings=CONTEXT)
@click.argument("source", type=A_PATH, metavar="RUN")
@click.option(
    "--folds",
    cls=NumberOption,
    type=click.IntRange(min=2, max=20),
    default=5,
    show_default=True,
    help="Folds of the cross-validation: one training for each.",
)
@click.option(
    "--epochs",
    cls=NumberOption,
    type=click.IntRange(min=1),
    help="Epochs of each training; by default, the recipe's best epoch.",
)
@labels
@click.option(
    "--threads",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="CPU threads. More are faster; 1 repeats the numbers exactly.",
)
@click.option("--out", type=A_PATH, metavar="FILE", help=f"List to write; by default, RUN/{TABLE}.")
@click.option("--force", "may_replace", is_flag=True, help="Overwrite an existing list.")
@data_dir
@as_json
@quiet
@no_progress
def list_labels(json_lines: bool, quiet: bool, no_progress: bool, **options: Any) -> None:
    """List labels of RUN's data that are likely wrong, as a CSV to correct and a page.

    The recipe of RUN is trained by cross-validation, so each image is predicted by a model that
    did not train on it. Correct the column `label`, then run DATASET --labels FILE. If the command
    is stopped, run it again to resume.
    """
    from tuner.cli.endings.listed import labels_ended, listed_lines
    from tuner.cli.run_views.choice import view
    from tuner.commands.labels import labels as labels_command

    with view(json_lines=json_lines, quiet=quiet, live=not no_progress) as listener:
        found = labels_command(LabelsOptions(**options), listener)
    if json_lines:
        print_json(labels_ended(found))
        return
    if not quiet:
        for line in listed_lines(found):
            say(line)
    print_result(found.table)
