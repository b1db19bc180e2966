"""What you ask of a run, and what holds where you say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuner.execution.execution_options import ExecutionOptions
from tuner.records.results import PresetName
from tuner.space.definition import PrecisionChoice

DATA_ROOT = Path("datasets/data")
REPORTS = Path("reports")

# Of a time budget, what the search leaves to the retraining of winner and opponents.
RETRAINING_SHARE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `run`.

    Attributes:
        dataset: A card's name, or a path.
        space: Path of a search space; None takes the data set's own.
        model: Replaces the space's model; None keeps it.
        preset: `quick`, `standard` or `thorough`.
        max_epochs: Replaces Hyperband's; None keeps it.
        factor: Replaces Hyperband's; None keeps it.
        precision: Replaces the space's; None keeps it.
        image_size: Height and width in pixels to read own photos in; None takes what suits the
            model.
        limit: Training and validation images together; None takes all.
        seed: The run's one seed.
        data_dir: Root of the data.
        out: Root of the reports.
        overrides: `--set` changes of the space.
        search_only: Ends after the search.
        resume: True resumes an unfinished run or fails, False starts a new one; None resumes where
            it can.
        execution: Where trainings run.
        retries: How often a failed trial is trained again.
        max_trials: Replaces the space's; None keeps it.
        time_budget_s: Seconds for the whole command; None sets no limit.
        outer: Number of the outer fold of nested cross-validation that tests, from 1; None for an
            ordinary run.
        command: The command line, for the report.
    """

    dataset: str
    space: Path | None = None
    model: str | None = None
    preset: PresetName = "standard"
    max_epochs: int | None = None
    factor: int | None = None
    precision: PrecisionChoice | None = None
    image_size: tuple[int, int] | None = None
    limit: int | None = None
    seed: int = 0
    data_dir: Path = DATA_ROOT
    out: Path = REPORTS
    overrides: Sequence[str] = ()
    search_only: bool = False
    resume: bool | None = None
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)
    retries: int = 0
    max_trials: int | None = None
    time_budget_s: float | None = None
    outer: int | None = None
    command: str = ""

    @property
    def search_budget_s(self) -> float | None:
        """Seconds of the time budget that the search may take; None sets no limit."""
        if self.time_budget_s is None or self.search_only:
            return self.time_budget_s
        return self.time_budget_s * (1 - RETRAINING_SHARE)
