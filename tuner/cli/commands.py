"""The commands; what each needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import click

from tuner import __version__
from tuner.cli.data_commands import datasets, validate
from tuner.cli.export_command import export
from tuner.cli.group import Group
from tuner.cli.label_commands import list_labels
from tuner.cli.model_commands import predict, train
from tuner.cli.options import CONTEXT
from tuner.cli.report_commands import compare, refine, report, track
from tuner.cli.run_commands import plan, run
from tuner.cli.serve_command import serve

# The backspace tells click to leave the lines below it as they are.
HELP = """\
Find good hyperparameters for an image classifier, and see whether the search was worth it.

\b
First steps:
  python -m tuner run drawn_faces --preset quick
      A complete run; it needs no data.
  python -m tuner datasets
      The data sets that have a card.
  python -m tuner run ./my_photos
      Your own images: one folder per class.

RUN in other commands is the folder of a run, `latest`, or the name of a data set.
"""


@click.group(cls=Group, context_settings=CONTEXT, help=HELP)
@click.version_option(__version__, message="tuner %(version)s")
def cli() -> None:
    """Hold the commands together; `HELP` is the help text."""


for command in (
    run, plan, validate, datasets, train, predict, export, serve, report, compare, refine,
    list_labels, track,
):  # fmt: skip
    cli.add_command(command)
