#!/usr/bin/env python3
"""What a first look hands over: `run NAME --preset quick`, a line for each data set and seed.

    python benchmarks/first_look.py [NAMES ...] [--seeds 3] [--preset quick] [--time-budget 20m]

Without names: the two data sets that need no files, then the five real ones. Each line tells, in
percent, the mean validation score of winner and baseline, their test accuracy, the verdict, and the
recommended model with its test accuracy beside the best test accuracy of all rows; then whether
the winner names one class only. Exits with 1 where a winner is behind the baseline on validation or
names one class only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from plan_accuracy import NAMES

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print a line per run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--time-budget")
    options = parser.parse_args()
    are_good = [
        look(name, seed, options) for name in options.names for seed in range(options.seeds)
    ]
    if not all(are_good):
        sys.exit(1)


def look(name: str, seed: int, options: argparse.Namespace) -> bool:
    """Run and print; whether the winner is no worse than the baseline, and no constant."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "tuner", "run", name, "--preset", options.preset]
        command += ["--seed", str(seed), "--fresh", "-q", "--out", out]
        command += ["--time-budget", options.time_budget] if options.time_budget else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        (folder,) = (Path(out) / name).iterdir()
        results = json.loads((folder / "results.json").read_text())
    models = {model["name"]: model for model in results["models"] if model["runs"]}
    validation = {row: average(model, "validation_score") for row, model in models.items()}
    test = {row: mean(run["test"]["accuracy"] for run in m["runs"]) for row, m in models.items()}
    names_one_class = any(is_constant(run["test"]["confusion"]) for run in models["tuned"]["runs"])
    used = results["recommendation"]["model"]
    difference = next(d for d in results["differences"] if d["opponent"] == "baseline")
    points = [f"{100 * difference['accuracy'][key]:+.1f}" for key in ("value", "low", "high")]
    print(
        f"{name}, seed {seed}: validation {validation['tuned']:.3f} against"
        f" {validation['baseline']:.3f}; test {test['tuned']:.1%} against {test['baseline']:.1%},"
        f" {difference['verdict']} ({points[0]} [{points[1]}, {points[2]}]);"
        f" use {used} {test[used]:.1%} (best row {max(test.values()):.1%});"
        f" {'NAMES ONE CLASS; ' if names_one_class else ''}"
        f"{len(models['tuned']['runs'])} seeds, {results['run']['duration_s']:.0f} s",
        flush=True,
    )
    return validation["tuned"] >= validation["baseline"] and not names_one_class


def average(model: dict[str, Any], name: str) -> float:
    """The mean of a number over the trainings of a model."""
    return mean(run[name] for run in model["runs"])


def is_constant(confusion: list[list[int]]) -> bool:
    """Whether one class was named for all images."""
    return sum(any(row[column] for row in confusion) for column in range(len(confusion))) == 1


if __name__ == "__main__":
    main()
