"""Kills a search at random moments with SIGKILL, lets it go on, and compares what it comes to.

    python -m tests.soak.kill_matrix [--fakes 194] [--real 6] [--seed 0]

Each case kills the driver, one of its workers, or all of them, with one worker or with two. Most
trainings are made up (milliseconds, no network): their drivers are forked from this process, which
has loaded everything. The real ones are whole commands with the retraining of the winner. Prints a
line per case; exits with 1 if any of them came to something else, or if fewer than two of three
killed anything: a moment may fall before the first worker or after the end.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.soak import training
from tests.soak.children import started
from tuner.backend import environment

VICTIMS = ("driver", "worker", "all")
SPACE = """
version: 1
dataset: digits
model: cnn
space:
  conv_blocks: 1
  filters: {type: int, min: 2, max: 5}
  dense_units: 8
  learning_rate: {type: float, min: 1e-4, max: 1e-1, sampling: log}
search: {method: hyperband, max_epochs: 9, factor: 3}
compare: []
retrain: {epochs: 4, seeds: 2, patience: 4}
"""
DEADLINE_S = 120.0

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one case runs: its working directory and the number of workers."""

    folder: Path
    n_workers: int

    @property
    def out(self) -> Path:
        """Root of its reports."""
        return self.folder / "reports"

    def runs(self) -> list[Path]:
        """The folders of its runs."""
        return [path for path in self.out.glob("digits/*") if (path / "config.yaml").exists()]


def main() -> int:
    """Run all cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fakes", type=int, default=194)
    parser.add_argument("--real", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    environment.prepare()
    _load_everything()
    generator, n_wrong, n_killing = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, n, start in (("fake", options.fakes, forked), ("real", options.real, called)):
            wrong, killing = _cases(kind, n, start, generator, Path(folder))
            n_wrong, n_killing = n_wrong + wrong, n_killing + killing
    n = options.fakes + options.real
    print(f"{n_killing} of {n} cases killed something; {n_wrong} of {n} went wrong")
    return 1 if n_wrong or n_killing < 2 / 3 * n else 0


def _cases(
    kind: str, n: int, start: Callable[[Place], int], generator: random.Random, root: Path
) -> tuple[int, int]:
    """Run some cases; how many went wrong, and how many killed anything."""
    if not n:
        return 0, 0
    space = root / "space.yaml"
    space.write_text(SPACE)
    undisturbed = {
        workers: Place(folder=root / f"{kind}-whole-{workers}", n_workers=workers)
        for workers in (1, 2)
    }
    took_s = []
    for workers, place in undisturbed.items():
        began_s = time.monotonic()
        problem = _ended(start(place), root) or check(kind, place, None)
        assert not problem, f"an undisturbed run with {workers} workers: {problem}"
        took_s.append(time.monotonic() - began_s)
    n_wrong = n_killing = 0
    for number in range(n):
        victim, workers = VICTIMS[number % 3], 1 + (number // 3) % 2
        place = Place(folder=root / f"{kind}-{number}", n_workers=workers)
        # The first run fills caches, and others may have had a busier machine.
        delay_s = generator.random() * min(took_s)
        killed, problem = disturb(place, start, victim, delay_s, generator)
        problem = problem or check(kind, place, undisturbed[1])
        n_wrong, n_killing = n_wrong + bool(problem), n_killing + bool(killed)
        what = f"{victim} killed" if killed else f"no {victim} to kill"
        print(
            f"{kind} {number}: {what} after {delay_s:.2f} s, {workers} workers:"
            f" {problem or 'as wanted'}",
            flush=True,
        )
    return n_wrong, n_killing


def disturb(
    place: Place,
    start: Callable[[Place], int],
    victim: str,
    delay_s: float,
    generator: random.Random,
) -> tuple[list[int], str]:
    """Start, kill, wait, and restart where due: who was killed, and what went wrong or nothing."""
    driver = start(place)
    _wait_for(lambda: False, delay_s)
    if victim == "worker":
        # None may have started yet.
        _wait_for(lambda: bool(_family(driver)[0]) or not _is_alive(driver), 10.0)
    workers, helpers = _family(driver)
    one = generator.sample(workers, min(1, len(workers)))
    victims = {"driver": [driver], "worker": one, "all": [driver, *helpers, *workers]}
    killed = [pid for pid in victims[victim] if _is_alive(pid)]
    for pid in killed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    problem = _ended(driver, place.folder, must_be_well=victim == "worker")
    if not problem and not _wait_for(lambda: not any(map(_is_alive, workers)), 20.0):
        problem = "workers outlived their driver"
    has_ended = any(not (run / "state" / "open").exists() for run in place.runs())
    return killed, problem or ("" if has_ended else _ended(start(place), place.folder))


def check(kind: str, place: Place, undisturbed: Place | None) -> str:
    """What is wrong with the outcome of a case, compared also with an undisturbed run.

    The undisturbed run has one worker.
    """
    runs = place.runs()
    if len(runs) != 1:
        return f"{len(runs)} runs, wanted 1"
    if (runs[0] / "state" / "open").exists():
        return "the run has not ended"
    rows = table(place)
    if len({row["trial_id"] for row in rows}) != len(rows):
        return "a trial is there twice"
    if undisturbed is not None:
        wanted = table(undisturbed)
        if len(rows) != len(wanted):
            return (
                f"{len(rows)} trials, wanted {len(wanted)}:"
                f" {Counter((row['bracket'], row['rung']) for row in rows)}"
            )
        if place.n_workers == 1 and rows != wanted:
            return (
                f"{sum(a != b for a, b in zip(rows, wanted, strict=True))} of {len(rows)} trials"
                " differ"
            )
        if place.n_workers == 1 and scores(runs[0]) != scores(undisturbed.runs()[0]):
            return "the retrained models have other scores"
    return _wrong_curves(runs[0], rows) if kind == "fake" else ""


def scores(run: Path) -> list[list[float]]:
    """Test log loss of each retrained model and seed."""
    models = json.loads((run / "results.json").read_text(encoding="utf-8"))["models"]
    return [[one["test"]["log_loss"] for one in model["runs"]] for model in models]


def _wrong_curves(run: Path, rows: list[Row]) -> str:
    """Compare every score with what its setting and seed must give."""
    from tuner.execution.seeds import TRIALS, task_seed
    from tuner.store.trial_tables import TrialTables

    trials = {trial.trial_id: trial for trial in TrialTables(run).read()}
    fixed = {"conv_blocks": 1, "dense_units": 8}
    for row in rows:
        trial = root = trials[row["trial_id"]]
        while root.parent_id is not None:
            if root.parent_id not in trials:
                return f"trial {root.trial_id} has lost its parent"
            root = trials[root.parent_id]
        seed = task_seed(0, TRIALS, int(root.trial_id), 0, 0)
        found = [epoch.metrics["val_accuracy"] for epoch in trial.epochs]
        must = training.curve(seed, trial.first_epoch, trial.last_epoch, {**fixed, **trial.values})
        if found != ([] if training.fails(seed) else must):
            return f"trial {trial.trial_id} has other scores than its setting gives"
    return ""


def table(place: Place) -> list[Row]:
    """trials.csv without the durations, in the order of the trials."""
    (run,) = place.runs()
    with open(run / "trials.csv", newline="", encoding="utf-8") as file:
        rows = [{k: v for k, v in row.items() if k != "duration_s"} for row in csv.DictReader(file)]
    return sorted(rows, key=lambda row: row["trial_id"])


def forked(place: Place) -> int:
    """Start a driver with made-up trainings; its process id."""
    place.folder.mkdir(exist_ok=True)
    return started(lambda: _drive(place), place.folder / "chatter.txt")


def _drive(place: Place) -> None:
    from tuner.commands.run import run
    from tuner.execution.execution_options import ExecutionOptions
    from tuner.execution.stop import StopRequest
    from tuner.pipeline.run_options import RunOptions

    options = RunOptions(
        dataset="digits",
        space=place.folder.parent / "space.yaml",
        limit=60,
        search_only=True,
        out=place.out,
        data_dir=place.folder.parent / "data",
        execution=ExecutionOptions(workers=place.n_workers),
        command="python -m tuner run digits",
    )
    run(options, lambda event: None, StopRequest())


def called(place: Place) -> int:
    """Start a whole command with real trainings; its process id."""
    place.folder.mkdir(exist_ok=True)
    arguments = [
        *("run", "digits", "--space", str(place.folder.parent / "space.yaml"), "--limit", "60"),
        *(
            "--workers",
            str(place.n_workers),
            "--out",
            str(place.out),
            "--data-dir",
            str(place.folder.parent / "data"),
        ),
    ]
    with open(place.folder / "chatter.txt", "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tuner", *arguments], stdout=log, stderr=log
        ).pid


def _load_everything() -> None:
    """Import what drivers and workers need, and put the made-up training in place.

    This runs no operation of a framework.
    """
    import tuner.backend.active
    import tuner.execution.process.process_executor
    import tuner.execution.process.start
    import tuner.report.page
    import tuner.search.loop
    import tuner.training.fit

    # It makes the digits; each driver would take two seconds for it otherwise.
    importlib.import_module("sklearn.datasets")
    tuner.training.fit.run_task = training.run_task  # type: ignore[assignment]
    tuner.backend.active.prepare_devices = lambda n_threads: None
    tuner.execution.process.process_executor.default_start_method = lambda: "fork"  # type: ignore[assignment]
    tuner.execution.process.start.default_start_method = lambda: "fork"


def _family(driver: int) -> tuple[list[int], list[int]]:
    """The workers of a driver, and the processes of Python's own that serve them."""
    workers: list[int] = []
    helpers: list[int] = []
    with suppress(psutil.Error):
        for child in psutil.Process(driver).children(recursive=True):
            line = " ".join(child.cmdline())
            serves = "resource_tracker" in line or ("forkserver" in line and child.ppid() == driver)
            (helpers if serves else workers).append(child.pid)
    return workers, helpers


def _is_alive(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def _ended(pid: int, folder: Path, *, must_be_well: bool = True) -> str:
    """Wait for a driver's end; what is wrong with it, or nothing."""
    found: list[int] = []

    def has_ended() -> bool:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found.append(os.waitstatus_to_exitcode(status))
        return bool(ended)

    if not _wait_for(has_ended, DEADLINE_S):
        os.kill(pid, signal.SIGKILL)
        return "it does not end"
    if not must_be_well or not found[0]:
        return ""
    return (
        f"it ended with {found[0]}: {(folder / 'chatter.txt').read_text(errors='replace')[-2000:]}"
    )


def _wait_for(condition: Callable[[], bool], deadline_s: float) -> bool:
    """Whether something has come true in time."""
    end_s = time.monotonic() + deadline_s
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(0.005)
    return condition()


if __name__ == "__main__":
    sys.exit(main())
