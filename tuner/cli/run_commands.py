"""`run` and `plan`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.option_help import GroupedCommand
from tuner.cli.options import (
    CONTEXT,
    as_json,
    choose,
    hidden_choose,
    hidden_retries,
    hidden_track,
    no_progress,
    quiet,
    retries,
    track,
    what_to_search,
)
from tuner.cli.terminal.output import is_all_on_terminal, print_json, print_result, say
from tuner.cli.terminal.signals import INTERRUPTED, TERMINATED
from tuner.records.results import PresetName

if TYPE_CHECKING:
    from tuner.pipeline.run_options import RunOptions
    from tuner.records.events import Listener

# A quality gate that was asked for.
MISSED = 3
_EXIT_CODES = {None: 0, "interrupted": INTERRUPTED, "terminated": TERMINATED}


@click.command(cls=GroupedCommand, context_settings=CONTEXT)
@what_to_search
@retries
@choose
@track
@click.option(
    "--nested",
    is_flag=True,
    help=(
        "Nested cross-validation, for small data: each fold is the test part once, with a search"
        " of its own."
    ),
)
@click.option(
    "--require-improvement",
    is_flag=True,
    help="Exit with code 3 unless the verdict on the winner is `better`.",
)
@as_json
@quiet
@no_progress
def run(
    json_lines: bool,
    quiet: bool,
    no_progress: bool,
    nested: bool,
    require_improvement: bool,
    **given: Any,
) -> int:
    """Search, retrain, compare and write a report on DATASET.

    DATASET is the name of a data card, or your own images: a folder with one folder per class, a
    CSV, NumPy arrays (.npz, or a folder of .npy files), or a .zip or .tar of one of these.
    """
    if require_improvement:
        check_testable(
            nested=nested,
            search_only=given["search_only"],
            preset=given["preset"],
            overrides=given["overrides"],
        )
    from tuner.cli.endings.run_summary import missed_improvement, run_ended, summary_lines
    from tuner.cli.run_views.choice import view
    from tuner.cli.terminal.signals import REQUEST
    from tuner.commands.run import run as run_command
    from tuner.pipeline.preparation.configuration import command_line
    from tuner.report.command_lines import resume_command

    options = run_options(given, command=command_line(sys.argv[1:]))
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
        _print_path(outcome.folder.report, quiet=quiet)
    if require_improvement and not outcome.stopped and (reason := missed_improvement(outcome)):
        say(f"--require-improvement was missed: {reason}")
        return MISSED
    return _EXIT_CODES[outcome.stopped]


def check_testable(
    *, nested: bool, search_only: bool, preset: PresetName, overrides: Sequence[str]
) -> None:
    """Refuse `--require-improvement` where there will be no verdict.

    Raises:
        click.UsageError: With the option that is in its way.
    """
    if search_only:
        raise click.UsageError(
            "--require-improvement needs the comparison that --search-only leaves out."
        )
    from tuner.space.parsing.overrides import stated_keys

    if preset == "quick" and "retrain.seeds" not in stated_keys(overrides):
        raise click.UsageError(
            "--require-improvement needs several seeds, but the quick preset may train only one:"
            " add --set retrain.seeds=3."
        )
    if nested:
        raise click.UsageError(
            "--require-improvement needs one verdict, but --nested gives pooled scores without one."
        )


def _run_nested(
    options: RunOptions, shown: AbstractContextManager[Listener], *, json_lines: bool, quiet: bool
) -> int:
    from tuner.cli.endings.nested_summary import nested_ended, nested_lines
    from tuner.cli.terminal.signals import REQUEST
    from tuner.commands.nested import run_nested

    with shown as listener:
        outcome = run_nested(options, listener, REQUEST)
    if json_lines:
        print_json(nested_ended(outcome, options.command))
    elif outcome.stopped or not quiet:
        say("\n".join(nested_lines(outcome, options.command)))
    if outcome.file and not json_lines:
        _print_path(outcome.file, quiet=quiet)
    return _EXIT_CODES[outcome.stopped]


def _print_path(path: Path, *, quiet: bool) -> None:
    """Write where the result is, unless it stands in the summary right above."""
    if quiet or not is_all_on_terminal():
        print_result(path)


@click.command(cls=GroupedCommand, context_settings=CONTEXT)
@what_to_search
@hidden_retries
@hidden_choose
@hidden_track
@click.option(
    "--json", "json_lines", is_flag=True, help="Write the plan as one JSON object to stdout."
)
def plan(json_lines: bool, **given: Any) -> None:
    """Estimate what `run` would cost from a few measured steps.

    The estimate covers trials, model sizes, memory, disk and time.
    """
    from tuner.cli.endings.plan_table import record, show
    from tuner.cli.run_views.choice import view
    from tuner.commands.plan import plan as plan_command

    with view(json_lines=False, quiet=json_lines, live=False) as listener:
        planned = plan_command(run_options(given, command=""), listener)
    if json_lines:
        print_json(record(planned))
    else:
        show(planned)


def run_options(given: dict[str, Any], command: str) -> RunOptions:
    """Options as the commands know them: where trainings run is a record of its own.

    Args:
        given: What click gives a command, without what only says how a run is shown.
        command: The command line, for the report.

    Raises:
        click.UsageError: For options that do not go together.
        ConfigurationError: For an executor that is not installed.
    """
    from tuner.execution.execution_options import ExecutionOptions
    from tuner.execution.make_executor import check_installed
    from tuner.pipeline.run_options import RunOptions
    from tuner.space.costs import parse_limits

    if given["executor"] != "ray" and (given["ray_address"] or given["gpus_per_trial"]):
        option = "--ray-address" if given["ray_address"] else "--gpus-per-trial"
        raise click.UsageError(f"{option} goes with --executor ray only.")
    given["trial_timeout_s"] = given["trial_timeout_s"] or None
    given["choose"] = parse_limits(given["choose"])
    execution = ExecutionOptions(
        **{field.name: given.pop(field.name) for field in fields(ExecutionOptions)}
    )
    check_installed(execution)
    return RunOptions(**given, execution=execution, command=command)
