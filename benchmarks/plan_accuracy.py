#!/usr/bin/env python3
"""How near the estimate of `plan` comes to the time that `run` takes, as a ratio of the times.

For each data set: plan, run, plan.

    python benchmarks/plan_accuracy.py [NAMES ...] [--preset quick]

Without names: the two data sets that need no files, then the five real ones. Each command is a
process of its own, timed by the wall as a person waits for it; what the run writes is deleted. The
ratio is that of the two plans' mean (geometric) to the measured time: a machine whose pace changes
meanwhile shows as two plans that differ.

The foreign load is how many cores others kept busy during a command. Exits with 1 where a ratio is
beyond 1.5, up or down.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

import psutil

NAMES = (
    "digits",
    "drawn_faces",
    "emoji_happy_sad",
    "happy_sad",
    "cats_dogs",
    "facial_expressions",
    "fer2013",
)
LIMIT = 1.5
POLL_S = 0.5


class Command:
    """A command that has ended.

    Attributes:
        seconds: Wall time.
        foreign_load: Cores that others kept busy meanwhile.
        answer: The last JSON line that it printed.
    """

    def __init__(self, *arguments: str) -> None:
        """Run it."""
        start_s, before_s = time.perf_counter(), all_cpu_s()
        with tempfile.TemporaryFile() as out:
            command = [sys.executable, "-m", "tuner", *arguments, "--json"]
            own_s = watch(psutil.Popen(command, stdout=out, stderr=subprocess.DEVNULL))
            self.seconds = time.perf_counter() - start_s
            self.foreign_load = max(0.0, all_cpu_s() - before_s - own_s) / self.seconds
            out.seek(0)
            self.answer: dict[str, Any] = json.loads(out.read().splitlines()[-1])


def watch(process: psutil.Popen) -> float:
    """Wait for a command to succeed; returns its processor seconds, those of its workers included.

    No process waits for the workers, so their time is sampled while they run.
    """
    own_s: dict[int, float] = {}
    while process.poll() is None:
        with suppress(psutil.Error):
            for one in (process, *process.children(recursive=True)):
                times = one.cpu_times()
                own_s[one.pid] = times.user + times.system
        time.sleep(POLL_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(process.args)} failed with exit code {process.returncode}")
    return sum(own_s.values())


def all_cpu_s() -> float:
    """Processor seconds that the machine has spent on anything."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def middle_s(planned: dict[str, Any]) -> float:
    """The middle of a predicted range."""
    span = planned["forecast"]["total_s"]
    return math.sqrt(span["low"] * span["high"])


def show_plan(command: Command) -> None:
    """Print what a plan predicted."""
    span, share = command.answer["forecast"]["total_s"], command.answer["share"]
    of_a_core = "" if share is None else f", workers got {100 * share:.0f} % of a core each"
    print(
        f"  plan: {span['low']:.0f} to {span['high']:.0f} s{of_a_core}; {took(command)}", flush=True
    )


def took(command: Command) -> str:
    """Time and circumstances."""
    return f"took {command.seconds:.0f} s beside a foreign load of {command.foreign_load:.1f} cores"


def compare(name: str, preset: str) -> float:
    """Plan, run, plan again and print; returns the predicted time as a multiple of the measured."""
    print(name)
    with tempfile.TemporaryDirectory() as folder:
        common = (name, "--preset", preset, "--out", folder)
        show_plan(first := Command("plan", *common))
        print(f"  run:  {took(run := Command('run', *common))}", flush=True)
        show_plan(second := Command("plan", *common))
    ratio = math.sqrt(middle_s(first.answer) * middle_s(second.answer)) / run.seconds
    print(f"  predicted to measured: {ratio:.2f}")
    return ratio


def main() -> int:
    """Compare each data set, then print the worst ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--preset", default="quick")
    arguments = parser.parse_args()
    ratios = [compare(name, arguments.preset) for name in arguments.names]
    worst = max(max(ratio, 1 / ratio) for ratio in ratios)
    print(f"worst: off by a factor of {worst:.2f}; at most {LIMIT}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
