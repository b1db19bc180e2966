"""Hyperband whose promotions and new settings follow a model of all learning curves so far.

Settings enter at the lengths of Hyperband's brackets (Li et al., JMLR 18, 2018), more of them at
short ones than there, and every training is resumed where it was paused. What differs further:
promotions are chosen over all brackets, by what a Gaussian process expects of a setting after a
whole training, as in freeze-thaw Bayesian optimisation (Swersky et al., 2014), and most of the new
settings are those from which it expects the largest improvement, as in MOBSTER (Klein et al.,
2020). Three of ten are drawn without it, so that a model that is wrong costs little.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from tuner.search.board import Board
from tuner.search.methods.bracket_plan import BracketPlan
from tuner.search.methods.curve_model import CurveModel
from tuner.search.methods.full_training import at_most
from tuner.search.methods.guided import has_prior
from tuner.search.methods.method import Method, Proposer, SearchCost, Setup, Step, TrialEvent
from tuner.search.methods.random import Draws
from tuner.search.methods.rungs import epoch_budget, epochs_left, surely_promoted
from tuner.search.methods.unit_cube import UnitCube
from tuner.space.sampling import MAX_COUNTED
from tuner.space.search_settings import SearchSettings

# Of new settings after the first bracket.
_DRAWN_SHARE = 0.3
# Of the model's proposals so many are tried, then draws: all may be known or cannot be built.
_N_OFFERED = 50
# Trials of a rung of a bracket that may still be promoted: the best, so that disks do not fill.
_MAX_PAUSED = 50
# The Latin hypercube's own stream of the seed: a resumed search has the same one.
_FIRST_STREAM = 1


class ModelHyperband(Method):
    """Asks a model of the learning curves what to promote and what to try next.

    First a synchronous bracket of settings that are spread over the space. Then, whenever a worker
    is free, the first of these:

    1. The setting with the best score goes on, if it is not trained to the end and has a fair
       chance to be the best there: it may only have been lucky.
    2. Where less than its share of a rung was promoted, the highest first, the most promising of
       the rung goes on, if it has a fair chance to be the best.
    3. A new setting, in the bracket that is furthest behind its share.
    4. Where no new setting is left or fits into the budget, the most promising of the highest rung
       goes on beyond its share, if it has a fair chance.

    What has no fair chance to be the best at the end goes on only where no other setting was
    trained that long.
    """

    keeps_more_over_time = True

    def __init__(self, setup: Setup) -> None:
        """Plan the first bracket."""
        super().__init__(setup)
        self._settings = setup.settings
        self._brackets = BracketPlan(setup.settings)
        self._n_first = self._brackets.n_first
        # Forecasts play the method through without a space: there is nothing to learn.
        self._model = CurveModel(setup) if setup.space.parameters else None

    @property
    def proposer(self) -> Proposer:
        """The method itself: steps and settings come from one model."""
        return self

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        """Settings spread over the space, then mostly what the model expects most of."""
        setup = self.setup
        drawn = Draws(setup).propose(board, step)
        if step.bracket == self._brackets.first:
            return drawn if has_prior(setup.space) else chain(self._spread(board, step), drawn)
        if self._model is None or not self._has_begun(board):
            return drawn
        if setup.generator.random() < _DRAWN_SHARE:
            return drawn
        proposals = self._model.proposals(board)
        if proposals is None:
            return drawn
        if (limit := self._settings.min_expected_gain) is not None:
            return self._worthwhile(proposals, limit)
        return chain((values for _, values in islice(proposals, _N_OFFERED)), drawn)

    def state(self) -> Mapping[str, Any]:
        """Why it has ended by itself, if it has."""
        return {"ending": self.ending} if self.ending else {}

    def restore(self, history: Sequence[TrialEvent], states: Sequence[Mapping[str, Any]]) -> None:
        """All else follows from the board."""
        for state in states:
            self.ending = state.get("ending", self.ending)

    def next_step(self, board: Board) -> Step | None:
        """What comes next, if it can be brought to the end."""
        step = self._first_bracket(board)
        if step is None and self._has_begun(board):
            step = self._confirmation(board) or self._promotion(board)
        step = step or self._new_setting(board)
        if step is None and not board.n_running and not self.ending:
            step = self._last_resort(board)
        return step

    def may_promote(self, board: Board) -> set[str]:
        """The best of each rung of each bracket, so many at most."""
        places = chain.from_iterable(
            self._brackets.places_below(n) for n in range(1, self._brackets.top + 1)
        )
        return {i for bracket, rung in places for i in _paused(board, bracket, rung)}

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """About right: what is promoted depends on the scores, and so does an early end."""
        plan, budget = BracketPlan(settings), epoch_budget(settings)
        first_trials, first_epochs = plan.first_load()
        trials, epochs = plan.per_setting(plan.shares())
        n = min(plan.n_first, n_settings or MAX_COUNTED)
        more = float((n_settings or MAX_COUNTED) - n)
        if settings.max_trials is not None:
            more = min(more, (settings.max_trials - n * first_trials) / trials)
        if budget is not None:
            more = min(more, (budget - n * first_epochs) / epochs)
        more = max(0, math.floor(more))
        n_trials = math.ceil(n * first_trials + more * trials)
        # One at least is trained to the end.
        n_epochs = max(settings.max_epochs, math.ceil(n * first_epochs + more * epochs))
        return SearchCost(
            n_settings=n + more,
            n_trials=int(min(n_trials, settings.max_trials or math.inf)),
            n_epochs=int(min(n_epochs, budget or math.inf)),
            is_exact=False,
        )

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """Epochs and factor, and the gain that is worth going on for."""
        found = f"model-based Hyperband, {at_most(settings)}, factor {settings.factor}"
        if settings.min_expected_gain is not None:
            found += f", as long as it expects to gain {settings.min_expected_gain:g}"
        return found

    def _first_bracket(self, board: Board) -> Step | None:
        """As Hyperband: fill the first rung, then promote what surely belongs to the next one."""
        bracket = self._brackets.first
        if board.rung(bracket, 0).n_started < self._n_first and not self.is_exhausted:
            step = self._brackets.step(bracket)
            if self._can_finish(board, step):
                return step
        rung = surely_promoted(
            board,
            bracket,
            n_rungs=self._brackets.halvings(bracket),
            size=board.rung(bracket, 0).n_started,
            places=lambda rung, size: max(1, size // self._settings.factor),
        )
        if rung is None:
            return None
        return self._promoted(board, bracket, rung, board.best_candidate(bracket, rung))

    def _spread(self, board: Board, step: Step) -> Iterator[dict[str, Any]]:
        """A Latin hypercube's next setting."""
        cube = UnitCube(self.setup.space)
        rng = np.random.default_rng([self.setup.seed, _FIRST_STREAM])
        number = board.rung(step.bracket, 0).n_started
        yield cube.setting(cube.latin_hypercube(self._n_first, rng)[number])

    def _worthwhile(
        self, proposals: Iterator[tuple[float, dict[str, Any]]], limit: float
    ) -> Iterator[dict[str, Any]]:
        """The settings that are worth a trial; where none of them will do, the search ends."""
        most = 0.0
        for gain, values in proposals:
            if gain >= limit:
                yield values
            else:
                most = max(most, gain)
        self.ending = f"no new setting was expected to gain {limit:g}, the best {most:.2g}"

    def _has_begun(self, board: Board) -> bool:
        """Whether there is enough to learn from: the first rung of the first bracket has ended."""
        return not board.rung(self._brackets.first, 0).n_running

    def _confirmation(self, board: Board) -> Step | None:
        """The setting with the best score goes one rung up, if it may be the best at the end."""
        whole = [i for place in self._brackets.places_below(0) for i in board.candidates(*place, 1)]
        # Whether long trainings fail or score lower, the first one tells: rule 2 sees to it.
        if not whole or self._model is None:
            return None
        # A setting that is being promoted is as good as it was.
        resumed = [t.parent_id for t in board.running.values() if t.parent_id is not None]
        others = [*islice(board.trials, board.n_starts), *whole, *resumed]
        paused = {
            i: place
            for n_above in range(1, self._brackets.top + 1)
            for place in self._brackets.places_below(n_above)
            for i in _paused(board, *place)[:1]
        }
        best = min(paused, key=lambda i: self._cost(board, i), default=None)
        if best is None:
            return None
        if min((self._cost(board, i) for i in others), default=math.inf) <= self._cost(board, best):
            return None
        if self._model.most_promising(board, [best]) is None:
            return None
        return self._promoted(board, *paused[best], best)

    def _promotion(self, board: Board) -> Step | None:
        """The most promising of the highest rung of which too few were promoted."""
        for n_above in range(1, self._brackets.top + 1):
            rungs = [board.rung(*place) for place in self._brackets.places_below(n_above)]
            n_promoted = sum(rung.n_promoted for rung in rungs)
            if self._settings.factor * n_promoted < sum(rung.n_ended for rung in rungs):
                step = self._most_promising(board, n_above)
                if step is not None:
                    return step
        return None

    def _last_resort(self, board: Board) -> Step | None:
        """The most promising of the highest rung, where nothing else fits into what is left."""
        steps = (self._most_promising(board, n) for n in range(1, self._brackets.top + 1))
        return next(filter(None, steps), None)

    def _most_promising(self, board: Board, n_above: int) -> Step | None:
        """The most promising of a rung, if it has a fair chance; without a model the best."""
        paused = {i: at for at in self._brackets.places_below(n_above) for i in _paused(board, *at)}
        chosen = min(paused, key=lambda i: self._cost(board, i), default=None)
        if self._model is not None and paused:
            chosen = self._model.most_promising(board, list(paused))
        return None if chosen is None else self._promoted(board, *paused[chosen], chosen)

    def _cost(self, board: Board, trial_id: str) -> float:
        score = board.trials[trial_id].score
        return math.inf if score is None else self.setup.objective.cost(score)

    def _promoted(self, board: Board, bracket: int, rung: int, trial_id: str | None) -> Step | None:
        step = self._brackets.step(bracket, rung + 1, trial_id)
        return step if self._can_finish(board, step) else None

    def _new_setting(self, board: Board) -> Step | None:
        """In the bracket furthest behind its share; of equal ones, that with most halvings."""
        if self.is_exhausted:
            return None
        counts = [board.rung(b, 0).n_started for b in range(self._brackets.top + 1)]
        behind = [
            share * (sum(counts) + 1) - n
            for share, n in zip(self._brackets.shares(), counts, strict=True)
        ]
        bracket = max(range(len(behind)), key=lambda b: (behind[b], b))
        # With few trials left, it enters so high that they suffice to bring it to the end.
        left = trials_left(self._settings, board)
        step = self._brackets.step(int(min(bracket, left - 1)))
        return step if self._can_finish(board, step) else None

    def _can_finish(self, board: Board, step: Step) -> bool:
        """Whether what is left suffices to bring a step's setting to the end.

        Also one of those that are being promoted, which may turn out the best.
        """
        settings, top = self._settings, self._settings.max_epochs
        promoted = [t.last_epoch for t in board.running.values() if t.parent_id is not None]
        needed = top - min([step.last_epoch, *promoted])
        n_above = self._brackets.halvings(step.bracket) - step.rung
        return (
            epochs_left(settings, board) - step.n_epochs >= needed
            and trials_left(settings, board) - 1 >= n_above
        )


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
