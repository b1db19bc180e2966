"""What a search will train, as numbers: Hyperband's brackets and rungs, ASHA's rungs, and the sum for every method.

Sizes are those of Hyperband (Li et al., JMLR 18, 2018) as Keras Tuner rounds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tuner.space.definition import SearchSettings
from tuner.space.sampling import MAX_COUNTED


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
    """The rungs of every bracket of one iteration of Hyperband, the bracket that halves most first."""
    n_brackets = 1
    while settings.max_epochs / settings.factor**n_brackets >= 1:
        n_brackets += 1
    return tuple(_rungs(settings, bracket) for bracket in reversed(range(n_brackets)))


def n_new_settings(settings: SearchSettings) -> int | None:
    """How many settings a method other than Hyperband starts; None where only the space or `max_trials` ends it.

    By default ASHA starts as many as Hyperband's first rungs hold; random and bayesian train so
    many to the end that they take no more epochs than Hyperband.
    """
    if settings.method == "grid":
        return None
    if settings.max_trials is not None:
        return None if settings.method == "asha" else settings.max_trials
    planned = brackets(settings)
    if settings.method == "asha":
        return settings.iterations * sum(rungs[0].n_trials for rungs in planned)
    n_epochs = settings.iterations * sum(rung.n_epochs for rungs in planned for rung in rungs)
    return max(1, n_epochs // settings.max_epochs)


def total(settings: SearchSettings, n_settings: int | None = None) -> tuple[int, int]:
    """Trials and epochs of the whole search, if none fails or ends early; for ASHA an estimate.

    Args:
        settings: How the space is searched.
        n_settings: Distinct settings of the space; None where there are more than can be counted.
    """
    if settings.method == "hyperband":
        rungs = list(_hyperband_rungs(settings, math.inf if n_settings is None else n_settings))
    else:
        rungs = list(_single_bracket(settings, n_settings))
    rungs = list(_limited(rungs, settings.max_trials))
    return sum(rung.n_trials for rung in rungs), sum(rung.n_epochs for rung in rungs)


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


def _hyperband_rungs(settings: SearchSettings, n_left: float) -> Iterator[Rung]:
    """Every rung of every iteration; a space of `n_left` settings fills no more than them."""
    for rungs in brackets(settings) * settings.iterations:
        alive = n_left
        for rung in rungs:
            alive = min(alive, rung.n_trials)
            yield replace(rung, n_trials=int(alive))
        n_left -= min(n_left, rungs[0].n_trials)


def _single_bracket(settings: SearchSettings, n_settings: int | None) -> Iterator[Rung]:
    """The rungs of a method that has one bracket; each is a `factor`-th of the one before, and no rung is empty."""
    rungs = brackets(settings)[0] if settings.method == "asha" else brackets(settings)[-1]
    limits = [n_new_settings(settings), n_settings, settings.max_trials]
    if settings.max_trials is not None and len(rungs) > 1:
        # About one trial in `factor` is a promotion.
        limits.append(settings.max_trials - settings.max_trials // settings.factor)
    n = min((limit for limit in limits if limit is not None), default=MAX_COUNTED)
    for rung in rungs:
        yield replace(rung, n_trials=n)
        n = max(1, n // settings.factor)


def _limited(rungs: Iterable[Rung], max_trials: int | None) -> Iterator[Rung]:
    left = math.inf if max_trials is None else max_trials
    for rung in rungs:
        n = int(min(left, rung.n_trials))
        yield replace(rung, n_trials=n)
        left -= n
