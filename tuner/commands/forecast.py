"""How long a run will take: many simulated ones, since nobody knows yet which setting wins and when training ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.commands.opponents import Opponent
from tuner.commands.simulate import Cost, Crew, Work, simulate_retraining, simulate_search
from tuner.search.schedule import Rung, total
from tuner.space.definition import SearchSpaceFile
from tuner.space.sampling import n_settings

# Simulated runs; fewer where a search has so many trials that they would take long.
N_RUNS = 100
_MAX_TRIALS = 50_000

# Of ten runs, one is quicker than the low end of a range, and one slower than its high end.
_QUANTILES = (0.1, 0.5, 0.9)

# Models that a worker keeps, if they are small; `tuner.training.prepared.N_KEPT`, which imports a framework.
_N_KEPT = 16

# The pace of a machine that others use, or that grows warm, changes after it was measured: standard deviation of the
# logarithm of a run's time.
PACE_SPREAD = 0.15

# Loading scikit-learn and matplotlib, and drawing the report.
REPORT_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A quantity that is not known exactly.

    Attributes:
        low: It will hardly be less.
        middle: The best guess.
        high: It will hardly be more.
    """

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a forecast is made of.

    Attributes:
        file: The space with preset and options applied.
        sizes: Training, validation and test images.
        costs: Of the settings that the search will try first.
        largest_checkpoint_bytes: Of any setting.
        opponents: Models of the comparison with their costs.
        n_workers: Trainings at a time.
        is_kept: Whether workers keep the space's models for the next training of the same architecture.
        ready_s: Seconds until the first training can begin.
        search_only: Whether the comparison is left out.
    """

    file: SearchSpaceFile
    sizes: tuple[int, int, int]
    costs: Sequence[Cost]
    largest_checkpoint_bytes: int
    opponents: Sequence[tuple[Opponent, Cost]]
    n_workers: int
    is_kept: bool
    ready_s: float
    search_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Times and disk of a run.

    Attributes:
        brackets: Rungs of the search, bracket by bracket; for ASHA as they may come out.
        search_s: Seconds of the search.
        retraining_s: Seconds of the comparison's trainings.
        other_s: Seconds of all else: starting, scoring on the test set, the report.
        total_s: Seconds of the run.
        disk_bytes: Checkpoints on disk at most, at one time.
    """

    brackets: tuple[tuple[Rung, ...], ...]
    search_s: Range
    retraining_s: Range
    other_s: Range
    total_s: Range
    disk_bytes: int


def forecast(known: Known, seed: int) -> Forecast:
    """Simulate the run many times.

    Args:
        known: Costs and settings.
        seed: Decides what chance decides.
    """
    rng = np.random.default_rng(seed)
    n_distinct = n_settings(known.file.space)
    n_runs = max(1, min(N_RUNS, _MAX_TRIALS // total(known.file.search, n_distinct)[0]))
    runs = [_run(known, n_distinct, rng) for _ in range(n_runs)]
    times = np.array([run.times_s for run in runs])
    search_s, retraining_s, other_s = (_range(stage) for stage in times.T)
    return Forecast(
        brackets=runs[0].brackets,
        search_s=search_s,
        retraining_s=retraining_s,
        other_s=other_s,
        total_s=_range(times.sum(axis=1)),
        disk_bytes=max(run.disk_bytes for run in runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A simulated run: seconds of search, retraining and all else."""

    times_s: tuple[float, float, float]
    brackets: tuple[tuple[Rung, ...], ...]
    disk_bytes: int


def _run(known: Known, n_distinct: int | None, rng: np.random.Generator) -> _Run:
    crew = Crew(known.n_workers, _N_KEPT if known.is_kept else 0)
    searched = simulate_search(known.file.search, known.costs, known.sizes[:2], n_distinct, crew, rng)
    search_s, retraining_s, scoring_s = crew.now_s, 0.0, 0.0
    disk_bytes = searched.n_checkpoints * known.largest_checkpoint_bytes
    if not known.search_only:
        works = _works(known, known.costs[searched.winner])
        simulate_retraining(works, crew, rng)
        retraining_s = crew.now_s - search_s + sum(opponent.before_s for opponent, _ in known.opponents)
        scoring_s = _scoring_s(known, works)
        disk_bytes = max(disk_bytes, _retraining_bytes(known))
    pace = rng.lognormal(sigma=PACE_SPREAD)
    times_s = (pace * search_s, pace * retraining_s, pace * (known.ready_s + scoring_s + REPORT_S))
    return _Run(times_s=times_s, brackets=searched.brackets, disk_bytes=disk_bytes)


def _scoring_s(known: Known, works: Sequence[Work]) -> float:
    models_s = sum(work.n_seeds * work.cost.score_s(known.sizes[2]) for work in works)
    return models_s + known.file.retrain.seeds * sum(opponent.scoring_s for opponent, _ in known.opponents)


def _retraining_bytes(known: Known) -> int:
    """Each training holds its last state and its best."""
    sizes = [known.largest_checkpoint_bytes, *(cost.checkpoint_bytes for _, cost in known.opponents)]
    return 2 * known.file.retrain.seeds * sum(sizes)


def _works(known: Known, winner: Cost) -> list[Work]:
    """The trainings of the comparison, in a run's order."""
    rules, sizes = known.file.retrain, known.sizes[:2]
    tuned = Work(
        cost=winner,
        epoch_s=winner.epoch_s(*sizes),
        max_epochs=rules.epochs,
        patience=rules.patience,
        n_seeds=rules.seeds,
    )
    others = [
        Work(
            cost=cost,
            epoch_s=cost.epoch_s(len(opponent.candidate.data.train), len(opponent.candidate.data.validation)),
            max_epochs=opponent.max_epochs,
            patience=opponent.patience,
            n_seeds=rules.seeds,
        )
        for opponent, cost in known.opponents
    ]
    return [tuned, *others]


def _range(values: np.ndarray) -> Range:
    low, middle, high = (float(value) for value in np.quantile(values, _QUANTILES))
    return Range(low=low, middle=middle, high=high)
