"""The page of a run, built from its files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.records.error_text import reason_of
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.page import render
from tuner.report.reported_run import ReportedRun
from tuner.store.files.leftovers import sweep
from tuner.store.files.reading import DamagedFileError
from tuner.store.files.whole_files import write_text
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

LOG = logging.getLogger("tuner")


def rebuild(folder: RunFolder, tell: Callable[[str], None] = LOG.warning) -> Path:
    """Write report.html anew and return its path; leftovers of killed commands beside it go.

    Args:
        folder: The run.
        tell: Called with what had to be mended, in one line.

    Raises:
        ConfigurationError: If there is no finished run, or one of its files is damaged beyond
            repair.
    """
    results = folder.read_results()
    folder.check_places()
    sweep(folder.path.glob(".*.tmp"))
    reported = read_run(folder, results, tell)
    try:
        page = render(reported)
    except Exception as error:
        LOG.exception("the page of %s failed", folder.path)
        raise ConfigurationError(
            f"{folder.path}/results.json: its numbers are inconsistent, so there is no page:"
            f" {reason_of(error)}",
            "restore the file from a copy, or run the search again.",
        ) from error
    write_text(folder.report, page)
    return folder.report


def read_run(
    folder: RunFolder, results: Results, tell: Callable[[str], None] = LOG.warning
) -> ReportedRun:
    """What the page of a run is made from.

    Args:
        folder: The run.
        results: What its results.json holds.
        tell: Called with what had to be mended, in one line.

    Raises:
        ConfigurationError: If one of its files is damaged beyond repair.
    """
    return ReportedRun(
        results=results, trials=_trials(folder, results, tell), pictures=folder.read_pictures()
    )


def _trials(folder: RunFolder, results: Results, tell: Callable[[str], None]) -> Sequence[Trial]:
    """The trials of the tables; if those are damaged, they are written again from the events."""
    n, tables = (
        results.search.n_trials,
        TrialTables(folder.path, results.search.searched),
    )
    if results.run.recipe:
        return ()
    try:
        trials = tables.read()
        if len(trials) == n:
            return trials
        problem = DamagedFileError(
            f"{folder.path}/trials.csv: holds {len(trials)} of {n} trials",
            "restore the file from a copy.",
        )
    except DamagedFileError as error:
        problem = error
    trials = folder.events.ended_trials()
    if len(trials) != n:
        raise problem
    # A run under way writes its tables itself.
    if not folder.is_unfinished:
        tables.rewrite(trials)
        tell(f"{problem.message}; trials.csv and curves.csv are written again from events.jsonl")
    return trials
