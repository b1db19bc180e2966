"""What a run would do, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.commands.forecast import Forecast, Range
from tuner.space.definition import SearchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """One model of the comparison.

    Attributes:
        title: What tables call it.
        n_train: Training images.
        max_epochs: Ceiling of each training.
        n_seeds: Trainings.
    """

    title: str
    n_train: int
    max_epochs: int
    n_seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, and what that costs.

    Attributes:
        dataset: Title of the data set.
        shape: (height, width, channels) of the images.
        n_train: Training images.
        n_validation: Validation images.
        n_test: Test images.
        search: The method and its numbers.
        retrainings: The comparison, the winner first; empty where it is left out.
        executor: `process`, `inline` or `ray`.
        n_workers: Trainings at a time.
        n_built: Settings that were built: corners of the space, and those that are measured.
        n_impossible: Corners that cannot be built.
        problem: Why the first of them cannot; empty where all can.
        n_parameters: Smallest and largest of the built models.
        checkpoint_bytes: Their checkpoints.
        n_measured: Models whose steps were timed.
        n_failed: Models that failed then.
        failure: Why the first of them did; empty where none did.
        memory_bytes: The most that a process took; other settings may take more.
        step_s: Seconds of a training step.
        start_s: Seconds to build and trace a model.
        forecast: Times and disk.
        unfinished: The unfinished run that `run` would go on with; None where it would begin a new one.
    """

    dataset: str
    shape: tuple[int, int, int]
    n_train: int
    n_validation: int
    n_test: int
    search: SearchSettings
    retrainings: tuple[Retraining, ...]
    executor: str
    n_workers: int
    n_built: int
    n_impossible: int
    problem: str
    n_parameters: tuple[int, int]
    checkpoint_bytes: tuple[int, int]
    n_measured: int
    n_failed: int
    failure: str
    memory_bytes: int
    step_s: Range
    start_s: Range
    forecast: Forecast
    unfinished: str | None
