"""In which order Hyperband's brackets begin: any is right, but they leave workers idle for longer or shorter.

Brackets overlap, yet at the end of a search few trials are left, and some of them are long. Begun
last, the bracket whose trials train to the end at once leaves one of two workers idle for a whole
such trial. How long list scheduling takes depends on the order of the jobs (Graham, SIAM J. Appl.
Math. 17, 1969), so orders are tried on a simulated clock.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from functools import cache

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import METHODS, Hyperband, Method
from tuner.search.schedule import brackets
from tuner.space.definition import Objective, SearchSettings


def method_for(settings: SearchSettings, n_workers: int) -> Method:
    """The method of the settings; Hyperband with the order of brackets that suits the workers."""
    if settings.method == "hyperband":
        return Hyperband(settings, bracket_order(settings, n_workers))
    return METHODS[settings.method](settings)


@cache
def bracket_order(settings: SearchSettings, n_workers: int) -> tuple[int, ...]:
    """The brackets of an iteration in the order that ends soonest; of equal ones the paper's.

    The bracket that halves most is always the first: it finds good settings soonest.
    """
    n = len(brackets(settings))
    usual = tuple(reversed(range(n)))
    if n_workers == 1 or n < 3:
        return usual
    whole_trials_second = (n - 1, 0, *reversed(range(1, n - 1)))
    longest_trials_first = (n - 1, *range(n - 1))
    return min(
        usual,
        whole_trials_second,
        longest_trials_first,
        key=lambda order: _makespan(settings, order, n_workers),
    )


def _makespan(settings: SearchSettings, order: tuple[int, ...], n_workers: int) -> int:
    """Epochs until an iteration is over, were all epochs of all settings equally long."""
    method = Hyperband(replace(settings, iterations=1), order)
    board = Board(Objective(name="", direction="max"), method.places)
    now = 0
    running: list[tuple[int, str]] = []
    while True:
        while len(running) < n_workers and (step := method.next_step(board)) is not None:
            trial = Trial(
                trial_id=str(len(board.trials)),
                values={},
                bracket=step.bracket,
                rung=step.rung,
                parent_id=step.parent_id,
                first_epoch=step.first_epoch,
                last_epoch=step.last_epoch,
            )
            board.start(trial)
            heapq.heappush(
                running, (now + trial.last_epoch - trial.first_epoch + 1, trial.trial_id)
            )
        if not running:
            return now
        now, trial_id = heapq.heappop(running)
        board.end(replace(board.trials[trial_id], score=0.0))
