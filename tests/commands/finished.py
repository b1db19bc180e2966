"""What a finished run left behind."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock

from tests.cli.calling import Outcome


def made_once(kept: Path, place: Path, run: Callable[[Path], Outcome]) -> Outcome:
    """What a run wrote, made by one process of the tests for all of them.

    Args:
        kept: A folder that all processes have in common; the first one makes it, and runs there.
        place: This process' own working directory, with the run's data. It gets the reports.
        run: Makes the run in a folder.
    """
    told = kept / "outcome.json"
    with filelock.FileLock(f"{kept}.lock"):
        if not told.exists():
            # Other runs of this process may be there.
            shutil.copytree(place, kept, ignore=shutil.ignore_patterns("reports"))
            outcome = run(kept)
            assert outcome.code == 0, outcome.err
            told.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    shutil.copytree(kept / "reports", place / "reports", dirs_exist_ok=True)
    return Outcome(**json.loads(told.read_text(encoding="utf-8")))


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
