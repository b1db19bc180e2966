"""A run that has ended, or will go on."""

from __future__ import annotations

from pathlib import Path


class FinishedRun:
    """A run's folder.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder."""
        self.folder = folder
