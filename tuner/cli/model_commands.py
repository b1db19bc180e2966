"""`train` and `predict`: use the models of a run."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.option_help import NumberOption
from tuner.cli.options import A_PATH, A_SEED, CONTEXT, as_json, data_dir, labels, no_progress, quiet
from tuner.cli.terminal.output import print_json, print_result, say
from tuner.errors import ConfigurationError
from tuner.production.train_options import RecipeTraining, TrainOptions

if TYPE_CHECKING:
    from tuner.production.named_images import NamedImage

# The exit code of `train --verify` where the score is not the expected one.
UNEXPECTED = 3


@click.command(context_settings=CONTEXT)
@click.option(
    "--from",
    "source",
    type=A_PATH,
    required=True,
    metavar="RUN_OR_YAML",
    help="Run folder, best.yaml, latest, or a data set's name for its newest run.",
)
@click.option("--model", metavar="NAME", help="Model of the run; by default, the recommended one.")
@click.option(
    "--choose",
    multiple=True,
    metavar="LIMIT",
    help=(
        'Train the best setting of the run within a limit, such as "latency_ms<=5"; repeat it for'
        " several limits. Needs a run with objectives."
    ),
)
@click.option(
    "--data",
    help="Train on other data with the same classes; images are resized to the recipe's size.",
)
@labels
@click.option("--full-data", is_flag=True, help="Train on the validation images too.")
@click.option("--seed", type=A_SEED, help="Seed; by default, the recipe's.")
@click.option(
    "--seeds",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=RecipeTraining().seeds,
    show_default=True,
    help="Trainings with different seeds; the best on validation images is kept.",
)
@click.option(
    "--verify",
    is_flag=True,
    help=(
        "Exit with code 3 if the test accuracy (the mean over --seeds) is outside the interval"
        " that the recipe expects. A correct training is inside it in at least 95 % of cases."
    ),
)
@click.option(
    "--threads",
    cls=NumberOption,
    type=click.IntRange(min=1),
    default=RecipeTraining().threads,
    show_default=True,
    help="CPU threads. More are faster; 1 repeats the numbers of the run exactly.",
)
@click.option("--out", type=A_PATH, help="Folder to write; by default, next to the recipe.")
@data_dir
@as_json
@quiet
@no_progress
def train(json_lines: bool, quiet: bool, no_progress: bool, **options: Any) -> int:
    """Train a new model from the recipe of a run, without a search, and score it.

    The first lines list what differs from the recipe: data, versions, code, manual edits. Every
    command that takes a run also takes the folder that this command writes.
    """
    from tuner.cli.endings.trained import train_ended, trained_lines
    from tuner.cli.run_views.choice import view
    from tuner.commands.train import train as train_command
    from tuner.pipeline.preparation.configuration import command_line
    from tuner.space.costs import parse_limits

    options["choose"] = parse_limits(options["choose"])
    training = RecipeTraining(
        **{field.name: options.pop(field.name) for field in fields(RecipeTraining)}
    )
    with view(json_lines=json_lines, quiet=quiet, live=not no_progress) as listener:
        trained = train_command(
            TrainOptions(**options, training=training, command=command_line(sys.argv[1:])), listener
        )
    if json_lines:
        print_json(train_ended(trained))
    else:
        if not quiet:
            for line in trained_lines(trained):
                say(line)
        print_result(trained.model)
    return UNEXPECTED if options["verify"] and not trained.is_expected else 0


@click.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--model",
    metavar="NAME_OR_FILE",
    help="Model of the run, or a .keras file; by default, the recommended model.",
)
@click.option(
    "--out", type=A_PATH, help="Write all predictions to this .csv, .json or .jsonl file."
)
@click.option(
    "--min-confidence",
    cls=NumberOption,
    type=click.FloatRange(min=0, max=1),
    default=0.0,
    help="Leave the class empty if its probability is lower than this, such as 0.8.",
)
@click.option(
    "--sort-into",
    type=A_PATH,
    metavar="FOLDER",
    help="Copy each image to a folder named after its class, or to `unsure`; overwrite nothing.",
)
@click.option("--link", is_flag=True, help="With --sort-into: make links instead of copies.")
@click.option("--allow-download", is_flag=True, help="Download images from http(s) addresses.")
@click.option(
    "--picture",
    type=A_PATH,
    help="Draw the image and its prediction to this file; for one image.",
)
@click.option(
    "--calibrated",
    is_flag=True,
    help="Calibrate probabilities with the temperature that the run fitted.",
)
@as_json
def predict(images: tuple[str, ...], out: Path | None, json_lines: bool, **options: Any) -> None:
    """Predict the class and the probabilities of IMAGES with the recommended model of RUN.

    RUN is a run folder, latest, or a data set's name. IMAGES are files, folders, patterns, web
    addresses and CSV files with a column `path`; `-` reads one path per line from stdin.
    """
    from tuner.cli.endings.predictions import show_predictions
    from tuner.cli.terminal.chatter import chatter_kept_away
    from tuner.commands.predict import PredictOptions
    from tuner.commands.predict import predict as predict_command
    from tuner.store.prediction_file import check_prediction_file

    if options["link"] and options["sort_into"] is None:
        raise ConfigurationError("--link needs --sort-into", "add --sort-into FOLDER.")
    if out is not None:
        if _is_one_of(out, images):
            raise ConfigurationError(
                f"{out}: --out would replace the list of images", "name another file."
            )
        check_prediction_file(out)
    files = _named(images)
    with chatter_kept_away():
        predictions = predict_command(PredictOptions(**options), files, say)
        show_predictions(predictions, len(files), json_lines=json_lines, out=out)
    if options["picture"]:
        say(f"picture: {options['picture']}")


def _named(images: tuple[str, ...]) -> list[NamedImage]:
    """The images that the words of the command line stand for."""
    from tuner.production.named_images import listed_images, named_images

    if "" in images:
        # A path would take it for the working directory.
        raise ConfigurationError(
            "the name of an image is empty", "is a variable of your shell unset?"
        )
    files: list[NamedImage] = []
    for image in images:
        files += listed_images(_lines_of_stdin()) if image == "-" else named_images([image])
    return files


def _is_one_of(out: Path, images: tuple[str, ...]) -> bool:
    """Whether a file is one of those that the words of the command line stand for."""
    from tuner.production.named_images import meant_paths

    try:
        return out.is_file() and any(
            path.samefile(out) for image in images for path in meant_paths(image) if path.is_file()
        )
    except (OSError, ValueError):
        # A name that no file can have: reading or writing it says so.
        return False


def _lines_of_stdin() -> list[str]:
    # As the system writes names: in bytes, of which any but the end of a line may be in a name.
    lines = os.fsdecode(sys.stdin.buffer.read()).split("\n")
    return [line for text in lines if (line := text.rstrip("\r")).strip()]
