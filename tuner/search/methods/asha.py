"""ASHA (Li et al., MLSys 2020): the best of a rung go on whenever a worker is free."""

from __future__ import annotations

import math
from dataclasses import replace

from tuner.search.board import Board
from tuner.search.methods.full_training import at_most
from tuner.search.methods.method import Method, Proposer, SearchCost, Setup, Step
from tuner.search.methods.random import Draws
from tuner.search.methods.rungs import (
    Rung,
    brackets,
    can_promote,
    cost_of,
    epoch_budget,
    epochs_left,
    promotable,
)
from tuner.space.sampling import MAX_COUNTED
from tuner.space.search_settings import SearchSettings


class Asha(Method):
    """Promotes the best of a rung without waiting for the others.

    A trial is promoted when it is in the top 1/factor of its rung's ended trials; higher rungs come
    first; otherwise a new setting starts. What no longer fits into the budget of epochs is passed
    over for what does.
    """

    keeps_more_over_time = True

    def __init__(self, setup: Setup) -> None:
        """Plan the rungs: `max_epochs / factor^k` epochs, as in Hyperband's first bracket."""
        super().__init__(setup)
        self._settings = setup.settings
        self._rungs = brackets(setup.settings)[0]
        self._top = len(self._rungs) - 1
        self._n_expected = self._settings.max_trials or _n_settings(self._settings)

    @property
    def proposer(self) -> Proposer:
        """Draws settings."""
        return Draws(self.setup)

    def next_step(self, board: Board) -> Step | None:
        """Promote, else start a new setting, else see that one trial reaches the top rung."""
        if not self._has_few_trials_left(board):
            step = self._promotion(board) or self._new_setting(board)
            if step is not None and self._leaves_enough(board, step):
                return step
        return None if board.n_running or board.rung(0, self._top).ranked else self._best_on(board)

    def may_promote(self, board: Board) -> set[str]:
        """The best of each rung, as many as may still be promoted."""
        return promotable(board, self._places)

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """About right: how often an early promotion turns out wrong depends on the scores."""
        n = min(_n_settings(settings), n_settings or MAX_COUNTED)
        rungs = []
        for rung in brackets(settings)[0]:
            rungs.append(replace(rung, n_trials=n))
            # No rung is empty.
            n = max(1, n // settings.factor)
        found = replace(cost_of(rungs, settings), is_exact=False)
        budget = epoch_budget(settings)
        # Nothing but the budget ends it: what does not fit is passed over for what does.
        is_full = budget is not None and found.n_settings == _n_settings(settings)
        return replace(found, n_epochs=budget) if is_full and budget else found

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """Epochs and factor."""
        return f"ASHA, {at_most(settings)}, factor {settings.factor}"

    def _places(self, bracket: int, rung: int) -> int:
        """Twice its share of all settings, since early promotions may turn out wrong."""
        share: int = self._n_expected // self._settings.factor ** (rung + 1)
        return 0 if rung == self._top else max(1, 2 * share)

    def _highest(self, board: Board) -> int:
        """The highest rung that a trial has started on."""
        return max(rung for rung in range(self._top + 1) if board.rung(0, rung).n_started)

    def _has_few_trials_left(self, board: Board) -> bool:
        """Whether the trials that are left must all serve to bring one to the top rung."""
        if self._settings.max_trials is None or not board.n_proposed:
            return False
        left = self._settings.max_trials - board.n_proposed
        return left <= self._top - self._highest(board)

    def _leaves_enough(self, board: Board, step: Step) -> bool:
        """Whether after a step there are epochs left to bring one trial to the top rung."""
        if not board.n_proposed:
            return True
        highest = max(step.rung, self._highest(board))
        needed = self._rungs[-1].last_epoch - self._rungs[highest].last_epoch
        return epochs_left(self._settings, board) - step.n_epochs >= needed

    def _promotion(self, board: Board) -> Step | None:
        for rung in reversed(range(self._top)):
            before = board.rung(0, rung)
            if (
                self._fits(board, self._rungs[rung + 1])
                and can_promote(board, 0, rung, self._places(0, rung))
                and before.candidate_rank < before.n_ended // self._settings.factor
            ):
                return self._promote(board, rung)
        return None

    def _new_setting(self, board: Board) -> Step | None:
        fits = self._fits(board, self._rungs[0])
        return self._rungs[0].step(0, 0) if fits and not self.is_exhausted else None

    def _best_on(self, board: Board) -> Step | None:
        for rung in reversed(range(self._top)):
            if can_promote(board, 0, rung, self._places(0, rung)):
                return self._promote(board, rung)
        return None

    def _promote(self, board: Board, rung: int) -> Step:
        return self._rungs[rung + 1].step(0, rung + 1, board.best_candidate(0, rung))

    def _fits(self, board: Board, rung: Rung) -> bool:
        return rung.n_trial_epochs <= epochs_left(self._settings, board)


def _n_settings(settings: SearchSettings) -> int:
    """New settings of a search, about: a `factor`-th of each rung is promoted."""
    rungs, factor = brackets(settings)[0], settings.factor
    limits = [float(MAX_COUNTED)]
    if settings.max_trials is not None:
        n_promoted = settings.max_trials // factor if len(rungs) > 1 else 0
        limits.append(settings.max_trials - n_promoted)
    if (budget := epoch_budget(settings)) is not None:
        # What one setting costs on all rungs, each shared by the settings below it.
        each = sum(rung.n_trial_epochs / factor**i for i, rung in enumerate(rungs))
        limits.append(max(1, math.floor(budget / each)))
    return int(min(limits))
