"""One call of a command within a program or a notebook, which goes on afterwards."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import click

from tuner.api.finished_run import FinishedRun
from tuner.api.keywords import VIEW, command_words, parameters, usage_error
from tuner.cli.endings.run_summary import missed_improvement, summary_lines
from tuner.cli.run_commands import check_testable, run_options
from tuner.cli.run_views.choice import view
from tuner.cli.terminal.output import say
from tuner.cli.terminal.signals import clean_interrupts
from tuner.commands.run import RunOutcome
from tuner.errors import ConfigurationError, TunerError
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Listener

_STREAMS = (1, 2)


# Output and interrupts belong to the whole process.
_CALLING = threading.Lock()


class MissedImprovementError(TunerError):
    """A run whose winner is not shown to be better, though `require_improvement` asked for it.

    Attributes:
        run: The finished run.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str, run: FinishedRun) -> None:
        """Take what was missed, and by which run."""
        super().__init__(message, hint)
        self.run = run


class RunInterrupted(KeyboardInterrupt):
    """A run that Ctrl-C, or "interrupt kernel", stopped cleanly; the same call resumes it."""


def call_run(dataset: str, given: Mapping[str, Any]) -> FinishedRun:
    """Run what `python -m tuner run` would, and return what it has come to.

    Args:
        dataset: A data set's name or path.
        given: Options by keyword.

    Raises:
        TunerError: As the command does.
        RunInterrupted: If you interrupted it.
        MissedImprovementError: If `require_improvement` was missed.
    """
    words = command_words(dataset, given)
    found = parameters(words)
    shown = {name: found.pop(name) for name in ("json_lines", *VIEW)}
    gate = {name: found.pop(name) for name in ("require_improvement", "nested")}
    options = _options(found, words, is_gated=gate["require_improvement"])
    with (
        clean_interrupts() as request,
        _streams_kept(),
        _view(options, shown) as listener,
    ):
        from tuner.commands.run import run

        outcome = run(options, listener, request)
        is_told = not shown["quiet"]
    return _ended(outcome, options, is_told=is_told, is_gated=gate["require_improvement"])


def _options(found: dict[str, Any], words: Sequence[str], *, is_gated: bool) -> RunOptions:
    try:
        if is_gated:
            names = ("search_only", "preset", "overrides")
            check_testable(nested=False, **{name: found[name] for name in names})
        return run_options(found, command=command_of(words))
    except click.UsageError as error:
        raise usage_error(error) from None


def command_of(words: Sequence[str]) -> str:
    """The command line of the same run, to be pasted into a shell."""
    dropped = ("--resume", "--fresh", "--quiet", "--no-progress")
    return shlex.join(["python", "-m", "tuner", *(word for word in words if word not in dropped)])


def _view(options: RunOptions, shown: Mapping[str, bool]) -> AbstractContextManager[Listener]:
    from tuner.api.notebook_view import is_notebook, notebook_view

    is_quiet = shown["quiet"]
    instead = notebook_view(options.time_budget_s) if is_notebook() and not is_quiet else None
    return view(
        json_lines=False,
        quiet=is_quiet,
        live=not shown["no_progress"],
        resume=options.command,
        time_budget_s=options.time_budget_s,
        instead=instead,
    )


def _ended(
    outcome: RunOutcome, options: RunOptions, *, is_told: bool, is_gated: bool
) -> FinishedRun:
    if outcome.stopped:
        raise RunInterrupted(
            f"{outcome.folder.path.as_posix()}: the run was interrupted; make the same call again"
            " to resume it."
        )
    if is_told:
        _tell("\n".join(summary_lines(outcome, options.command)))
    run = FinishedRun(outcome.folder.path)
    if is_gated and (reason := missed_improvement(outcome)):
        raise MissedImprovementError(
            f"require_improvement was missed: {reason}",
            f"see {outcome.folder.report.as_posix()}, or the error's attribute `run`.",
            run,
        )
    return run


def _tell(text: str) -> None:
    from tuner.api.notebook_view import is_notebook, show_text

    (show_text if is_notebook() else say)(text)


@contextmanager
def alone() -> Iterator[None]:
    """Refuse a second call while one runs in this process.

    Raises:
        ConfigurationError: If one does.
    """
    if not _CALLING.acquire(blocking=False):
        raise ConfigurationError(
            "a run of this process has not ended yet",
            "wait for it, or start the second one in a process of its own.",
        )
    try:
        yield
    finally:
        _CALLING.release()


@contextmanager
def _streams_kept() -> Iterator[None]:
    """Restore stdout and stderr, which a command sends elsewhere for the rest of its process."""
    stdout, copies = sys.stdout, {number: os.dup(number) for number in _STREAMS}
    stdout.flush()
    try:
        yield
    finally:
        sys.stdout = stdout
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)
