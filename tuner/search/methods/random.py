"""Random search: settings drawn from the space, each trained to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tuner.search.board import Board
from tuner.search.methods.full_training import FullTraining
from tuner.search.methods.guided import guided, has_prior, usual_first
from tuner.search.methods.method import Proposer, Setup, Step
from tuner.search.proposals import drawn, draws


class Draws:
    """Proposes drawn settings: evenly, or where a space has priors, as `guided` says."""

    def __init__(self, setup: Setup) -> None:
        """Take the space and the generator."""
        self._setup = setup

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        """Settings as they are drawn; without priors, whatever the board says."""
        setup = self._setup
        if not has_prior(setup.space):
            return draws(setup.space, setup.generator)
        more = drawn(setup.space, guided(setup, board, step))
        return chain(usual_first(setup, board, step), more)


class RandomSearch(FullTraining):
    """Draws settings."""

    title = "random search"

    @property
    def proposer(self) -> Proposer:
        """Draws."""
        return Draws(self.setup)
