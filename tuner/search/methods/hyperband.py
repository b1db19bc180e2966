"""Hyperband (Li et al., JMLR 18, 2018) with Keras Tuner's rung sizes, asynchronous over brackets.

Any order of the brackets is right, but it leaves workers idle for longer or shorter. Brackets
overlap, yet at the end of a search few trials are left, and some of them are long. Begun last, the
bracket whose trials train to the end at once leaves one of two workers idle for a whole such trial.
How long list scheduling takes depends on the order of the jobs (Graham, SIAM J. Appl. Math. 17,
1969), so orders are tried on a simulated clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.full_training import at_most
from tuner.search.methods.method import Method, Proposer, SearchCost, Setup, Step
from tuner.search.methods.random import Draws
from tuner.search.methods.rungs import Rung, brackets, cost_of, promotable, surely_promoted, uses_up
from tuner.search.rehearsal import AnySetting, Clock, rehearse
from tuner.search.study import Study
from tuner.space.definition import Objective, Space
from tuner.space.search_settings import SearchSettings


class Hyperband(Method):
    """Promotes a trial once it surely belongs to the next rung.

    A new bracket starts as soon as the present ones have nothing to start. Brackets are numbered on
    from iteration to iteration: with three to an iteration 2, 1, 0, then 5, 4, 3.
    """

    def __init__(self, setup: Setup, order: Sequence[int] = ()) -> None:
        """Plan the brackets of all iterations.

        Args:
            setup: What to search.
            order: Of the brackets in an iteration; by default the one that suits the workers.
        """
        super().__init__(setup)
        settings = setup.settings
        self._rungs = tuple(reversed(brackets(settings)))
        n = len(self._rungs)
        order = order or bracket_order(settings, setup.n_workers)
        self._unfinished = [
            i * n + bracket for i in range(settings.iterations) for bracket in order
        ]

    @property
    def proposer(self) -> Proposer:
        """Draws settings."""
        return Draws(self.setup)

    def next_step(self, board: Board) -> Step | None:
        """Fill first rungs and promote, in the oldest bracket that has something to start."""
        i = 0
        while i < len(self._unfinished):
            bracket = self._unfinished[i]
            step = self._first_rung(board, bracket) or self._promotion(board, bracket)
            if step is not None:
                return step
            if any(
                board.rung(bracket, rung).n_running for rung in range(len(self._rungs_of(bracket)))
            ):
                i += 1
            else:
                # With nothing to start and nothing running it stays so: it is never looked at
                # again.
                del self._unfinished[i]
        return None

    def may_promote(self, board: Board) -> set[str]:
        """The best of each rung, as many as the next one holds."""
        return promotable(board, self._places)

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """The sum of all rungs; a space of few settings fills no more than them."""
        n_left = math.inf if n_settings is None else n_settings
        found = cost_of(_filled(settings, n_left), settings)
        return replace(found, is_exact=found.is_exact and not uses_up(found, n_settings))

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """Epochs, factor and iterations."""
        n = settings.iterations
        iterations = f"{n} iteration{'' if n == 1 else 's'}"
        return f"Hyperband, {at_most(settings)}, factor {settings.factor}, {iterations}"

    def _rungs_of(self, bracket: int) -> tuple[Rung, ...]:
        return self._rungs[bracket % len(self._rungs)]

    def _places(self, bracket: int, rung: int) -> int:
        rungs = self._rungs_of(bracket)
        return rungs[rung + 1].n_trials if rung + 1 < len(rungs) else 0

    def _first_rung(self, board: Board, bracket: int) -> Step | None:
        first = self._rungs_of(bracket)[0]
        if self.is_exhausted or board.rung(bracket, 0).n_started >= first.n_trials:
            return None
        return first.step(bracket, 0)

    def _promotion(self, board: Board, bracket: int) -> Step | None:
        """The best candidate of a rung that surely belongs to the next one."""
        rungs = self._rungs_of(bracket)
        rung = surely_promoted(
            board,
            bracket,
            n_rungs=len(rungs) - 1,
            size=board.rung(bracket, 0).n_started if self.is_exhausted else rungs[0].n_trials,
            places=lambda rung, _: rungs[rung + 1].n_trials,
        )
        if rung is None:
            return None
        return rungs[rung + 1].step(bracket, rung + 1, board.best_candidate(bracket, rung))


def _filled(settings: SearchSettings, n_left: float) -> Iterator[Rung]:
    for rungs in brackets(settings) * settings.iterations:
        alive = n_left
        for rung in rungs:
            alive = min(alive, rung.n_trials)
            yield replace(rung, n_trials=int(alive))
        n_left -= min(n_left, rungs[0].n_trials)


@cache
def bracket_order(settings: SearchSettings, n_workers: int) -> tuple[int, ...]:
    """The brackets of an iteration in the order that ends soonest; of equal ones the paper's.

    The bracket that halves most is always the first: it finds good settings soonest.
    """
    n = len(brackets(settings))
    usual = tuple(reversed(range(n)))
    if n_workers == 1 or n < 3:
        return usual
    whole_trials_second = (n - 1, 0, *reversed(range(1, n - 1)))
    longest_trials_first = (n - 1, *range(n - 1))
    return min(
        usual,
        whole_trials_second,
        longest_trials_first,
        key=lambda order: _makespan(settings, order, n_workers),
    )


def _makespan(settings: SearchSettings, order: tuple[int, ...], n_workers: int) -> float:
    """Epochs until an iteration is over, were all epochs of all settings equally long."""
    setup = Setup(
        settings=replace(settings, iterations=1, max_trials=None, max_total_epochs=None),
        space=Space(parameters=(), fixed={}),
        objective=Objective(name="", direction="max"),
        generator=np.random.default_rng(0),
        seed=0,
        n_workers=n_workers,
    )
    clock = Clock(n_workers)

    def begin(trial: Trial) -> None:
        clock.occupy(trial.trial_id, trial.last_epoch - trial.first_epoch + 1)

    study = Study(setup, Hyperband(setup, order), AnySetting())
    for _ in rehearse(study, clock, begin, lambda trial: 0.0):
        pass
    return clock.now
