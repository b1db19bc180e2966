"""What the search itself costs per trial, in time and on disk, at 10 trials and at 10,000.

    python benchmarks/search_bookkeeping.py [--space search_spaces/fer2013.yaml] [--running 64]

Nothing is trained: scores are made up, and of the running trials any ends next. Timed is all that
the search does for a trial: choosing it, taking its score, telling which checkpoints can go, and
the log of starts and ends, which waits for the disk at each end (the log goes to the folder for
temporary files). The limit is a median of 5 ms over the last tenth of the trials, and of 50 ms
where a model is asked, whose searches end at 1,000 trials; a miss exits with 1.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tuner.backend import environment

environment.prepare()

from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.search.study import make_study
from tuner.space.definition import SearchSpaceFile
from tuner.space.parsing.parse import load_space
from tuner.space.search_settings import SearchSettings
from tuner.store.search_log import SearchLog

LIMIT_MS = {"hyperband": 5.0, "asha": 5.0, "model_hyperband": 50.0}


def main() -> int:
    """Search with each method, ten times as many trials each time; print what one trial cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", type=Path, default=Path("search_spaces/fer2013.yaml"))
    parser.add_argument("--running", type=int, default=64, help="trials that run at a time")
    options = parser.parse_args()
    file, met = load_space(options.space), True
    print(
        f"{len(file.space.parameters)} hyperparameters, {options.running} trials running at a time"
    )
    print(
        "method            trials  median ms  of the last tenth  99th percentile ms"
        "  bytes of log per trial"
    )
    for method, limit_ms in LIMIT_MS.items():
        for n_trials in (10, 100, 1_000, 10_000):
            if method == "model_hyperband" and n_trials > 1_000:
                continue
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "trials.jsonl"
                costs = trial_costs(file, method, n_trials, options.running, SearchLog(path))
                size = path.stat().st_size
            last = statistics.median(costs[-max(1, n_trials // 10) :])
            median, high = statistics.median(costs), sorted(costs)[int(0.99 * (len(costs) - 1))]
            print(
                f"{method:16} {n_trials:7,} {median:10.2f} {last:18.2f} {high:19.2f}"
                f" {size / n_trials:23,.0f}"
            )
            met = met and last < limit_ms
    print(f"limits on the median: {'met' if met else 'missed'}")
    return 0 if met else 1


def trial_costs(
    file: SearchSpaceFile, method: str, n_trials: int, n_running: int, log: SearchLog
) -> list[float]:
    """Milliseconds that each trial of a search cost, from its choice to its end."""
    settings = SearchSettings(
        method=method, max_epochs=81, factor=3, iterations=50, max_trials=n_trials
    )
    study = make_study(
        space=file.space,
        objective=file.objective,
        settings=settings,
        seed=0,
        problem=lambda values: None,
    )
    rng = random.Random(0)
    costs: dict[str, float] = {}
    running: list[Trial] = []
    while True:
        start = time.perf_counter()
        trial = study.next_trial() if len(running) < n_running else None
        if trial is not None:
            log.started(trial, study.state())
            costs[trial.trial_id] = 1e3 * (time.perf_counter() - start)
            running.append(trial)
        elif running:
            ended = trained(running.pop(rng.randrange(len(running))), rng)
            start = time.perf_counter()
            log.ended(ended)
            study.end(ended)
            study.disposable()
            costs[ended.trial_id] += 1e3 * (time.perf_counter() - start)
        else:
            return list(costs.values())


def trained(trial: Trial, rng: random.Random) -> Trial:
    """The trial with a made-up learning curve."""
    epochs = tuple(
        EpochMetrics(
            epoch=epoch,
            metrics={
                name: rng.random() for name in ("loss", "accuracy", "val_loss", "val_accuracy")
            },
            duration_s=rng.random(),
        )
        for epoch in range(trial.first_epoch, trial.last_epoch + 1)
    )
    return replace(trial, score=max(e.metrics["val_accuracy"] for e in epochs), epochs=epochs)


if __name__ == "__main__":
    sys.exit(main())
