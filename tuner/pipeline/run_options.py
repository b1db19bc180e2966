"""What you ask of a run, and what holds where you say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.execution.execution_options import ExecutionOptions
from tuner.records.results import PresetName
from tuner.space.definition import PrecisionChoice

if TYPE_CHECKING:
    # It imports pydantic, which a command's help does without.
    from tuner.space.costs import Limit

DATA_ROOT = Path("datasets/data")
REPORTS = Path("reports")

# Of a time budget that sizes nothing, what the search leaves to the retraining.
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
        labels: A list of corrected labels; None takes the labels that the data give.
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
        time_budget_s: Seconds for the whole command, which decide how much is searched; None sets
            no limit.
        outer: Number of the outer fold of nested cross-validation that tests, from 1; None for an
            ordinary run.
        track: Trackers that the run is written to, beside those of the space.
        command: The command line, for the report.
        choose: What the winner may take at most; the best that keeps it wins.
    """

    dataset: str
    space: Path | None = None
    model: str | None = None
    preset: PresetName = "standard"
    max_epochs: int | None = None
    factor: int | None = None
    precision: PrecisionChoice | None = None
    image_size: tuple[int, int] | None = None
    labels: Path | None = None
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
    track: Sequence[str] = ()
    command: str = ""
    choose: tuple[Limit, ...] = ()

    @property
    def is_sized(self) -> bool:
        """Whether the time budget decides how much is searched.

        The outer folds of nested cross-validation must all be searched alike.
        """
        return self.time_budget_s is not None and self.outer is None

    @property
    def search_share(self) -> float:
        """Which part of a time budget the search may take, where nothing was measured."""
        return 1.0 if self.search_only else 1 - RETRAINING_SHARE

    @property
    def search_budget_s(self) -> float | None:
        """Seconds of the time budget that the search may take, likewise; None sets no limit."""
        return None if self.time_budget_s is None else self.time_budget_s * self.search_share
