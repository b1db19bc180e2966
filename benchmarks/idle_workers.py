"""How long 256 workers wait for the search to give them work, in a simulation with its own clock.

    python benchmarks/idle_workers.py [--workers 256] [--seed 0]

Nothing is trained. A setting's seconds per epoch are log-normal (median 10 s; one setting in six is
2.7 times as slow or slower), its score grows with its epochs towards a limit of its own; 81 epochs
at most, factor 3. Told is the share of the workers' time without a trial, over the whole search, of
two kinds of search:

- with a time budget of 8 hours (`--time-budget 8h --max-trials 1000000`): new settings start as
  long as there is time, and what runs then ends after its epoch, as the search loop does it. The
  limit is 5 % for ASHA; a miss exits with 1.
- with a fixed number of settings, about ten per worker: at its end most workers wait for the last
  finalists, of which the slowest trains 81 epochs alone. No method can give the others anything to
  do; it is told for comparison.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from dataclasses import replace

import numpy as np

from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.method import Setup, Step, method_class
from tuner.search.methods.rungs import brackets, epochs_left
from tuner.space.definition import Objective, Space
from tuner.space.search_settings import SearchSettings

LIMIT = 0.05
MEDIAN_S = 10.0
SETTINGS_PER_WORKER = 10
BUDGET_S = 8 * 3600.0
ENDLESS = 10**6


def main() -> int:
    """Simulate the searches and print how idle their workers were."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    once = SearchSettings(method="asha", max_epochs=81, factor=3, iterations=1)
    per_iteration = sum(rungs[0].n_trials for rungs in brackets(once))
    fixed = replace(
        once, iterations=math.ceil(SETTINGS_PER_WORKER * options.workers / per_iteration)
    )
    print(f"{options.workers} workers, 81 epochs, factor 3")
    print("search                    settings  trials  hours   idle")
    budgeted = tell(
        "asha, 8 h", replace(once, max_trials=ENDLESS), options.workers, options.seed, BUDGET_S
    )
    for method in ("asha", "hyperband"):
        tell(
            f"{method}, fixed number",
            replace(fixed, method=method),
            options.workers,
            options.seed,
            math.inf,
        )
    print(
        f"limit: {LIMIT:.0%} for asha with a time budget: {'met' if budgeted < LIMIT else 'missed'}"
    )
    return 0 if budgeted < LIMIT else 1


def tell(
    name: str, settings: SearchSettings, n_workers: int, seed: int, deadline_s: float
) -> float:
    """Simulate a search, print a line, and return the idle share."""
    board, spans = simulate(settings, n_workers, seed, deadline_s)
    n_settings = sum(trial.parent_id is None for trial in board.trials.values())
    end_s = max(end for _, end in spans)
    idle = 1 - sum(end - start for start, end in spans) / (n_workers * end_s)
    print(f"{name:25} {n_settings:8} {len(spans):7} {end_s / 3600:6.1f} {idle:6.1%}")
    return idle


def simulate(
    settings: SearchSettings, n_workers: int, seed: int, deadline_s: float
) -> tuple[Board, list[tuple[float, float]]]:
    """The board after a search, and when each trial started and ended, in seconds."""
    objective = Objective(name="val_accuracy", direction="max")
    setup = Setup(
        settings=settings,
        space=Space(parameters=(), fixed={}),
        objective=objective,
        generator=np.random.default_rng(seed),
        seed=seed,
        n_workers=n_workers,
    )
    method = method_class(settings.method)(setup)
    board = Board(objective)
    rng = random.Random(seed)
    running: list[tuple[float, str]] = []
    spans: list[tuple[float, float]] = []
    now = 0.0
    while True:
        while (
            len(running) < n_workers
            and now < deadline_s
            and (step := method.next_step(board)) is not None
            and step.n_epochs <= epochs_left(settings, board)
        ):
            trial = started(step, board, rng)
            board.start(trial)
            spans.append((now, end_of(trial, now, deadline_s)))
            heapq.heappush(running, (spans[-1][1], trial.trial_id))
        if not running:
            return board, spans
        now, trial_id = heapq.heappop(running)
        trial = board.trials[trial_id]
        board.end(
            replace(trial, score=trial.values["limit"] - trial.values["lack"] / trial.last_epoch)
        )


def end_of(trial: Trial, start_s: float, deadline_s: float) -> float:
    """When a trial ends: with its last epoch, or with the epoch that the deadline falls into."""
    epoch_s = trial.values["epoch_s"]
    n_epochs = trial.last_epoch - trial.first_epoch + 1
    if deadline_s < start_s + n_epochs * epoch_s:
        n_epochs = math.ceil((deadline_s - start_s) / epoch_s)
    return float(start_s + n_epochs * epoch_s)


def started(step: Step, board: Board, rng: random.Random) -> Trial:
    """The trial of a step; a new setting gets its speed and its learning curve."""
    values = {
        "epoch_s": rng.lognormvariate(math.log(MEDIAN_S), 1.0),
        "limit": rng.random(),
        "lack": rng.random(),
    }
    parent = None if step.parent_id is None else board.trials[step.parent_id]
    return step.trial(f"{len(board.trials):04d}", values if parent is None else parent.values)


if __name__ == "__main__":
    sys.exit(main())
