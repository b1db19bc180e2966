"""`report`: the page of a run, built again from its files."""

from __future__ import annotations

from pathlib import Path

from tuner.report.page import render
from tuner.report.subject import Subject
from tuner.store.files import write_text
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables


def rebuild(folder: RunFolder) -> Path:
    """Write report.html anew and return its path.

    Raises:
        ConfigurationError: If there is no finished run.
    """
    subject = Subject(
        results=folder.read_results(), trials=TrialTables(folder.path).read(), pictures=folder.read_pictures()
    )
    write_text(folder.report, render(subject))
    return folder.report
