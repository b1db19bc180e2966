"""How long 256 workers wait for the search to give them something to do, told by a simulation with a clock of its own.

    python benchmarks/idle_workers.py [--workers 256] [--seed 0]

Nothing is trained. A setting's seconds per epoch are log-normal (median 10 s; one setting in six is 2.7 times as slow
or slower), its score grows with its epochs towards a limit of its own. About ten settings per worker are searched at
81 epochs and factor 3. Told is the share of the workers' time without a trial, twice: until the last new setting
started, which is up to the method (and the whole of it where a time budget ends the search); and over the whole
search, whose last hours are up to 81 epochs of the slowest finalist. The limit is 5 % for ASHA until the last new
setting; a miss exits with 1.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from dataclasses import replace

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods import METHODS, Step
from tuner.search.schedule import brackets
from tuner.space.definition import Objective, SearchSettings

LIMIT = 0.05
MEDIAN_S = 10.0
SETTINGS_PER_WORKER = 10


def main() -> int:
    """Simulate both methods and print how idle their workers were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    once = SearchSettings(method="asha", max_epochs=81, factor=3, iterations=1)
    wanted = SETTINGS_PER_WORKER * options.workers
    iterations = math.ceil(wanted / sum(rungs[0].n_trials for rungs in brackets(once)))
    idle = {}
    print(f"{options.workers} workers, 81 epochs, factor 3, {iterations} iterations")
    print("method     settings  trials    hours  idle until last new setting  idle over all")
    for method in ("asha", "hyperband"):
        told = simulate(replace(once, method=method, iterations=iterations), options.workers, options.seed)
        n_settings, n_trials, end_s, idle[method], idle_over_all = told
        print(f"{method:10} {n_settings:8} {n_trials:7} {end_s / 3600:8.1f} {idle[method]:28.1%} {idle_over_all:14.1%}")
    met = idle["asha"] < LIMIT
    print(f"limit: {LIMIT:.0%} for asha until the last new setting: {'met' if met else 'missed'}")
    return 0 if met else 1


def simulate(settings: SearchSettings, n_workers: int, seed: int) -> tuple[int, int, float, float, float]:
    """Settings, trials, seconds until the end, idle share until the last new setting started, and over all."""
    method = METHODS[settings.method](settings)
    board = Board(Objective(name="val_accuracy", direction="max"), method.places)
    rng = random.Random(seed)
    running: list[tuple[float, str]] = []
    spans: list[tuple[float, float]] = []
    now = last_new_s = 0.0
    while True:
        while len(running) < n_workers and (step := method.next_step(board)) is not None:
            trial = started(step, board, rng)
            board.start(trial)
            spans.append((now, now + (step.last_epoch - step.first_epoch + 1) * trial.values["epoch_s"]))
            heapq.heappush(running, (spans[-1][1], trial.trial_id))
            last_new_s = last_new_s if step.parent_id else now
        if not running:
            break
        now, trial_id = heapq.heappop(running)
        trial = board.trials[trial_id]
        board.end(replace(trial, score=trial.values["limit"] - trial.values["lack"] / trial.last_epoch))
    n_settings = sum(trial.parent_id is None for trial in board.trials.values())
    return n_settings, len(spans), now, idle_share(spans, n_workers, last_new_s), idle_share(spans, n_workers, now)


def started(step: Step, board: Board, rng: random.Random) -> Trial:
    """The trial of a step; a new setting gets its speed and its learning curve."""
    values = {"epoch_s": rng.lognormvariate(math.log(MEDIAN_S), 1.0), "limit": rng.random(), "lack": rng.random()}
    return Trial(
        trial_id=f"{len(board.trials):04d}",
        values=values if step.parent_id is None else board.trials[step.parent_id].values,
        bracket=step.bracket,
        rung=step.rung,
        parent_id=step.parent_id,
        first_epoch=step.first_epoch,
        last_epoch=step.last_epoch,
    )


def idle_share(spans: list[tuple[float, float]], n_workers: int, until_s: float) -> float:
    """Share of the workers' time until then in which they had no trial."""
    busy_s = sum(max(0.0, min(end, until_s) - start) for start, end in spans)
    return max(0.0, 1 - busy_s / (n_workers * until_s))


if __name__ == "__main__":
    sys.exit(main())
