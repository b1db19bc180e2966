"""What a search has found, as a Gaussian process sees it: what to resume and what to try next.

All of it follows from the board, so that a resumed search proposes the same. What is kept between
two proposals only saves time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.curve_process import (
    CurveProcess,
    Floats,
    Hyperparameters,
    Scores,
    fitted,
)
from tuner.search.methods.method import Setup
from tuner.search.methods.one_core import on_one_core
from tuner.search.methods.unit_cube import UnitCube
from tuner.space.priors import draw_usual
from tuner.space.sampling import has_setting, setting_of

# The kernel is fitted again whenever there are a fifth more scores, to so many of them at most.
_FIRST_FIT = 8
_GROWTH = 1.2
_MAX_FITTED = 100
# The process has so many scores at most: its cost grows with their cube.
_MAX_KNOWN = 300

_N_DRAWN = 512
_N_USUAL = 32
_N_NEAR = 256
_N_ELITES = 8
# In units of the usual distance between settings: what is closer to a known one is worth less.
_CLOSE = 0.4
# Standard deviations above the mean. What is resumed first is nearly what is expected to be best;
# what has a chance of less than a tenth to beat the best is not resumed at all.
_OPTIMISM = 0.3
_CHANCE = 1.28


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The board at a moment.

    Attributes:
        process: Fitted to it; running trials count as expected.
        best: The best value at the end of a training; None where none has a score.
        best_so_far: The same; where it is None, the best value after a training of any length.
        places: Of all settings that were started, as rows of the cube; shape (n, n_parameters).
        points: Of the same; shape (n, n_coordinates).
        means: Expected of them at the end; shape (n,).
        deviations: Standard deviations of the same; shape (n,).
        unit: Of a value, in the unit of the objective.
    """

    process: CurveProcess
    best: float | None
    best_so_far: float
    places: Floats
    points: Floats
    means: Floats
    deviations: Floats
    unit: float


class CurveModel:
    """Expects scores of settings after `max_epochs`."""

    def __init__(self, setup: Setup) -> None:
        """Begin without a score."""
        self._setup = setup
        self._cube = UnitCube(setup.space)
        # Of the settings: numbers by trial, and where they are.
        self._numbers: dict[str, int] = {}
        self._places: list[Floats] = []
        self._points: list[Floats] = []
        # Of the trials that ended: minus the cost, NaN of failed ones, setting and length.
        self._goodness: list[float] = []
        self._settings: list[int] = []
        self._times: list[float] = []
        self._n_trials = self._n_ended = 0
        self._fits: dict[int, Hyperparameters] = {}
        self._view: tuple[tuple[int, int], _View | None] = ((0, 0), None)

    def most_promising(self, board: Board, paused: Sequence[str]) -> str | None:
        """The trial to train on, if it has a fair chance to beat the best at the end.

        Args:
            board: All trials.
            paused: Those that may be promoted, at least one.
        """
        view = self._view_of(board)
        assert view is not None  # A paused trial has a score.
        numbers = [self._numbers[trial_id] for trial_id in paused]
        mean, deviation = view.means[numbers], view.deviations[numbers]
        first = int(np.argmax(mean + _OPTIMISM * deviation))
        has_chance = view.best is None or mean[first] + _CHANCE * deviation[first] > view.best
        return paused[first] if has_chance else None

    def proposals(self, board: Board) -> Iterator[tuple[float, dict[str, Any]]] | None:
        """New settings, the most promising first; None without a single score.

        Returns:
            Each with what it is expected to gain over the best setting so far, in the unit of the
            objective; infinite as long as all scores are the same, which tell nothing of it.
        """
        view = self._view_of(board)
        if view is None:
            return None
        rng, cube = self._setup.generator, self._cube
        elites = view.places[np.argsort(-view.means, kind="stable")[:_N_ELITES]]
        near = cube.perturbed(elites[rng.integers(len(elites), size=_N_NEAR)], rng)
        places = np.concatenate([cube.drawn(_N_DRAWN, rng), near, *self._usual()])
        with on_one_core():
            gains, merits = self._merits(view, places)
        order = np.argsort(-merits, kind="stable")
        expected = gains * view.unit if view.unit > 0 else np.full(len(gains), math.inf)
        return ((float(expected[i]), cube.setting(places[i])) for i in order)

    def _merits(self, view: _View, places: Floats) -> tuple[Floats, Floats]:
        """Expected gains of new settings, and what orders them: the gain where it is new."""
        points = self._cube.points(places)
        asked = at_end(points, np.full(len(points), -1, dtype=np.intp))
        gains = expected_improvement(*view.process.expected(asked), view.best_so_far)
        return gains, gains * self._novelty(view, points)

    def _usual(self) -> list[Floats]:
        """Places of settings that the priors of the space suggest, where it has any."""
        space, rng = self._setup.space, self._setup.generator
        if all(parameter.prior is None for parameter in space.parameters):
            return []
        drawn = (setting_of(space, lambda one: draw_usual(one, rng)) for _ in range(_N_USUAL))
        return [np.array([self._cube.places(values) for values in drawn])]

    def _novelty(self, view: _View, points: Floats) -> Floats:
        """1 far from all that was tried, falling to 0 where it lies.

        Of the same setting nothing new is learnt, and one that is nearly the same is nearly as
        good, which the process learns too late where scores jump.
        """
        n, d = len(view.points), self._cube.n_names
        close = _CLOSE * math.sqrt(d) * n ** (-1 / d)
        known = view.points
        squares = (points**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * points @ known.T
        nearest: Floats = np.maximum(squares.min(axis=1), 0.0)
        return np.minimum(1.0, nearest / close**2)

    def _view_of(self, board: Board) -> _View | None:
        """The view of a board, which is made once for each of its states; None without scores."""
        moment = (len(board.trials), len(board.ended))
        if self._view[0] != moment:
            self._take(board)
            with on_one_core():
                self._view = (moment, self._new_view(board))
        return self._view[1]

    def _new_view(self, board: Board) -> _View | None:
        goodness = np.array(self._goodness, dtype=np.float64)
        if np.isnan(goodness).all():
            return None
        known = self._known(half_ranked(goodness))
        process = CurveProcess(
            self._kernel(goodness), self._cube.names, known.of(spread_out(known.values, _MAX_KNOWN))
        )
        running = [trial for i, trial in board.running.items() if i in self._numbers]
        points = np.array(self._points)
        if running:
            process.believe(self._running(running, points))
        means, deviations = process.expected(at_end(points, np.arange(len(points))))
        scored = np.where(np.isnan(goodness), -math.inf, known.values)
        best = float(scored[known.times == 1.0].max(initial=-math.inf))
        return _View(
            process=process,
            best=best if math.isfinite(best) else None,
            best_so_far=best if math.isfinite(best) else float(scored.max()),
            places=np.array(self._places),
            points=points,
            means=means,
            deviations=deviations,
            unit=2 * float(cut_off(filled(goodness)).std()),
        )

    def _take(self, board: Board) -> None:
        """Take the trials that are new, but those of settings from outside of the space."""
        for trial_id, trial in islice(board.trials.items(), self._n_trials, None):
            if trial.parent_id is not None:
                if trial.parent_id in self._numbers:
                    self._numbers[trial_id] = self._numbers[trial.parent_id]
            elif trial.model is None and has_setting(self._setup.space, trial.values):
                self._numbers[trial_id] = len(self._places)
                self._places.append(self._cube.places(trial.values))
                self._points.append(self._cube.points(self._places[-1][None])[0])
        for trial in map(board.trials.__getitem__, board.ended[self._n_ended :]):
            if trial.trial_id in self._numbers:
                score = math.nan if trial.score is None else trial.score
                self._goodness.append(-self._setup.objective.cost(score))
                self._settings.append(self._numbers[trial.trial_id])
                self._times.append(time_of(trial.last_epoch, self._setup.settings.max_epochs))
        self._n_trials, self._n_ended = len(board.trials), len(board.ended)

    def _known(self, values: Floats) -> Scores:
        """The first scores that there are, as many as there are values."""
        settings = np.array(self._settings[: len(values)], dtype=np.intp)
        return Scores(
            points=np.array([self._points[i] for i in settings]),
            times=np.array(self._times[: len(values)]),
            settings=settings,
            values=values,
        )

    def _running(self, running: Sequence[Trial], points: Floats) -> Scores:
        settings = np.array([self._numbers[trial.trial_id] for trial in running], dtype=np.intp)
        max_epochs = self._setup.settings.max_epochs
        return Scores(
            points=points[settings],
            times=np.array([time_of(trial.last_epoch, max_epochs) for trial in running]),
            settings=settings,
            values=np.zeros(len(running)),
        )

    def _kernel(self, goodness: Floats) -> Hyperparameters:
        """Fitted to the first trials that ended, so that it depends on nothing else."""
        n = n_of_fit(len(goodness))
        if n not in self._fits:
            scores = self._known(half_ranked(goodness[:n]))
            chosen = spread_out(scores.values, _MAX_FITTED)
            self._fits[n] = fitted(scores.of(chosen), self._cube.names, self._cube.n_names)
        return self._fits[n]


def at_end(points: Floats, settings: NDArray[np.intp]) -> Scores:
    """What is asked of settings: their scores after a whole training."""
    n = len(points)
    return Scores(points=points, times=np.ones(n), settings=settings, values=np.zeros(n))


def time_of(epoch: int, max_epochs: int) -> float:
    """The length of a training on the process' scale: 0 for one epoch, 1 for a whole training."""
    return 1.0 if epoch >= max_epochs else math.log(epoch) / math.log(max_epochs)


def half_ranked(goodness: Floats) -> Floats:
    """Standardised scores and normal scores of their ranks, half and half.

    Ranks alone do not tell by how much the best is better, and scores alone let a few bad ones
    decide what is a difference. Equal ones are ranked as one: many networks that name one class
    only are no crowd.

    Args:
        goodness: Scores, the higher the better; NaN of a failed training.
    """
    goodness = filled(goodness)
    cut = cut_off(goodness)
    spread = float(cut.std())
    standard = (cut - cut.mean()) / spread if spread > 0 else np.zeros(len(cut))
    different, ranks = np.unique(goodness, return_inverse=True)
    normal = ndtri((np.arange(len(different)) + 0.5) / len(different))[ranks]
    halves: Floats = (standard + normal) / 2
    return halves


def filled(goodness: Floats) -> Floats:
    """The scores, a failed training being as bad as the worst; NaN is one."""
    failed = np.isnan(goodness)
    worst = goodness[~failed].min(initial=math.inf)
    return np.where(failed, worst if math.isfinite(worst) else 0.0, goodness)


def cut_off(goodness: Floats) -> Floats:
    """Scores of which the bad ones are as far below the median at most as the best is above it."""
    return np.maximum(goodness, 2 * np.median(goodness) - goodness.max())


def n_of_fit(n_ended: int) -> int:
    """Number of trials that the kernel is fitted to, of those ended: it grows by a fifth."""
    n = n_ended
    if n_ended >= _FIRST_FIT:
        steps = math.floor(math.log(n_ended / _FIRST_FIT) / math.log(_GROWTH))
        n = math.floor(_FIRST_FIT * _GROWTH**steps)
    return n


def spread_out(values: Floats, n: int) -> NDArray[np.intp]:
    """Indices of `n` values at most: the best ones for half of it, and of the others every so many.

    In ascending order; all of them where there are no more.
    """
    order = np.argsort(-values, kind="stable")
    if len(values) > n:
        others = np.linspace(n // 2, len(values) - 1, n - n // 2).round().astype(np.intp)
        order = np.concatenate([order[: n // 2], order[others]])
    return np.sort(order)


def expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """Of normal distributions over a value (Jones et al., J. Glob. Optim. 13, 1998)."""
    z = (mean - best) / deviation
    gain: Floats = deviation * (z * ndtr(z) + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))
    return np.maximum(gain, 0.0)
