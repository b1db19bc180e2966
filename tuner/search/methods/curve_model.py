"""What a search has found, as a Gaussian process sees it: what to resume and what to try next.

All of it follows from the board, so that a resumed search proposes the same. What is kept between
two proposals only saves time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
        unit: Of a value, in the unit of the objective.
    """

    process: CurveProcess
    best: float | None
    best_so_far: float
    places: Floats
    unit: float


class CurveModel:
    """Expects scores of settings after `max_epochs`."""

    def __init__(self, setup: Setup) -> None:
        """Begin without a score."""
        self._setup = setup
        self._cube = UnitCube(setup.space)
        self._numbers: dict[str, int] = {}
        self._places: list[Floats] = []
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
        numbers = np.array([self._numbers[trial_id] for trial_id in paused])
        mean, deviation = view.process.expected(self._at_end(view.places[numbers], numbers))
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
        numbers = np.arange(len(view.places), dtype=np.intp)
        mean, _ = view.process.expected(self._at_end(view.places, numbers))
        elites = view.places[np.argsort(-mean, kind="stable")[:_N_ELITES]]
        near = cube.perturbed(elites[rng.integers(len(elites), size=_N_NEAR)], rng)
        places = np.concatenate([cube.drawn(_N_DRAWN, rng), near, *self._usual()])
        mean, deviation = view.process.expected(
            self._at_end(places, np.full(len(places), -1, dtype=np.intp))
        )
        gains = expected_improvement(mean, deviation, view.best_so_far)
        order = np.argsort(-gains * self._novelty(view, places), kind="stable")
        expected = gains * view.unit if view.unit > 0 else np.full(len(gains), math.inf)
        return ((float(expected[i]), cube.setting(places[i])) for i in order)

    def _usual(self) -> list[Floats]:
        """Places of settings that the priors of the space suggest, where it has any."""
        space, rng = self._setup.space, self._setup.generator
        if all(parameter.prior is None for parameter in space.parameters):
            return []
        drawn = (setting_of(space, lambda one: draw_usual(one, rng)) for _ in range(_N_USUAL))
        return [np.array([self._cube.places(values) for values in drawn])]

    def _novelty(self, view: _View, places: Floats) -> Floats:
        """1 far from all that was tried, falling to 0 where it lies.

        Of the same setting nothing new is learnt, and one that is nearly the same is nearly as
        good, which the process learns too late where scores jump.
        """
        n, d = len(view.places), self._cube.n_names
        close = _CLOSE * math.sqrt(d) * n ** (-1 / d)
        known, asked = self._cube.points(view.places), self._cube.points(places)
        squares = (asked**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * asked @ known.T
        nearest: Floats = np.maximum(squares.min(axis=1), 0.0)
        return np.minimum(1.0, nearest / close**2)

    def _at_end(self, places: Floats, settings: NDArray[np.intp]) -> Scores:
        n = len(places)
        return Scores(
            points=self._cube.points(places),
            times=np.ones(n),
            settings=settings,
            values=np.zeros(n),
        )

    def _view_of(self, board: Board) -> _View | None:
        """The view of a board, which is made once for each of its states; None without scores."""
        moment = (len(board.trials), len(board.ended))
        if self._view[0] != moment:
            self._view = (moment, self._new_view(board))
        return self._view[1]

    def _new_view(self, board: Board) -> _View | None:
        self._number_settings(board)
        ended = [board.trials[i] for i in board.ended if i in self._numbers]
        if not any(trial.score is not None for trial in ended):
            return None
        values = self._values(ended)
        max_epochs = self._setup.settings.max_epochs
        scored = [(v, t) for v, t in zip(values, ended, strict=True) if t.score is not None]
        best = max((float(v) for v, t in scored if t.last_epoch >= max_epochs), default=None)
        known = self._scores(ended, values)
        process = CurveProcess(
            self._kernel(ended), self._cube.names, known.of(spread_out(values, _MAX_KNOWN))
        )
        running = [trial for i, trial in board.running.items() if i in self._numbers]
        if running:
            process.believe(self._scores(running, np.zeros(len(running))))
        return _View(
            process=process,
            best=best,
            best_so_far=max(float(v) for v, _ in scored) if best is None else best,
            places=np.array(self._places),
            unit=2 * float(cut_off(self._goodness(ended)).std()),
        )

    def _number_settings(self, board: Board) -> None:
        """Number the settings of new trials, but those from outside of the space."""
        for trial_id, trial in board.trials.items():
            if trial_id in self._numbers:
                continue
            if trial.parent_id is not None:
                if trial.parent_id in self._numbers:
                    self._numbers[trial_id] = self._numbers[trial.parent_id]
            elif trial.model is None and has_setting(self._setup.space, trial.values):
                self._numbers[trial_id] = len(self._places)
                self._places.append(self._cube.places(trial.values))

    def _values(self, ended: Sequence[Trial]) -> Floats:
        return half_ranked(self._goodness(ended))

    def _goodness(self, ended: Sequence[Trial]) -> Floats:
        """Scores, the higher the better; a failed trial is as bad as the worst."""
        cost = self._setup.objective.cost
        found = [-cost(trial.score) for trial in ended if trial.score is not None]
        worst = min(found, default=0.0)
        return np.array([worst if t.score is None else -cost(t.score) for t in ended])

    def _scores(self, trials: Sequence[Trial], values: Floats) -> Scores:
        numbers = np.array([self._numbers[trial.trial_id] for trial in trials], dtype=np.intp)
        places = np.array([self._places[number] for number in numbers])
        max_epochs = self._setup.settings.max_epochs
        return Scores(
            points=self._cube.points(places),
            times=np.array([time_of(trial.last_epoch, max_epochs) for trial in trials]),
            settings=numbers,
            values=values,
        )

    def _kernel(self, ended: Sequence[Trial]) -> Hyperparameters:
        """Fitted to the first trials that ended, so that it depends on nothing else."""
        n = n_of_fit(len(ended))
        if n not in self._fits:
            values = self._values(ended[:n])
            chosen = spread_out(values, _MAX_FITTED)
            scores = self._scores(ended[:n], values).of(chosen)
            self._fits[n] = fitted(scores, self._cube.names, self._cube.n_names)
        return self._fits[n]


def time_of(epoch: int, max_epochs: int) -> float:
    """The length of a training on the process' scale: 0 for one epoch, 1 for a whole training."""
    return 1.0 if epoch >= max_epochs else math.log(epoch) / math.log(max_epochs)


def half_ranked(goodness: Floats) -> Floats:
    """Standardised scores and normal scores of their ranks, half and half.

    Ranks alone do not tell by how much the best is better, and scores alone let a few bad ones
    decide what is a difference. Equal ones are ranked as one: many networks that name one class
    only are no crowd.

    Args:
        goodness: Scores, the higher the better.
    """
    cut = cut_off(goodness)
    spread = float(cut.std())
    standard = (cut - cut.mean()) / spread if spread > 0 else np.zeros(len(cut))
    different, ranks = np.unique(goodness, return_inverse=True)
    normal = ndtri((np.arange(len(different)) + 0.5) / len(different))[ranks]
    halves: Floats = (standard + normal) / 2
    return halves


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
