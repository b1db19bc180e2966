"""Random search: settings drawn from the space, each trained to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuner.search.board import Board
from tuner.search.methods.full_training import FullTraining
from tuner.search.methods.method import Proposer, Setup, Step
from tuner.search.proposals import draws


class Draws:
    """Proposes drawn settings."""

    def __init__(self, setup: Setup) -> None:
        """Take the space and the generator."""
        self._setup = setup

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        """Settings as they are drawn, whatever the board says."""
        return draws(self._setup.space, self._setup.generator)


class RandomSearch(FullTraining):
    """Draws settings."""

    title = "random search"

    @property
    def proposer(self) -> Proposer:
        """Draws."""
        return Draws(self.setup)
