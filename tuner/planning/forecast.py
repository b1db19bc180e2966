"""Time and disk of a run: many simulated ones, since the winner is not known yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.planning.measure import Cost
from tuner.planning.simulate import Crew, SimulatedSearch, simulate_retraining, simulate_search
from tuner.records.contender import Contender
from tuner.retrain.contenders import BASELINE
from tuner.search.methods.method import method_class
from tuner.search.methods.rungs import Rung
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings

# Simulated runs, and their trials together; what a longer search takes is that of its first trials,
# times their share.
N_RUNS = 100
MAX_SIMULATED = 2_000
_MAX_TOGETHER = 20_000

# Of ten runs, one is quicker than the low end of a range, and one slower than its high end.
_QUANTILES = (0.1, 0.9)

# The pace of a machine changes after it was measured.
SPREAD = 1.15

# Loading scikit-learn and matplotlib, and drawing the report.
REPORT_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A quantity that is not known exactly.

    Attributes:
        low: It will hardly be less.
        high: It will hardly be more.
    """

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The best guess: as many times the low end as the high end is of it."""
        return math.sqrt(self.low * self.high)

    def after(self, seconds: float) -> Range:
        """The range where something else comes before it."""
        return Range(low=self.low + seconds, high=self.high + seconds)

    def at_most(self, limit: float) -> Range:
        """The range with its ends held down to a limit."""
        return Range(low=min(self.low, limit), high=min(self.high, limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a forecast is made of.

    Attributes:
        search: The method and its numbers.
        n_settings: Distinct settings of the space; None where they do not run out.
        costs: Of the settings that the search will try first.
        contenders: The comparison in a run's order, with their costs; None stands for the winner's.
            Empty without one.
        retrain: How long they may take before they are sized.
        n_seeds: Retrainings of each.
        n_repeats: More of the finalists and of the baseline.
        n_finalists: Settings at most that are retrained in the winner's place.
        starts: Costs of the settings that the search begins with.
        n_train: Training images of a fold.
        n_folds: Times that each trial trains; a retraining trains once.
        n_test: Test images.
        largest_checkpoint_bytes: Of any setting.
        n_workers: Trainings at a time.
        keeps_models: Whether workers keep the space's models for the next training.
        ready_s: Seconds until the first training can begin.
        features_s: Seconds of frozen networks before their heads can be trained, in the search and
            then for opponents, and again for each scoring.
        share: Part of a core that a training got while it was measured; None where that is not
            known.
        limits_s: Seconds after which search and run end at the latest.
    """

    search: SearchSettings
    n_settings: int | None
    costs: Sequence[Cost]
    contenders: Sequence[tuple[Contender, Cost | None]]
    retrain: RetrainSettings
    n_seeds: int
    n_train: int
    n_test: int
    keeps_models: bool
    n_finalists: int = 1
    n_repeats: int = 0
    starts: Sequence[Cost] = ()
    largest_checkpoint_bytes: int = 0
    n_folds: int = 1
    n_workers: int = 1
    ready_s: float = 0.0
    features_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    share: float | None = None
    limits_s: tuple[float, float] = (math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Size, times and disk of a run.

    Attributes:
        n_trials: Trials of the search, with those that it begins with.
        n_starts: The latter.
        n_epochs: Their epochs.
        is_exact: Whether both are known beforehand; otherwise they are about right.
        notes: What you should know before the search begins.
        brackets: Rungs of the search, bracket by bracket, as they may come out; of a long search
            the first ones.
        search_s: Seconds of the search.
        retraining_s: Seconds of the comparison's trainings.
        other_s: Seconds of all else: starting, scoring on the test set, the report.
        total_s: Seconds of the run.
        disk_bytes: Checkpoints on disk at most, at one time.
    """

    n_trials: int
    n_starts: int
    n_epochs: int
    is_exact: bool
    notes: tuple[str, ...]
    brackets: tuple[tuple[Rung, ...], ...]
    search_s: Range
    retraining_s: Range
    other_s: Range
    total_s: Range
    disk_bytes: int


def forecast(known: Known, seed: int, most_runs: int = N_RUNS) -> Forecast:
    """Simulate the run many times.

    Args:
        known: Costs and settings.
        seed: Decides what chance decides.
        most_runs: Simulated runs at most.
    """
    rng = np.random.default_rng(seed)
    method = method_class(known.search.method)
    cost = method.cost(known.search, known.n_settings)
    is_cut = cost.n_trials > MAX_SIMULATED
    search = replace(known.search, max_trials=MAX_SIMULATED) if is_cut else known.search
    n_runs = min(most_runs, _MAX_TOGETHER // min(cost.n_trials, MAX_SIMULATED))
    runs = [_run(known, search, rng) for _ in range(n_runs)]
    first = runs[0][0]
    n_simulated, n_simulated_epochs = _size(first)
    factor = cost.n_epochs / n_simulated_epochs if is_cut else 1.0
    n_starts = len(known.starts)
    before_s = known.features_s[0]
    times_s = np.array(
        [[before_s + factor * search_s, *others_s] for _, search_s, *others_s in runs]
    )
    search_s, retraining_s, other_s = (_range(stage, known.share) for stage in times_s.T)
    search_s = search_s.at_most(known.limits_s[0])
    return Forecast(
        n_trials=(cost.n_trials if is_cut else n_simulated) + n_starts,
        n_starts=n_starts,
        n_epochs=(cost.n_epochs if is_cut else n_simulated_epochs)
        + n_starts * known.search.max_epochs,
        is_exact=cost.is_exact,
        notes=method.notes(known.search, known.n_settings),
        brackets=first.brackets,
        search_s=search_s,
        retraining_s=retraining_s.at_most(known.limits_s[1] - search_s.low),
        other_s=other_s,
        total_s=_range(times_s.sum(axis=1), known.share).at_most(known.limits_s[1]),
        disk_bytes=max(_disk_bytes(known, searched, factor) for searched, *_ in runs),
    )


def _run(
    known: Known, search: SearchSettings, rng: np.random.Generator
) -> tuple[SimulatedSearch, float, float, float]:
    """A simulated run: its search, and the seconds of search, retraining and all else."""
    crew = Crew(known.n_workers, keeps_models=known.keeps_models)
    searched = simulate_search(
        search,
        known.costs,
        known.n_train * known.n_folds,
        known.n_settings,
        crew,
        rng,
        known.starts,
    )
    search_s = crew.now_s
    models = [
        (contender, searched.winner, searched.cost) if cost is None else (contender, cost.key, cost)
        for contender, cost in known.contenders
    ]
    # As if chance had ordered as many as may be: they are about as large as the winner.
    finalists = models[:1] * known.n_finalists
    others = [one for one in models[1:] if one[0].name != BASELINE]
    repeated = [*finalists, *(one for one in models[1:] if one[0].name == BASELINE)]
    repeated.sort(key=lambda one: -one[0].max_epochs * one[2].image_s)
    models = [*repeated, *others]
    simulate_retraining(models, known.n_train, known.n_seeds, crew, rng)
    simulate_retraining(repeated, known.n_train, known.n_repeats, crew, rng)
    _, before_s, features_s = known.features_s
    scoring_s = known.n_seeds * (features_s + _scoring_s(models, known))
    scoring_s += known.n_repeats * _scoring_s(repeated, known)
    other_s = known.ready_s + scoring_s + REPORT_S
    return searched, search_s, crew.now_s - search_s + before_s, other_s


def _scoring_s(models: Sequence[tuple[Contender, str, Cost]], known: Known) -> float:
    return sum(cost.score_s(known.n_test) for _, _, cost in models)


def _size(searched: SimulatedSearch) -> tuple[int, int]:
    rungs = [rung for bracket in searched.brackets for rung in bracket]
    return sum(rung.n_trials for rung in rungs), sum(rung.n_epochs for rung in rungs)


def _disk_bytes(known: Known, searched: SimulatedSearch, factor: float) -> int:
    """Of the search or of the retrainings, each of which holds its last state and its best."""
    grows = method_class(known.search.method).keeps_more_over_time
    n = searched.n_checkpoints * (factor if grows else 1.0)
    largest = known.largest_checkpoint_bytes
    sizes = [cost.checkpoint_bytes if cost else largest for _, cost in known.contenders]
    return max(round(n * known.n_folds * largest), 2 * known.n_seeds * sum(sizes))


def _range(values: np.ndarray, share: float | None) -> Range:
    """From a machine with nothing else to do, to one as busy as it was while measuring."""
    low, high = np.quantile(values, _QUANTILES)
    return Range(low=float(low) * (share or 1.0) / SPREAD, high=float(high) * SPREAD)
