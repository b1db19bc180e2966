"""Hyperband's brackets and rungs as numbers (Li et al., JMLR 18, 2018; sizes as Keras Tuner rounds them)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.space.definition import SearchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rung of a bracket.

    Attributes:
        n_trials: Trials in it.
        first_epoch: First epoch that they train, from 1.
        last_epoch: Last epoch, included.
    """

    n_trials: int
    first_epoch: int
    last_epoch: int

    @property
    def n_epochs(self) -> int:
        """Epochs that the whole rung trains."""
        return self.n_trials * (self.last_epoch - self.first_epoch + 1)


def brackets(settings: SearchSettings) -> tuple[tuple[Rung, ...], ...]:
    """The rungs of every bracket of one iteration, the bracket that halves most first."""
    n_brackets = 1
    while settings.max_epochs / settings.factor**n_brackets >= 1:
        n_brackets += 1
    return tuple(_rungs(settings, bracket) for bracket in reversed(range(n_brackets)))


def _rungs(settings: SearchSettings, bracket: int) -> tuple[Rung, ...]:
    end_size = math.ceil(1 + math.log(settings.max_epochs, settings.factor)) / (bracket + 1)
    rungs: list[Rung] = []
    done = 0
    for rung in range(bracket + 1):
        last_epoch = math.ceil(settings.max_epochs / settings.factor ** (bracket - rung))
        n_trials = math.ceil(end_size * settings.factor ** (bracket - rung))
        rungs.append(Rung(n_trials=n_trials, first_epoch=done + 1, last_epoch=last_epoch))
        done = last_epoch
    return tuple(rungs)


def total(settings: SearchSettings) -> tuple[int, int]:
    """Trials and epochs of the whole search."""
    rungs = [rung for bracket in brackets(settings) for rung in bracket]
    once = sum(rung.n_trials for rung in rungs), sum(rung.n_epochs for rung in rungs)
    return once[0] * settings.iterations, once[1] * settings.iterations
