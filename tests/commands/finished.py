"""What a finished run left behind."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.calling import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that ended.

    Attributes:
        place: Its working directory.
        outcome: What the call wrote.
    """

    place: Path
    outcome: Outcome

    @property
    def folder(self) -> Path:
        """The run's folder, relative to the working directory."""
        return Path(self.outcome.out.strip()).parent

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.place / self.folder

    @property
    def results(self) -> dict[str, Any]:
        """What results.json holds."""
        found: dict[str, Any] = json.loads((self.path / "results.json").read_text())
        return found

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV."""
        with open(self.path / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
