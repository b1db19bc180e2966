"""One call of a command within a program or a notebook, which goes on afterwards."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from tuner.api.finished_run import FinishedRun
from tuner.api.keywords import command_words, option_words, parameters, usage_error
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call gives, checked.

    Attributes:
        words: Its options as those of the command line.
        options: The same as a run takes them, for any data set.
        is_quiet: Whether nothing is shown.
        is_plain: Whether plain lines are shown, and no live view.
        is_gated: Whether a better winner is required.
    """

    words: Sequence[str]
    options: RunOptions
    is_quiet: bool
    is_plain: bool
    is_gated: bool


def call_of(given: Mapping[str, Any]) -> Call:
    """Check options as the command does.

    Args:
        given: Options by keyword.

    Raises:
        ConfigurationError: For an option that there is not, a value that it does not take, or
            options that do not go together.
    """
    words = option_words(given)
    found = parameters(command_words("DATASET", words))
    is_quiet, is_plain, is_gated, *_ = (
        found.pop(name)
        for name in ("quiet", "no_progress", "require_improvement", "json_lines", "nested")
    )
    try:
        if is_gated:
            names = ("search_only", "preset", "overrides")
            check_testable(nested=False, **{name: found[name] for name in names})
        options = run_options(found, command="")
    except click.UsageError as error:
        raise usage_error(error) from None
    return Call(
        words=words, options=options, is_quiet=is_quiet, is_plain=is_plain, is_gated=is_gated
    )


def call_run(dataset: str, call: Call) -> FinishedRun:
    """Run what `python -m tuner run` would, and return what it has come to.

    Args:
        dataset: A data set's name or path.
        call: What you asked for.

    Raises:
        TunerError: As the command does.
        RunInterrupted: If you interrupted it.
        MissedImprovementError: If `require_improvement` was missed.
    """
    command = command_of(command_words(dataset, call.words))
    options = replace(call.options, dataset=dataset, command=command)
    with clean_interrupts() as request, _streams_kept(), _view(call, options) as listener:
        from tuner.commands.run import run

        outcome = run(options, listener, request)
    return _ended(outcome, options, is_told=not call.is_quiet, is_gated=call.is_gated)


def command_of(words: Sequence[str]) -> str:
    """The command line of the same run, to be pasted into a shell."""
    dropped = ("--resume", "--fresh", "--quiet", "--no-progress")
    return shlex.join(["python", "-m", "tuner", *(word for word in words if word not in dropped)])


def _view(call: Call, options: RunOptions) -> AbstractContextManager[Listener]:
    from tuner.api.notebook_view import is_notebook, notebook_view

    is_live = is_notebook() and not (call.is_quiet or call.is_plain)
    return view(
        json_lines=False,
        quiet=call.is_quiet,
        live=not call.is_plain,
        resume=options.command,
        time_budget_s=options.time_budget_s,
        given_view=notebook_view(options.time_budget_s) if is_live else None,
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
def one_call_at_a_time() -> Iterator[None]:
    """Refuse a second call while one runs in this process.

    Raises:
        ConfigurationError: If one does.
    """
    if not _CALLING.acquire(blocking=False):
        raise ConfigurationError(
            "another run in this process has not ended yet",
            "wait until it ends, or start this one in another process.",
        )
    try:
        yield
    finally:
        _CALLING.release()


@contextmanager
def _streams_kept() -> Iterator[None]:
    """Restore stdout and stderr, which a command sends elsewhere for the rest of its process."""
    stdout, copies = sys.stdout, {number: os.dup(number) for number in _STREAMS}
    # A program without a console has none.
    if stdout:
        stdout.flush()
    try:
        yield
    finally:
        sys.stdout = stdout
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)
