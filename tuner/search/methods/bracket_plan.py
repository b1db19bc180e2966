"""Hyperband's brackets where promotions are chosen over all of them, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuner.search.methods.method import Step
from tuner.search.methods.rungs import epoch_budget
from tuner.space.search_settings import SearchSettings

# The first bracket begins this many rungs below the last one, with settings that cost as much there
# as one whole training. It takes half of the budget at most.
_FIRST_HALVINGS = 3
_FIRST_SHARE = 0.5


class BracketPlan:
    """The brackets by number, and their rungs.

    Bracket b has b halvings, as Hyperband's. The first one that is run, `first`, has the number of
    a further one with as many halvings as it: unlike the others, it is synchronous.

    Attributes:
        epochs: Lengths of training by the number of rungs above them; the longest first.
        first: Number of the bracket that is run first.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self._settings, self._factor = settings, settings.factor
        self.epochs = lengths(settings)
        self.first = len(self.epochs) + min(_FIRST_HALVINGS, self.top)

    @property
    def top(self) -> int:
        """The most halvings."""
        return len(self.epochs) - 1

    def halvings(self, bracket: int) -> int:
        """Promotions from a bracket's first rung to its last."""
        return bracket % len(self.epochs)

    def step(self, bracket: int, rung: int = 0, parent_id: str | None = None) -> Step:
        """A trial on a rung of a bracket."""
        n_above = self.halvings(bracket) - rung
        return Step(
            bracket=bracket,
            rung=rung,
            first_epoch=1 if parent_id is None else self.epochs[n_above + 1] + 1,
            last_epoch=self.epochs[n_above],
            parent_id=parent_id,
        )

    def places_below(self, n_above: int) -> list[tuple[int, int]]:
        """The (bracket, rung) with so many rungs above them: all of one length of training."""
        numbers = (*range(len(self.epochs)), self.first)
        return [
            (bracket, self.halvings(bracket) - n_above)
            for bracket in numbers
            if self.halvings(bracket) >= n_above
        ]

    def shares(self) -> list[float]:
        """Of all settings how many enter each bracket.

        Not those of Hyperband, whose brackets cost about the same each. Here whole trainings are
        what promotions are for: each bracket gets what Hyperband gives to one with a halving more,
        so that settings seldom enter at long trainings.
        """
        sizes = [self._factor ** (b + 1) / (b + 2) for b in range(len(self.epochs))]
        return [size / sum(sizes) for size in sizes]

    def per_setting(self, shares: Sequence[float]) -> tuple[float, float]:
        """Trials and epochs of a setting on average, promotions included.

        Args:
            shares: How many of the settings enter each bracket.
        """
        n_trials = n_epochs = n_below = 0.0
        for n_above in reversed(range(len(self.epochs))):
            n_promoted, before = n_below / self._factor, (*self.epochs, 0)[n_above + 1]
            n_below = n_promoted + shares[n_above]
            n_trials += n_below
            n_epochs += n_below * self.epochs[n_above] - n_promoted * before
        return n_trials, n_epochs

    def first_load(self) -> tuple[float, float]:
        """`per_setting` of the first bracket."""
        halvings = self.halvings(self.first)
        return self.per_setting([float(b == halvings) for b in range(len(self.epochs))])

    @property
    def n_first(self) -> int:
        """Settings of the first bracket; at least one."""
        settings = self._settings
        n = settings.factor ** self.halvings(self.first)
        n_trials, n_epochs = self.first_load()
        if (budget := epoch_budget(settings)) is not None:
            n = min(n, math.floor(_FIRST_SHARE * budget / n_epochs))
        if settings.max_trials is not None:
            n = min(n, math.floor(_FIRST_SHARE * settings.max_trials / n_trials))
        return max(1, n)


def lengths(settings: SearchSettings) -> tuple[int, ...]:
    """Epochs of all rungs, the longest first: each a `factor`-th of the one before."""
    shortest, longest = min(settings.min_epochs, settings.max_epochs), settings.max_epochs
    found = [longest]
    while (length := round(longest / settings.factor ** len(found))) >= shortest:
        if length == found[-1]:
            break
        found.append(length)
    return tuple(found)
