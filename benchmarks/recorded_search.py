"""How good a search is after how many epochs, on learning curves that others have recorded.

The method is the real one, with the real `Study`; only the training is looked up. The folder is one
of `mfbench`'s form (`recorded_tasks.py`); its `run_one` plays a search and measures it: the
normalised regret of the setting that is best so far, 0 for the best known one and 1 for the median
of random ones. Results are written in its form, a line for each task and seed, so that its
`report.py` puts them beside those of other tuners. What is there already is not run again.

    python -m benchmarks.recorded_search --bench FOLDER --out RESULTS [--method model_hyperband]
        [--tasks NAME ...] [--seeds 20] [--first-seed 0] [--workers 1]

With several workers the search is played on a clock where an epoch takes as long as another. The
regret is that after so many epochs of ended trials; with `--clock` also for one worker, so that
they compare. Idle is the share of time that workers waited before less than a whole training of
the budget was left, and after the slash until all had ended.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recorded_tasks import parameter
from tuner.records.trial import Trial
from tuner.search.rehearsal import Clock, rehearse
from tuner.search.study import Study, make_study
from tuner.space.definition import Objective, Space
from tuner.space.search_settings import SearchSettings

# Full trainings that a search may cost, as in the benchmark.
BUDGET = 30
SHARES = (10, 25, 33, 50, 100)


def study_of(
    space: Sequence[Mapping[str, Any]], max_epochs: int, seed: int, method: str, n_workers: int = 1
) -> Study:
    """A search of a task's space within the benchmark's budget."""
    return make_study(
        space=Space(parameters=tuple(parameter(one) for one in space), fixed={}),
        objective=Objective(name="value", direction="max"),
        settings=SearchSettings(
            method=method,
            max_epochs=max_epochs,
            factor=3,
            iterations=BUDGET,
            max_total_epochs=BUDGET * max_epochs,
        ),
        seed=seed,
        problem=lambda values: None,
        n_workers=n_workers,
    )


def adapter(method: str) -> type:
    """The class that `run_one` asks and tells."""

    class Adapter:
        name = f"tuner-{method}"

        def __init__(
            self, space: Sequence[Mapping[str, Any]], max_epochs: int, seed: int, budget: int
        ) -> None:
            assert budget == BUDGET * max_epochs
            self._study = study_of(space, max_epochs, seed, method)
            self._trial: Trial | None = None

        def ask(self) -> tuple[Mapping[str, Any], int, int] | None:
            trial = self._trial = self._study.next_trial()
            return trial and (trial.values, trial.first_epoch - 1, trial.last_epoch)

        def tell(
            self, config: object, epoch: int, value: float, curve: Sequence[float] = ()
        ) -> None:
            assert self._trial is not None
            self._study.end(replace(self._trial, score=value))

    return Adapter


def on_clock(task: Any, seed: int, method: str, n_workers: int) -> dict[str, Any]:
    """A search with several workers: its regret by epochs of ended trials, and idle time."""
    study, clock = study_of(task.space, task.R, seed, method, n_workers), Clock(n_workers)
    spans: dict[str, tuple[float, float]] = {}

    def begin(trial: Trial) -> None:
        n_epochs = trial.last_epoch - trial.first_epoch + 1
        spans[trial.trial_id] = (clock.now, clock.now + n_epochs)
        clock.occupy(trial.trial_id, n_epochs)

    def score(trial: Trial) -> float:
        return float(task.curve(trial.values)[0][trial.last_epoch - 1])

    regrets, n_epochs = np.ones(100), 0
    last: dict[str, tuple[float, float]] = {}
    for trial in rehearse(study, clock, begin, score):
        assert trial.score is not None
        n_epochs += trial.last_epoch - trial.first_epoch + 1
        last[repr(sorted(trial.values.items()))] = (trial.score, task.regret(trial.values))
        done = max(1, int(100 * n_epochs / (BUDGET * task.R)))
        regrets[done - 1 :] = max(last.values(), key=lambda pair: pair[0])[1]
    # The rest is for the last trainings to end, and cannot keep all workers busy.
    n_started, until = 0.0, 0.0
    for start, end in spans.values():
        n_started, until = n_started + end - start, start
        if n_started > (BUDGET - 1) * task.R:
            break
    busy = sum(max(0.0, min(end, until) - start) for start, end in spans.values())
    longest = max(end for _, end in spans.values())
    return {
        "algo": f"tuner-{method}-{n_workers}-workers",
        "task": task.name,
        "seed": seed,
        "inc": [round(float(regret), 6) for regret in regrets],
        "idle": 1 - busy / (n_workers * until),
        "idle_in_all": 1 - n_epochs / (n_workers * longest),
        "spent": n_epochs,
    }


def main() -> None:
    """Play the searches, and print the mean regrets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bench", type=Path, required=True, help="folder of mfbench's form")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--method", default="model_hyperband", help="any of search.method")
    parser.add_argument("--tasks", nargs="*", help="the benchmark's suite by default")
    parser.add_argument("--seeds", type=int, default=20, help="searches of each task")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="trials at a time")
    parser.add_argument("--clock", action="store_true", help="on the clock also with one worker")
    options = parser.parse_args()
    sys.path.insert(0, str(options.bench))
    bench, runner = importlib.import_module("mfbench"), importlib.import_module("mfbench.runner")
    options.out.mkdir(parents=True, exist_ok=True)
    is_on_clock = options.clock or options.workers > 1
    suffix = f"-{options.workers}-workers" if is_on_clock else ""
    path = options.out / f"tuner-{options.method}{suffix}.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    tasks = options.tasks or bench.SUITE
    for name in tasks:
        task, start = bench.load_task(name), time.process_time()
        for seed in seeds:
            if any((one["task"], one["seed"]) == (name, seed) for one in found):
                continue
            if is_on_clock:
                result = on_clock(task, seed, options.method, options.workers)
            else:
                result = runner.run_one(adapter(options.method), task, seed, BUDGET)
            found.append(result)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
        own = [one for one in found if one["task"] == name and one["seed"] in seeds]
        print(f"{name:24}{row(own)}  {time.process_time() - start:5.0f} s", flush=True)
    own = [one for one in found if one["task"] in tasks and one["seed"] in seeds]
    print(f"{'mean':24}{row(own)}")


def row(results: Sequence[Mapping[str, Any]]) -> str:
    """Mean regrets at shares of the budget, and how idle workers were."""
    regrets = np.mean([[one["inc"][share - 1] for share in SHARES] for one in results], axis=0)
    text = " ".join(f"{regret:.3f}" for regret in regrets)
    if "idle" not in results[0]:
        return text
    idle = [np.mean([one[key] for one in results]) for key in ("idle", "idle_in_all")]
    return f"{text}  idle {idle[0]:.1%} / {idle[1]:.1%}"


if __name__ == "__main__":
    main()
