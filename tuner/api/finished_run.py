"""A finished run: its numbers, tables and models, for a script or a notebook."""

from __future__ import annotations

from pathlib import Path

from tuner.records.results import Results
from tuner.store.run_folder import RunFolder


class FinishedRun:
    """What a run has left in its folder.

    Attributes:
        folder: The run's folder.
        results: Every number of the run's report.
    """

    def __init__(self, folder: str | Path) -> None:
        """Read a run's results.

        Args:
            folder: The run's folder; `tuner.load` finds it by the run's names.

        Raises:
            ConfigurationError: If no finished run is there, or its results cannot be read.
        """
        self.folder = Path(folder)
        self.results: Results = RunFolder(self.folder).read_results()

    @property
    def report_path(self) -> Path:
        """The page of the run."""
        return RunFolder(self.folder).report

    def __repr__(self) -> str:
        return f"FinishedRun({str(self.folder)!r})"
