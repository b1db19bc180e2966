"""Bayesian optimisation: Keras Tuner's Gaussian process proposes, all trained to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tuner.search.board import Board
from tuner.search.methods.full_training import FullTraining
from tuner.search.methods.method import Proposer, Setup, Step
from tuner.search.methods.random import Draws


class _ExpectedBest:
    """Proposes what the process expects most of, then drawn settings; only those use priors."""

    def __init__(self, setup: Setup, n_drawn: int) -> None:
        self._setup, self._n_drawn = setup, n_drawn

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        setup, n_ended = self._setup, len(board.rung(0, 0).ranked)
        drawn = Draws(setup).propose(board, step)
        if not setup.space.parameters or n_ended < self._n_drawn:
            yield from drawn
            return
        # Only here: forecasts play the method through without Keras Tuner.
        from tuner.search.methods.gaussian_process import expected_best

        yield from chain(expected_best(setup, board), drawn)


class Bayesian(FullTraining):
    """Proposes from the scores so far."""

    title = "Bayesian optimisation"

    @property
    def proposer(self) -> Proposer:
        """The process, once there are enough trials to fit it to."""
        n_trials = self.cost(self.setup.settings, None).n_trials
        # Keras Tuner's own 3 per parameter would often be all there are.
        n_drawn = max(3, min(3 * len(self.setup.space.parameters), n_trials // 3))
        return _ExpectedBest(self.setup, n_drawn)
