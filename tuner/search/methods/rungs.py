"""Rungs and brackets, their sizes, and the budget in epochs that all methods share.

Sizes are those of Hyperband (Li et al., JMLR 18, 2018) as Keras Tuner rounds them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

from tuner.search.board import Board
from tuner.search.methods.method import SearchCost, Step
from tuner.space.search_settings import SearchSettings


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
    def n_trial_epochs(self) -> int:
        """Epochs that one of its trials trains."""
        return self.last_epoch - self.first_epoch + 1

    @property
    def n_epochs(self) -> int:
        """Epochs that the whole rung trains."""
        return self.n_trials * self.n_trial_epochs

    def step(self, bracket: int, number: int, parent_id: str | None = None) -> Step:
        """A trial on this rung, which is rung `number` of the bracket."""
        return Step(
            bracket=bracket,
            rung=number,
            first_epoch=self.first_epoch,
            last_epoch=self.last_epoch,
            parent_id=parent_id,
        )


@cache
def brackets(settings: SearchSettings) -> tuple[tuple[Rung, ...], ...]:
    """The rungs of every bracket of one iteration of Hyperband; the one that halves most first."""
    # Length of a whole trial in units of the shortest one; Keras Tuner's unit is an epoch.
    length = settings.max_epochs / min(settings.min_epochs, settings.max_epochs)
    n_brackets = 1
    while length / settings.factor**n_brackets >= 1:
        n_brackets += 1
    return tuple(_rungs(settings, length, bracket) for bracket in reversed(range(n_brackets)))


def _rungs(settings: SearchSettings, length: float, bracket: int) -> tuple[Rung, ...]:
    end_size = math.ceil(1 + math.log(length, settings.factor)) / (bracket + 1)
    rungs: list[Rung] = []
    done = 0
    for rung in range(bracket + 1):
        last_epoch = math.ceil(settings.max_epochs / settings.factor ** (bracket - rung))
        n_trials = math.ceil(end_size * settings.factor ** (bracket - rung))
        rungs.append(Rung(n_trials=n_trials, first_epoch=done + 1, last_epoch=last_epoch))
        done = last_epoch
    return tuple(rungs)


@cache
def epoch_budget(settings: SearchSettings) -> int | None:
    """Epochs after which a search starts nothing more, whatever its method.

    By default the sum of Hyperband, so that all methods are compared at equal cost; None where you
    have said how many trials there are instead.
    """
    if settings.max_total_epochs is not None:
        return settings.max_total_epochs
    if settings.max_trials is not None:
        return None
    planned = brackets(settings)
    return settings.iterations * sum(rung.n_epochs for rungs in planned for rung in rungs)


def epochs_left(settings: SearchSettings, board: Board) -> float:
    """Epochs that may still be started; infinite without a budget."""
    budget = epoch_budget(settings)
    return math.inf if budget is None else budget - board.n_epochs


def cost_of(rungs: Iterable[Rung], settings: SearchSettings) -> SearchCost:
    """What rungs cost that are filled one after another until a limit ends the search."""
    budget = epoch_budget(settings)
    trials_left = math.inf if settings.max_trials is None else settings.max_trials
    epochs_left = math.inf if budget is None else budget
    n_settings = n_trials = n_epochs = 0
    is_whole = True
    for rung in rungs:
        if not is_whole:
            break
        n = int(min(rung.n_trials, trials_left, epochs_left // rung.n_trial_epochs))
        is_whole = n == rung.n_trials
        n_settings += n if rung.first_epoch == 1 else 0
        n_trials, trials_left = n_trials + n, trials_left - n
        spent = replace(rung, n_trials=n).n_epochs
        n_epochs, epochs_left = n_epochs + spent, epochs_left - spent
    # Which trials are promoted before a limit depends on the scores; one trial promotes nothing.
    is_exact = is_whole or n_trials == 1
    return SearchCost(
        n_settings=n_settings, n_trials=n_trials, n_epochs=n_epochs, is_exact=is_exact
    )


def uses_up(cost: SearchCost, n_settings: int | None) -> bool:
    """Whether the space sets the number of trials, so that they are about right at best.

    Some of its settings may be impossible to build, and in which rung they run out depends on the
    workers. A single setting is trained, or the search fails.
    """
    return n_settings is not None and 1 < n_settings <= cost.n_settings


def can_promote(board: Board, bracket: int, rung: int, places: int | None) -> bool:
    """Whether a rung has a candidate, and the next one a place for it."""
    state = board.rung(bracket, rung)
    return bool(state.candidates) and (places is None or state.n_promoted < places)


def surely_promoted(
    board: Board, bracket: int, *, n_rungs: int, size: int, places: Callable[[int, int], int]
) -> int | None:
    """The lowest rung whose best candidate surely belongs to the next one: enough are worse.

    Args:
        board: The trials.
        bracket: Its rungs are filled one after another.
        n_rungs: Rungs below the last one.
        size: Trials of the first rung, running and coming ones included.
        places: How many trials of (rung, size) the next one holds.
    """
    for rung in range(n_rungs):
        state, n_places = board.rung(bracket, rung), places(rung, size)
        is_sure = state.n_ended - state.n_promoted > max(0, size - n_places)
        if is_sure and can_promote(board, bracket, rung, n_places):
            return rung
        # Failed trials leave the next rungs smaller than planned.
        size = min(n_places, size - state.n_failed)
    return None


def promotable(board: Board, places: Callable[[int, int], int | None]) -> set[str]:
    """Trials that can still be promoted: the best of each rung, as many as there are places.

    Args:
        board: The trials.
        places: How many trials of a (bracket, rung) can be promoted in all; None sets no limit.
    """
    found: set[str] = set()
    for bracket, rung in board.rungs_with_checkpoints():
        limit = places(bracket, rung)
        n_promoted = board.rung(bracket, rung).n_promoted
        left = None if limit is None else max(0, limit - n_promoted)
        found.update(board.candidates(bracket, rung, left))
    return found
