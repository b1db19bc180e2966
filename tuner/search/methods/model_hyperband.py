"""Hyperband whose promotions and new settings follow a model of all learning curves so far.

Settings enter at the lengths and in the proportions of Hyperband's brackets (Li et al., JMLR 18,
2018), and every training is resumed where it was paused. What differs: promotions are chosen over
all brackets, by what a Gaussian process expects of a setting after a whole training, as in
freeze-thaw Bayesian optimisation (Swersky et al., 2014), and most of the new settings are those
from which it expects the largest improvement, as in MOBSTER (Klein et al., 2020). A third is drawn
without it, so that a model that is wrong costs little.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from tuner.search.board import Board
from tuner.search.methods.curve_model import CurveModel
from tuner.search.methods.full_training import at_most
from tuner.search.methods.guided import has_prior
from tuner.search.methods.method import Method, Proposer, SearchCost, Setup, Step
from tuner.search.methods.random import Draws
from tuner.search.methods.rungs import Rung, brackets, can_promote, epoch_budget, epochs_left
from tuner.search.methods.unit_cube import UnitCube
from tuner.space.definition import SearchSettings
from tuner.space.sampling import MAX_COUNTED

# The first bracket begins this many rungs below the last one, with settings that cost as much there
# as 1.5 whole trainings. It takes half of the budget at most.
_FIRST_HALVINGS = 2
_FIRST_SIZE = 1.5
_FIRST_SHARE = 0.5
# Of new settings after the first bracket.
_DRAWN_SHARE = 0.3
# Trials of a rung of a bracket that may still be promoted: the best, so that disks do not fill.
_MAX_PAUSED = 50
# The Latin hypercube's own stream of the seed: a resumed search has the same one.
_FIRST_STREAM = 1


class _Brackets:
    """The brackets by number, and their rungs.

    Bracket b has b halvings, as Hyperband's. The first one that is run, `first`, is one of them by
    another number, as it is synchronous.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self._rungs = tuple(reversed(brackets(settings)))
        self.top = len(self._rungs) - 1
        self.first = len(self._rungs) + min(_FIRST_HALVINGS, self.top)
        self.numbers = (*range(len(self._rungs)), self.first)

    def rungs(self, bracket: int) -> tuple[Rung, ...]:
        return self._rungs[bracket % len(self._rungs)]

    def halvings(self, bracket: int) -> int:
        return bracket % len(self._rungs)

    def below(self, n_above: int) -> list[tuple[int, int]]:
        """The (bracket, rung) with so many rungs above them: all of one length of training."""
        return [(b, self.halvings(b) - n_above) for b in self.numbers if self.halvings(b) >= n_above]


class ModelHyperband(Method):
    """Asks a model of the learning curves what to promote and what to try next.

    First a synchronous bracket of settings that are spread over the space. Then, whenever a worker
    is free, the first of these:

    1. The setting with the best score goes on, if it is not trained to the end: it may only have
       been lucky.
    2. Where less than its share of a rung was promoted, the highest first, the most promising of
       the rung goes on, if it has a fair chance to be the best.
    3. A new setting, in the bracket that is furthest behind its share.
    """

    keeps_more_over_time = True

    def __init__(self, setup: Setup) -> None:
        """Plan the first bracket."""
        super().__init__(setup)
        self._settings = setup.settings
        self._brackets = _Brackets(setup.settings)
        self._n_first = n_first(setup.settings)
        # Forecasts play the method through without a space: there is nothing to learn.
        self._model = CurveModel(setup) if setup.space.parameters else None

    @property
    def proposer(self) -> Proposer:
        """The first bracket spread over the space, then what the model expects most of."""
        return _Proposer(self.setup, self._brackets.first, self._n_first, self._model)

    def next_step(self, board: Board) -> Step | None:
        """What comes next, if it can be brought to the end."""
        first = self._first_bracket(board)
        if first is not None:
            return first
        if self._is_settled(board):
            step = self._confirmation(board) or self._promotion(board)
            if step is not None:
                return step
        return self._new_setting(board)

    def may_promote(self, board: Board) -> set[str]:
        """The best of each rung of each bracket, so many at most."""
        places = chain.from_iterable(
            self._brackets.below(n) for n in range(1, self._brackets.top + 1)
        )
        return {i for bracket, rung in places for i in _paused(board, bracket, rung)}

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """About right: what is promoted depends on the scores."""
        raise NotImplementedError

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """Epochs and factor."""
        return f"model-based Hyperband, {at_most(settings)}, factor {settings.factor}"

    def _first_bracket(self, board: Board) -> Step | None:
        """As Hyperband: fill the first rung, then promote what surely belongs to the next one."""
        bracket, factor = self._brackets.first, self._settings.factor
        rungs = self._brackets.rungs(bracket)
        size = self._n_first
        if board.rung(bracket, 0).n_started < size and not self.is_exhausted:
            step = rungs[0].step(bracket, 0)
            if self._can_finish(board, step):
                return step
        size = board.rung(bracket, 0).n_started
        for i, rung in enumerate(rungs[1:], start=1):
            before = board.rung(bracket, i - 1)
            n_places = max(1, size // factor)
            is_sure = before.n_ended - before.n_promoted > max(0, size - n_places)
            if is_sure and can_promote(board, bracket, i - 1, n_places):
                step = rung.step(bracket, i, board.best_candidate(bracket, i - 1))
                return step if self._can_finish(board, step) else None
            # Failed trials leave the next rungs smaller than planned.
            size = min(n_places, size - before.n_failed)
        return None

    def _is_settled(self, board: Board) -> bool:
        """Whether nothing of the first bracket is running."""
        bracket = self._brackets.first
        return not any(
            board.rung(bracket, rung).n_running for rung in range(len(self._brackets.rungs(bracket)))
        )

    def _confirmation(self, board: Board) -> Step | None:
        """The setting with the best score goes one rung up."""
        cost = self.setup.objective.cost
        whole = [board.rung(*place).ranked[:1] for place in self._brackets.below(0)]
        starts = islice(board.trials.values(), board.n_starts)
        others = [cost(trial.score) for trial in starts if trial.score is not None]
        # A setting that is being promoted is as good as it was.
        resumed = [board.trials[t.parent_id].score for t in board.running.values() if t.parent_id]
        others += [cost(score) for score in resumed if score is not None]
        others += [entry[0] for ranked in whole for entry in ranked]
        found: list[tuple[float, int, int, int]] = []
        for n_above in range(1, self._brackets.top + 1):
            for bracket, rung in self._brackets.below(n_above):
                for entry in board.rung(bracket, rung).candidates[:1]:
                    found.append((*entry, bracket, rung))
        if not found or min(others, default=math.inf) <= min(found)[0]:
            return None
        _, _, bracket, rung = min(found)
        return self._promoted(board, bracket, rung, board.best_candidate(bracket, rung))

    def _promotion(self, board: Board) -> Step | None:
        """The most promising of the highest rung of which too few were promoted."""
        for n_above in range(1, self._brackets.top + 1):
            places = self._brackets.below(n_above)
            rungs = [board.rung(*place) for place in places]
            n_ended = sum(rung.n_ended for rung in rungs)
            if self._settings.factor * sum(rung.n_promoted for rung in rungs) >= n_ended:
                continue
            paused = {i: place for place in places for i in _paused(board, *place)}
            chosen = self._chosen(board, list(paused))
            if chosen is not None:
                step = self._promoted(board, *paused[chosen], chosen)
                if step is not None:
                    return step
        return None

    def _chosen(self, board: Board, paused: Sequence[str]) -> str | None:
        if not paused:
            return None
        if self._model is None:
            return min(paused, key=lambda i: self.setup.objective.cost(board.trials[i].score or 0.0))
        return self._model.worth_resuming(board, paused)

    def _promoted(self, board: Board, bracket: int, rung: int, trial_id: str | None) -> Step | None:
        step = self._brackets.rungs(bracket)[rung + 1].step(bracket, rung + 1, trial_id)
        return step if self._can_finish(board, step) else None

    def _new_setting(self, board: Board) -> Step | None:
        """In the bracket that is furthest behind its share; of equal ones, that with most halvings."""
        if self.is_exhausted:
            return None
        n_sizes = [self._brackets.rungs(b)[0].n_trials for b in range(self._brackets.top + 1)]
        counts = [board.rung(b, 0).n_started for b in range(self._brackets.top + 1)]
        n_all = sum(counts) + 1
        behind = [n_all * size / sum(n_sizes) - n for size, n in zip(n_sizes, counts, strict=True)]
        bracket = max(range(len(behind)), key=lambda b: (behind[b], b))
        # With few trials left, one that enters so high that they suffice to bring it to the end.
        left = trials_left(self._settings, board)
        bracket = int(min(bracket, left - 1))
        step = self._brackets.rungs(bracket)[0].step(bracket, 0)
        return step if self._can_finish(board, step) else None

    def _can_finish(self, board: Board, step: Step) -> bool:
        """Whether what is left suffices to bring a step's setting to the end.

        Also one of those that are running: each of them may turn out the best.
        """
        settings, top = self._settings, self._settings.max_epochs
        running = [top - trial.last_epoch for trial in board.running.values() if not trial.origin]
        needed = max([top - step.last_epoch, *running])
        n_above = self._brackets.halvings(step.bracket) - step.rung
        return (
            epochs_left(settings, board) - step.n_epochs >= needed
            and trials_left(settings, board) - 1 >= n_above
        )


class _Proposer:
    """Spreads the first settings over the space, and asks the model for most of the others."""

    def __init__(self, setup: Setup, first: int, n_first: int, model: CurveModel | None) -> None:
        self._setup, self._first, self._n_first, self._model = setup, first, n_first, model

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        setup = self._setup
        drawn = Draws(setup).propose(board, step)
        if step.bracket == self._first:
            return drawn if has_prior(setup.space) else chain(self._spread(board, step), drawn)
        if self._model is None or board.rung(self._first, 0).n_running:
            return drawn
        if setup.generator.random() < _DRAWN_SHARE:
            return drawn
        return chain(self._model.proposals(board), drawn)

    def _spread(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        cube = UnitCube(self._setup.space)
        rng = np.random.default_rng([self._setup.seed, _FIRST_STREAM])
        number = board.rung(step.bracket, 0).n_started
        yield cube.setting(cube.latin_hypercube(self._n_first, rng)[number])


def n_first(settings: SearchSettings) -> int:
    """Settings of the first bracket; at least one."""
    n_halvings = min(_FIRST_HALVINGS, len(brackets(settings)) - 1)
    rungs, factor = brackets(settings)[-1 - n_halvings], settings.factor
    n = math.ceil(_FIRST_SIZE * factor**n_halvings)
    # What one setting takes on all rungs, each shared by the settings below it.
    n_epochs = sum(rung.n_trial_epochs / factor**i for i, rung in enumerate(rungs))
    n_trials = sum(1 / factor**i for i in range(len(rungs)))
    if (budget := epoch_budget(settings)) is not None:
        n = min(n, math.floor(_FIRST_SHARE * budget / n_epochs))
    if settings.max_trials is not None:
        n = min(n, math.floor(_FIRST_SHARE * settings.max_trials / n_trials))
    return max(1, n)


def trials_left(settings: SearchSettings, board: Board) -> float:
    """Trials that may still be started; infinite without a limit."""
    return math.inf if settings.max_trials is None else settings.max_trials - board.n_proposed


def _paused(board: Board, bracket: int, rung: int) -> list[str]:
    """The trials that may be promoted: those with fewer than so many better ones on their rung.

    It only ever gets more, so that one that was left out stays out.
    """
    state = board.rung(bracket, rung)
    n = len(state.candidates)
    if len(state.ranked) > _MAX_PAUSED:
        n = bisect_left(state.candidates, state.ranked[_MAX_PAUSED])
    return board.candidates(bracket, rung, n)
