"""`report`: the page of a run, built again from its files."""

from __future__ import annotations

from pathlib import Path

from tuner.report.page import render
from tuner.store.files import write_text
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables


def rebuild(run: Path) -> Path:
    """Write report.html anew and return its path.

    Raises:
        ConfigurationError: If there is no finished run.
    """
    folder = RunFolder(run)
    write_text(folder.report, render(folder.read_results(), TrialTables(run).read()))
    return folder.report
