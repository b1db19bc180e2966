"""`track`: a run that has ended, or was cut short, in trackers that people already use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.outputs.tracking import track_ended
from tuner.pipeline.run_options import REPORTS
from tuner.store.run_folder import RunFolder
from tuner.store.run_lock import is_worked_on
from tuner.trackers.make_tracker import check_installed


def track(run: Path, names: Sequence[str], tell: Callable[[str], None]) -> None:
    """Write a run to trackers; what is there already is not doubled.

    Args:
        run: The run's folder, or a name of it.
        names: Of `tuner.space.trackers.TRACKERS`.
        tell: Called with a line for each tracker.

    Raises:
        ConfigurationError: If a tracker is not installed, or there is no run, or another command is
            working on it.
        TrackingError: If a tracker fails.
    """
    check_installed(names)
    path = named_run(run, REPORTS)
    # The folders above it name the data set and the reports.
    folder = RunFolder(path if path.parent.parent.name else path.resolve())
    if is_worked_on(folder):
        raise ConfigurationError(
            f"{folder.path}: a command is working on this run",
            "wait until it ends, or interrupt it and resume it with --track NAME.",
        )
    track_ended(folder, tuple(dict.fromkeys(names)), tell)
