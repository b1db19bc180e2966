"""Grid search: every setting of a finite space in order, each trained to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuner.search.board import Board
from tuner.search.methods.full_training import FullTraining
from tuner.search.methods.method import Proposer, Setup, Step
from tuner.search.proposals import every_setting
from tuner.space.search_settings import SearchSettings


class _InOrder:
    """Proposes every setting once, and goes on where the last proposal was."""

    def __init__(self, setup: Setup) -> None:
        self._settings = every_setting(setup.space)

    def propose(self, board: Board, step: Step) -> Iterator[Mapping[str, Any]]:
        return self._settings


class Grid(FullTraining):
    """Goes through the space."""

    title = "grid search"

    def __init__(self, setup: Setup) -> None:
        """Begin with the first setting; after a restart those that were tried are passed over."""
        super().__init__(setup)
        self._proposer = _InOrder(setup)

    @property
    def proposer(self) -> Proposer:
        """All settings, the last parameter changing fastest."""
        return self._proposer

    @classmethod
    def notes(cls, settings: SearchSettings, n_settings: int | None) -> tuple[str, ...]:
        """Say how much of the grid the budget leaves out."""
        return budget_note(cls.cost(settings, n_settings).n_settings, settings, n_settings)


def budget_note(
    n_trained: int, settings: SearchSettings, n_settings: int | None
) -> tuple[str, ...]:
    """That a grid ends before its last setting; empty where it does not."""
    is_whole = n_settings is not None and n_trained >= n_settings
    if is_whole or n_trained == settings.max_trials:
        return ()
    start = f"search.max_total_epochs ends the grid after {n_trained:,}"
    if n_settings is None:
        return (f"{start} setting{'' if n_trained == 1 else 's'}; the space has more",)
    n_epochs = n_settings * settings.max_epochs
    return (f"{start} of {n_settings:,} settings; {n_epochs} trains them all",)
