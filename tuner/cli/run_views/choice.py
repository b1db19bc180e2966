"""What a run shows as it goes: a live view on a terminal, plain lines elsewhere, or JSON Lines.

JSON Lines are for programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

from tuner.cli.terminal.abilities import can_draw
from tuner.cli.terminal.chatter import Chatter, chatter_kept_away
from tuner.cli.terminal.output import print_json, say
from tuner.cli.terminal.signals import REQUEST, keep_last_words, stop_if_asked
from tuner.records.events import Event, Listener, RunStarted, SearchResumed, TrialEnded
from tuner.report.text import plural
from tuner.store.run_folder import RunFolder


@contextmanager
def view(
    *,
    json_lines: bool,
    quiet: bool,
    live: bool,
    resume: str = "",
    time_budget_s: float | None = None,
    given_view: AbstractContextManager[Listener] | None = None,
) -> Iterator[Listener]:
    """The listener that fits the options and the terminal.

    What TensorFlow and code of your own write goes to the run's log, or to stderr where there is no
    run. Where a run ends before its time, a message says what it leaves behind.

    Args:
        json_lines: Whether events go to stdout.
        quiet: Whether nothing is shown.
        live: Whether a live view may be shown.
        resume: The command that goes on with the run.
        time_budget_s: Seconds for the whole command; None sets no limit.
        given_view: A view for what is no terminal, such as a notebook; None for one of these.
    """
    shown = given_view or _shown(
        json_lines=json_lines, quiet=quiet, live=live, time_budget_s=time_budget_s
    )
    with chatter_kept_away() as chatter, _followed(_Log(resume, chatter), shown) as listener:
        yield listener


@contextmanager
def _followed(log: _Log, shown: AbstractContextManager[Listener]) -> Iterator[Listener]:
    """A listener that counts what is left in case something ends the command early."""
    try:
        with shown as listener:

            def hear(event: Event) -> None:
                stop_if_asked()
                log(event)
                listener(event)

            yield hear
    except BaseException as error:
        kept = log.kept()
        # A mistake of a person's, found before anything was begun, is told by itself.
        if not log.has_begun and not isinstance(error, Exception):
            kept = "Nothing was written."
        if kept:
            say(f"\n{kept}")
        raise
    finally:
        keep_last_words("")


@contextmanager
def _shown(
    *, json_lines: bool, quiet: bool, live: bool, time_budget_s: float | None
) -> Iterator[Listener]:
    if json_lines:
        yield lambda event: print_json({"event": type(event).__name__, **asdict(event)})
    elif quiet:
        yield lambda event: None
    elif live and can_draw():
        from tuner.cli.run_views.live import live_view

        with live_view(REQUEST, time_budget_s) as listener:
            yield listener
    else:
        from tuner.cli.run_views.plain_lines import plain_lines

        with plain_lines(REQUEST, time_budget_s) as listener:
            yield listener


class _Log:
    """Sends chatter to the run's log, and counts what the folders of its runs hold."""

    def __init__(self, resume: str, chatter: Chatter) -> None:
        self._resume, self._chatter = resume, chatter
        self._folders: list[RunFolder] = []
        self._n_ended = 0

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                folder = RunFolder(Path(event.folder))
                self._folders.append(folder)
                self._n_ended = 0
                self._chatter.move_to(folder.log)
                keep_last_words(f"Resume   {self._resume}")
            case SearchResumed():
                self._n_ended += len(event.trials)
            case TrialEnded():
                self._n_ended += 1

    @property
    def has_begun(self) -> bool:
        """Whether any run has its folder."""
        return bool(self._folders)

    def kept(self) -> str:
        """What a command that did not finish leaves, and how to resume it; empty if nothing."""
        if self._folders and self._folders[-1].is_unfinished:
            path = self._folders[-1].path.as_posix()
            tables = f"{plural(self._n_ended, 'ended trial')}, in {path}/trials.csv and curves.csv"
            what = (
                f"Kept: {tables}."
                if self._n_ended
                else f"No trial has ended; the log is in {path}."
            )
            return f"{what}\nResume   {self._resume}"
        # With --nested one run follows another, and those that have ended count when the command
        # goes on. A run without a report failed: it would only fail again.
        whole = [folder.path.as_posix() for folder in self._folders if folder.report.is_file()]
        if not whole:
            return ""
        return (
            f"Kept: {plural(len(whole), 'finished run')}, the last in {whole[-1]}.\nResume  "
            f" {self._resume}"
        )
