"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from tuner.cli.option_help import NumberOption
from tuner.cli.units import DURATION, IMAGE_SIZE, SIZE
from tuner.execution.execution_options import EXECUTORS, TRIAL_TIMEOUT_S, executor_help
from tuner.pipeline.run_options import DATA_ROOT, REPORTS, RunOptions
from tuner.records.results import PresetName
from tuner.space.definition import PrecisionChoice
from tuner.space.trackers import TRACKERS, tracker_help

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
A_PATH = click.Path(path_type=Path)
# Of 32 bits, as a recipe keeps it: what a run has sealed can be trained again.
A_SEED = click.IntRange(min=0, max=2**32 - 1)

# What holds where you say nothing.
_USUAL = RunOptions(dataset="")

data_dir = click.option(
    "--data-dir",
    type=A_PATH,
    default=DATA_ROOT,
    show_default=True,
    help="Folder that holds the data sets.",
)
out = click.option(
    "--out",
    type=A_PATH,
    default=REPORTS,
    show_default=True,
    help="Folder that reports are written to.",
)
as_json = click.option(
    "--json", "json_lines", is_flag=True, help="Write results and events as JSON Lines to stdout."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print only errors and the result.")
no_progress = click.option(
    "--no-progress", is_flag=True, help="Print plain lines instead of the live view."
)

image_size = click.option(
    "--image-size",
    type=IMAGE_SIZE,
    metavar="N|HxW",
    help="Size in pixels that your own photos are resized to: one side, or HEIGHTxWIDTH; by"
    " default, a size that fits the photos and the model.",
)

labels = click.option(
    "--labels",
    type=A_PATH,
    metavar="FILE",
    help="The wrong_labels.csv that `labels` wrote and you corrected; its labels replace those"
    " of the data.",
)

retries = click.option(
    "--retries",
    cls=NumberOption,
    type=click.IntRange(min=0),
    default=_USUAL.retries,
    show_default=True,
    help="How many times a failed trial is trained again.",
)
# It changes no plan; a command line of `run` is a command line of `plan`.
hidden_retries = click.option(
    "--retries", cls=NumberOption, type=click.IntRange(min=0), default=_USUAL.retries, hidden=True
)
track = click.option(
    "--track",
    type=click.Choice(tuple(TRACKERS)),
    multiple=True,
    help=f"Write the run to a tracker while it runs; repeatable: {tracker_help()}.",
)
# As for `--retries`.
hidden_track = click.option(
    "--track", type=click.Choice(tuple(TRACKERS)), multiple=True, hidden=True
)

choose = click.option(
    "--choose",
    multiple=True,
    metavar="LIMIT",
    help=(
        'Use the best setting within a limit, such as "latency_ms<=5"; repeat it for several'
        " limits. Needs a space with objectives."
    ),
)
hidden_choose = click.option("--choose", multiple=True, hidden=True)


# What is searched, and how deep.
_SEARCH = (
    click.argument("dataset"),
    click.option(
        "--space", type=A_PATH, help="Search space file; by default, the space of the data set."
    ),
    click.option(
        "--model",
        help=(
            "Model instead of the one in the space: cnn, a backbone such as efficientnet_b2,"
            " my_package.models:build, auto, or several families separated by commas."
        ),
    ),
    click.option(
        "--preset",
        type=click.Choice(get_args(PresetName)),
        default=_USUAL.preset,
        show_default=True,
        help="Size of the run: quick for a first look, thorough for a final result.",
    ),
    click.option(
        "--max-epochs",
        cls=NumberOption,
        type=click.IntRange(min=1),
        help="Epochs of the longest trial.",
    ),
    click.option(
        "--factor",
        cls=NumberOption,
        type=click.IntRange(min=2),
        help="Keep one trial in FACTOR at each promotion.",
    ),
    click.option(
        "--max-trials",
        cls=NumberOption,
        type=click.IntRange(min=1),
        help="Maximum number of trials, promotions included.",
    ),
    click.option(
        "--precision",
        type=click.Choice(get_args(PrecisionChoice)),
        help="Precision of training; auto measures which one is faster on this machine.",
    ),
)

# On which data, and by which random numbers.
_DATA = (
    image_size,
    labels,
    click.option(
        "--limit",
        cls=NumberOption,
        type=click.IntRange(min=1),
        help="Use at most this many training and validation images in total.",
    ),
    click.option(
        "--seed",
        cls=NumberOption,
        type=A_SEED,
        default=_USUAL.seed,
        show_default=True,
        help="Seed of all random numbers.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change a value of the space, such as space.dropout.max=0.6; repeatable.",
    ),
    click.option("--search-only", is_flag=True, help="Skip retraining, comparison and test."),
)

# Where and for how long.
_EXECUTION = (
    click.option(
        "--executor",
        type=click.Choice(tuple(EXECUTORS)),
        default=_USUAL.execution.executor,
        show_default=True,
        help=executor_help(),
    ),
    click.option(
        "--workers",
        cls=NumberOption,
        type=click.IntRange(min=1),
        help="Number of trainings at the same time; by default, one per core or GPU.",
    ),
    click.option(
        "--resume/--fresh",
        default=None,
        help=(
            "Resume the unfinished run or fail; start a new run. [default: resume if there is one]"
        ),
    ),
    click.option(
        "--time-budget",
        "time_budget_s",
        type=DURATION,
        help=(
            "Time for the whole command, such as 30m. Search and retraining are sized to fit"
            " it, within the preset and your other options."
        ),
    ),
    click.option(
        "--trial-timeout",
        "trial_timeout_s",
        type=DURATION,
        default=f"{TRIAL_TIMEOUT_S / 60:g}m",
        show_default=True,
        help="Fail a training that makes no progress for this long; 0 turns it off.",
    ),
    click.option(
        "--worker-memory",
        "worker_memory_bytes",
        type=SIZE,
        help="Memory limit of a worker, such as 4GB; by default, an equal share of 80 % of the"
        " memory.",
    ),
    click.option("--ray-address", help="Address of a running Ray cluster; with --executor ray."),
    click.option(
        "--gpus-per-trial",
        cls=NumberOption,
        type=click.FloatRange(min=0, max=1),
        default=_USUAL.execution.gpus_per_trial,
        help="Share of a GPU for each training; with --executor ray.",
    ),
)


def what_to_search(command: Any) -> Any:
    """The options that `run` and `plan` share, in the order of their help."""
    for option in reversed((*_SEARCH, *_DATA, *_EXECUTION, out, data_dir)):
        command = option(command)
    return command
