#!/usr/bin/env python3
"""How near `plan` comes to what `run` then takes: the predicted range, its middle, the measured time, their ratio.

    python benchmarks/plan_accuracy.py [NAMES ...] [--preset quick]

Without names: the two data sets that need no files, then the five real ones. Plan and run follow each other as commands
of their own; what the run writes is deleted. The whole is the wall time of the command, as a person waits for it; the
stages are those of the run's events.

Other work on the machine shows: the load average is printed with each; quote the ratios of a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("digits", "drawn_faces", "emoji_happy_sad", "happy_sad", "cats_dogs", "facial_expressions", "fer2013")
SCORING = "Scoring on the test set"


def call(*arguments: str) -> tuple[float, dict[str, Any]]:
    """Wall seconds of a command, and the last JSON line that it prints."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tuner", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return time.perf_counter() - start, last


def stages_s(folder: Path, total_s: float) -> dict[str, float]:
    """Seconds of a run's stages, by their beginnings: search, retraining, and all else."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    begun = {event["title"]: event["time_s"] for event in events if event["event"] == "StageStarted"}
    first, second, *_ = sorted(begun.values())
    search_s, retraining_s = second - first, begun[SCORING] - second
    return {
        "search_s": search_s,
        "retraining_s": retraining_s,
        "other_s": total_s - search_s - retraining_s,
        "total_s": total_s,
    }


def compare(name: str, preset: str) -> float:
    """Plan, run and print; returns the predicted middle as a multiple of the measured time."""
    with tempfile.TemporaryDirectory() as folder:
        common = [name, "--preset", preset, "--out", folder]
        plan_s, planned = call("plan", *common)
        total_s, ended = call("run", *common)
        measured = stages_s(Path(ended["folder"]), total_s)
    print(f"{name}: plan took {plan_s:.0f} s, load {os.getloadavg()[0]:.1f}")
    for stage, seconds in measured.items():
        span = planned["forecast"][stage]
        print(
            f"  {stage.removesuffix('_s'):10}  predicted {span['low']:.0f} to {span['high']:.0f} s, "
            f"middle {span['middle']:.0f} s; measured {seconds:.0f} s; ratio {span['middle'] / seconds:.2f}",
            flush=True,
        )
    return float(planned["forecast"]["total_s"]["middle"]) / total_s


def main() -> None:
    """Compare each data set, then print the worst ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--preset", default="quick")
    arguments = parser.parse_args()
    ratios = [compare(name, arguments.preset) for name in arguments.names]
    print(f"worst: off by a factor of {max(max(ratio, 1 / ratio) for ratio in ratios):.2f}")


if __name__ == "__main__":
    main()
