"""The commands and their options; what they need is imported when they run, so that `--help` answers at once."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner import __version__
from tuner.cli.output import plain, print_json, say, send_chatter_to
from tuner.cli.signals import INTERRUPTED, TERMINATED
from tuner.cli.units import DURATION, SIZE

if TYPE_CHECKING:
    from tuner.commands.options import RunOptions
    from tuner.records.events import Listener

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
# The backspace tells click to leave the lines below it as they are.
HELP = """Find good hyperparameters for an image classifier, and see whether the search was worth it.

\b
First steps:
  python -m tuner run drawn_faces --preset quick   a whole run that needs no data
  python -m tuner datasets                         the data sets that are known
  python -m tuner run ./my_photos                  one folder of images per class
"""
A_PATH = click.Path(path_type=Path)
_EXIT_CODES = {None: 0, "interrupted": INTERRUPTED, "terminated": TERMINATED}

data_dir = click.option(
    "--data-dir", type=A_PATH, default=Path("datasets/data"), show_default=True, help="Root of the data."
)
out = click.option("--out", type=A_PATH, default=Path("reports"), show_default=True, help="Root of the reports.")
as_json = click.option("--json", "json_lines", is_flag=True, help="Results and events as JSON Lines on stdout.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Nothing but errors and the result.")
no_progress = click.option("--no-progress", is_flag=True, help="Plain lines in place of the live view.")


@click.group(context_settings=CONTEXT, help=HELP)
@click.version_option(__version__, message="tuner %(version)s")
def cli() -> None:
    """Hold the commands together; `HELP` is what people read."""


def _what_to_search(command: Any) -> Any:
    """The options that `run` and `plan` share: what is searched, on which data, where and how long."""
    options = (
        click.argument("dataset"),
        click.option("--space", type=A_PATH, help="Search space; the data set's own by default."),
        click.option(
            "--model",
            help="Model in place of the space's: cnn, a backbone such as efficientnet_b2, or my_package.models:build.",
        ),
        click.option(
            "--preset",
            type=click.Choice(["quick", "standard", "thorough"]),
            default="standard",
            show_default=True,
            help="How much to do.",
        ),
        click.option("--max-epochs", type=click.IntRange(min=1), help="Epochs of the last rung."),
        click.option("--factor", type=click.IntRange(min=2), help="Reduction factor between rungs."),
        click.option("--max-trials", type=click.IntRange(min=1), help="Trials at most, promotions included."),
        click.option(
            "--limit", type=click.IntRange(min=1), help="Use so many training and validation images together."
        ),
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Everything random descends from it.",
        ),
        click.option(
            "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the space: space.dropout.max=0.6."
        ),
        click.option("--search-only", is_flag=True, help="Leave out the comparison."),
        click.option(
            "--executor",
            type=click.Choice(["process", "inline", "ray"]),
            default="process",
            show_default=True,
            help="Where trainings run: worker processes, this process, or a Ray cluster.",
        ),
        click.option(
            "--workers", type=click.IntRange(min=1), help="Trainings at a time; one per core (or GPU) by default."
        ),
        click.option(
            "--resume/--fresh",
            default=None,
            help="Go on with the unfinished run or fail; start a new one. [default: go on if there is one]",
        ),
        click.option(
            "--time-budget",
            "time_budget_s",
            type=DURATION,
            help="For the whole command, such as 30m: the search ends in time for the comparison.",
        ),
        click.option(
            "--trial-timeout",
            "trial_timeout_s",
            type=DURATION,
            default="10m",
            show_default=True,
            help="A training without a step for so long has failed; 0 waits for ever.",
        ),
        click.option(
            "--worker-memory",
            "worker_memory_bytes",
            type=SIZE,
            help="Memory of one worker, such as 4GB; by default the machine's is shared out.",
        ),
        click.option(
            "--retries",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Train a failed trial again so often.",
        ),
        click.option("--ray-address", help="Address of a running Ray cluster; with --executor ray."),
        click.option(
            "--gpus-per-trial",
            type=click.FloatRange(min=0),
            default=0.0,
            help="Share of a GPU for each training; with --executor ray.",
        ),
        out,
        data_dir,
    )
    for option in reversed(options):
        command = option(command)
    return command


@cli.command(context_settings=CONTEXT)
@_what_to_search
@click.option(
    "--nested", is_flag=True, help="For small data sets: each part tests in turn, with a search of its own each time."
)
@as_json
@quiet
@no_progress
def run(json_lines: bool, quiet: bool, no_progress: bool, nested: bool, **given: Any) -> int:
    """Search, retrain, compare and report on DATASET: a data set's name, a folder of class folders, a CSV or an NPZ."""
    from tuner.cli.signals import REQUEST
    from tuner.cli.summary import run_ended, summary_lines
    from tuner.cli.views import view
    from tuner.commands.prepare import command_line
    from tuner.commands.run import run as run_command
    from tuner.report.reproduce import resume_command

    options = _run_options(given, command=command_line(sys.argv[1:]))
    shown = view(
        json_lines=json_lines,
        quiet=quiet,
        live=not no_progress,
        resume=resume_command(options.command),
        time_budget_s=options.time_budget_s,
    )
    if nested:
        return _run_nested(options, shown, json_lines=json_lines, quiet=quiet)
    with shown as listener:
        outcome = run_command(options, listener, REQUEST)
    if json_lines:
        print_json(run_ended(outcome, options.command))
    elif outcome.stopped or not quiet:
        say("\n".join(summary_lines(outcome, options.command)))
    if outcome.results and not json_lines:
        click.echo(outcome.folder.report)
    return _EXIT_CODES[outcome.stopped]


def _run_nested(options: RunOptions, shown: AbstractContextManager[Listener], *, json_lines: bool, quiet: bool) -> int:
    from tuner.cli.nested_view import nested_ended, nested_lines
    from tuner.cli.signals import REQUEST
    from tuner.commands.nested import run_nested

    with shown as listener:
        outcome = run_nested(options, listener, REQUEST)
    if json_lines:
        print_json(nested_ended(outcome, options.command))
    elif outcome.stopped or not quiet:
        say("\n".join(nested_lines(outcome, options.command)))
    if outcome.file and not json_lines:
        click.echo(outcome.file)
    return _EXIT_CODES[outcome.stopped]


@cli.command(context_settings=CONTEXT)
@_what_to_search
@click.option("--json", "json_lines", is_flag=True, help="The plan as one JSON object on stdout.")
def plan(json_lines: bool, **given: Any) -> None:
    """Say what `run` would cost, from a few measured steps: trials, model sizes, memory, disk and time."""
    from tuner.cli.plan_view import plan_table, record, show
    from tuner.cli.views import view
    from tuner.commands.plan import plan as plan_command

    with view(json_lines=False, quiet=json_lines, live=False) as listener:
        planned = plan_command(_run_options(given, command=""), listener)
    if json_lines:
        print_json(record(planned))
    else:
        show(plan_table(planned))


def _run_options(given: dict[str, Any], command: str) -> RunOptions:
    """Options as the commands know them: where trainings run is a record of its own."""
    from tuner.commands.options import ExecutionOptions, RunOptions

    if given["executor"] != "ray" and (given["ray_address"] or given["gpus_per_trial"]):
        option = "--ray-address" if given["ray_address"] else "--gpus-per-trial"
        raise click.UsageError(f"{option} goes with --executor ray only.")
    given["trial_timeout_s"] = given["trial_timeout_s"] or None
    execution = ExecutionOptions(**{field.name: given.pop(field.name) for field in fields(ExecutionOptions)})
    return RunOptions(**given, execution=execution, command=command)


@cli.command(context_settings=CONTEXT)
@click.argument("files", nargs=-1, type=A_PATH)
@click.option("--schema", type=click.Choice(["space", "card"]), help="Print the JSON Schema for editors instead.")
def validate(files: tuple[Path, ...], schema: str | None) -> int:
    """Check search spaces and data cards; every mistake at once. Without FILES: search_spaces/ and datasets/."""
    if schema:
        _print_schema(schema)
        return 0
    from tuner.commands.validate import validate as validate_command

    checked = validate_command(files)
    for path, error in checked:
        if error:
            say(str(error))
        else:
            click.echo(plain(f"{path}: in order"))
    return 2 if any(error for _, error in checked) else 0


def _print_schema(kind: str) -> None:
    if kind == "card":
        from tuner.data.card import card_schema

        click.echo(card_schema(), nl=False)
        return
    from tuner.space.schema import schema_text

    click.echo(schema_text(), nl=False)


@cli.group(context_settings=CONTEXT, invoke_without_command=True)
@data_dir
@as_json
@click.pass_context
def datasets(context: click.Context, data_dir: Path, json_lines: bool) -> None:
    """List the data sets that have a card, whether their data is there, and what their caches hold."""
    if context.invoked_subcommand is not None:
        if json_lines and context.invoked_subcommand in ("clean", "fetch"):
            raise click.UsageError(f"`datasets {context.invoked_subcommand}` has no --json.")
        # What stands before a subcommand counts for it, too.
        context.default_map = {context.invoked_subcommand: {"data_dir": data_dir, "json_lines": json_lines}}
        return
    from tuner.commands.datasets import list_datasets

    for dataset in list_datasets(data_dir):
        if json_lines:
            print_json(dataset.record())
            continue
        click.echo(plain(f"{dataset.name:20} {dataset.title}"))
        for line in dataset.state():
            click.echo(plain(f"{'':20} {line}"))


@datasets.command(context_settings=CONTEXT)
@click.argument("dataset", metavar="NAME_OR_FOLDER")
@out
@data_dir
@as_json
def check(dataset: str, out: Path, data_dir: Path, json_lines: bool) -> None:
    """Examine the data of NAME_OR_FOLDER; exit code 4 where results on them would be worthless."""
    from tuner.cli.check_view import examination_table, records, show
    from tuner.commands.check import check as check_command
    from tuner.commands.check import refuse_worthless

    checked = check_command(dataset, data_dir=data_dir, out=out)
    if json_lines:
        for record in records(checked):
            print_json(record)
    else:
        show(examination_table(checked.examination))
        click.echo(checked.page)
    refuse_worthless(checked.examination)


@datasets.command(context_settings=CONTEXT)
@click.argument("names", nargs=-1)
@data_dir
def clean(names: tuple[str, ...], data_dir: Path) -> None:
    """Delete the decoded images that are kept for NAMES, or for all data sets; your own files stay."""
    from tuner.commands.datasets import clean_caches

    for line in clean_caches(names, data_dir):
        click.echo(plain(line))


@datasets.command(context_settings=CONTEXT)
@click.argument("name")
@data_dir
def fetch(name: str, data_dir: Path) -> None:
    """Download NAME into the data root, or check and repair what was downloaded before."""
    from tuner.commands.fetch import fetch as fetch_command

    click.echo(plain(fetch_command(name, data_dir).line()))


@cli.command(context_settings=CONTEXT)
@click.option(
    "--from", "source", type=A_PATH, required=True, metavar="RUN_OR_YAML", help="A run's folder, or a best.yaml."
)
@click.option("--data", help="Other data of the same shape and classes.")
@click.option("--full-data", is_flag=True, help="Train on the validation images too.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed; the recipe's own by default.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="More train faster; 1 repeats the run's numbers exactly.",
)
@click.option("--out", type=A_PATH, help="The .keras file to write; beside the recipe by default.")
@data_dir
@as_json
@quiet
@no_progress
def train(json_lines: bool, quiet: bool, no_progress: bool, **options: Any) -> None:
    """Train a fresh model with the best hyperparameters of a run, without a search."""
    from tuner.cli.views import view
    from tuner.commands.train import TrainOptions
    from tuner.commands.train import train as train_command

    with view(json_lines=json_lines, quiet=quiet, live=not no_progress) as listener:
        trained = train_command(TrainOptions(**options), listener)
    if json_lines:
        print_json({"event": "TrainEnded", "model": str(trained.model), trained.monitor: trained.validation_score})
        return
    if not quiet:
        say(f"Trained on {trained.n_train:,} images; holds the weights of epoch {trained.epochs}.")
        if trained.validation_score is not None:
            then = "" if trained.expected is None else f"; the recipe's run had {trained.expected:.4f}"
            say(f"{trained.monitor} {trained.validation_score:.4f}{then}.")
    click.echo(trained.model)


@cli.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
@click.argument("images", nargs=-1, required=True, type=A_PATH)
@click.option("--model", type=A_PATH, help="A .keras file in place of the run's own.")
@click.option("--picture", type=A_PATH, help="Draw the one image with its prediction.")
@as_json
def predict(run: Path, images: tuple[Path, ...], model: Path | None, picture: Path | None, json_lines: bool) -> None:
    """Print the class and the probabilities of IMAGES, by the model of RUN."""
    from tuner.commands.predict import predict as predict_command

    send_chatter_to(None)
    for found in predict_command(run, images, model=model, picture=picture):
        shares = dict(zip(found.class_names, found.probabilities, strict=True))
        if json_lines:
            print_json({"image": str(found.image), "class": found.class_name, "probabilities": shares})
            continue
        others = sorted(shares.items(), key=lambda item: -item[1])
        click.echo(plain(f"{found.image}: {', '.join(f'{name} {100 * share:.1f} %' for name, share in others)}"))
    if picture:
        say(f"picture: {picture}")


@cli.command(context_settings=CONTEXT)
@click.argument("run", type=A_PATH)
def report(run: Path) -> None:
    """Build the page of RUN again from its files."""
    from tuner.commands.report import rebuild
    from tuner.store.run_folder import RunFolder

    click.echo(rebuild(RunFolder(run)))
