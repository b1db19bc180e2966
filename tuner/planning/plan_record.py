"""A plan: what a run would do, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.planning.corners import Corner
from tuner.planning.forecast import Forecast, Range
from tuner.planning.measure import Cost
from tuner.records.contender import Contender
from tuner.space.search_settings import SearchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What a time budget would buy.

    Attributes:
        budget_s: The budget.
        n_settings: Settings that the search tries.
        max_epochs: Epochs of its last rung.
        n_seeds: Retrainings of finalists and baseline; 0 where there are none.
        total_s: Seconds of the run, those included in which it measures models.
        fits: Whether it fits; otherwise this is the least that a run does.
    """

    budget_s: float
    n_settings: int
    max_epochs: int
    n_seeds: int
    total_s: Range
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do, and what that costs.

    Attributes:
        dataset: Title of the data set.
        shape: (height, width, channels) of the images.
        n_train: Training images of a fold.
        n_validation: Validation images of a fold.
        n_folds: Times that a trial trains, each on other parts.
        n_test: Test images.
        search: The method and its numbers.
        contenders: The comparison, the winner first; empty where it is left out.
        n_seeds: Retrainings of each.
        n_repeats: More of the finalists and of the baseline, which is cheap to train.
        executor: `process`, `inline` or `ray`.
        n_workers: Trainings at a time.
        constraints: What a model must stay under, each as people read it.
        n_drawn: Settings that a run draws first.
        refused: Why it does not train some of them, as they break a constraint; a line each.
        corners: Settings that were built, the smallest model first, and those that cannot be.
        costs: Of those models of the space whose steps were timed.
        failures: Why others could not be, by their names.
        not_measured: Names of those for which there was no time.
        measuring_s: Seconds that the measurement took. A run with a time budget measures as well.
        memory_bytes: The most that each training process took; empty where they are out of sight.
        share: Part of a core that a training got while it was measured; None where that is not
            known.
        time_budget_s: What you allow.
        sized: What that has chosen, in a line; empty where it has chosen nothing.
        bought: What ten minutes, an hour and a night would buy.
        forecast: Times and disk.
        unfinished: The unfinished run that `run` would go on with; None where it would begin a new
            one.
    """

    dataset: str
    shape: tuple[int, int, int]
    n_train: int
    n_validation: int
    n_folds: int
    n_test: int
    search: SearchSettings
    contenders: tuple[Contender, ...]
    n_seeds: int
    n_repeats: int
    executor: str
    n_workers: int
    constraints: tuple[str, ...]
    n_drawn: int
    refused: tuple[str, ...]
    corners: tuple[Corner, ...]
    costs: tuple[Cost, ...]
    failures: dict[str, str]
    not_measured: tuple[str, ...]
    measuring_s: float
    memory_bytes: tuple[int, ...]
    share: float | None
    time_budget_s: float | None
    sized: str
    bought: tuple[Bought, ...]
    forecast: Forecast
    unfinished: str | None
