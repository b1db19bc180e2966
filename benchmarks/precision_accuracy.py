#!/usr/bin/env python3
"""What 16-bit training does to accuracy: whole runs in float32 and in bfloat16, the same seeds.

    python benchmarks/precision_accuracy.py [NAMES ...] [--seeds 5] [--preset quick] [--limit 3000]

For each data set and seed `tuner run` searches and retrains in either precision, one after the
other, with the baseline alone beside the winner. The baseline is one setting, so its difference is
that of the precision; the winner's holds the search as well, which may choose other settings.

Test accuracy of each model, the mean over its retrainings; then the mean of the differences
bfloat16 - float32 over the seeds, in points, with its 95 % interval (t, paired). A trial has
diverged if it failed, or if its last epoch names no class better than chance does while its best
epoch did: both are counted. `--limit` holds for fer2013 alone, which would take hours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from scipy.stats import t

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("digits", "drawn_faces", "fer2013", "cats_dogs")
PRECISIONS = ("float32", "mixed_bfloat16")
# By how much a last epoch may lie above chance and be as good as it.
NEAR_CHANCE = 0.02


def main() -> None:
    """Print a line per run, then a line per data set and model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--limit", type=int, default=3000)
    parser.add_argument("--set", action="append", default=[], help="as of run, to make it shorter")
    options = parser.parse_args()
    told = []
    for name in options.names:
        found: dict[str, list[dict[str, Any]]] = {precision: [] for precision in PRECISIONS}
        for seed in range(options.seeds):
            for precision in PRECISIONS:
                found[precision].append(run(name, seed, precision, options))
                print(f"{name}, seed {seed}, {precision}: {found[precision][-1]}", flush=True)
        told += summary(name, found)
    print("\n".join(told))


def run(name: str, seed: int, precision: str, options: argparse.Namespace) -> dict[str, Any]:
    """Test accuracies by model, trials that diverged, and seconds of search and retrainings."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            *(sys.executable, "-m", "tuner", "run", name, "--preset", options.preset),
            *("--seed", str(seed), "--precision", precision, "--fresh", "-q", "--out", out),
            *("--set", "compare=[baseline]"),
            *(word for change in options.set for word in ("--set", change)),
            *(("--limit", str(options.limit)) if name == "fer2013" else ()),
        ]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        (folder,) = (Path(out) / name).iterdir()
        results = json.loads((folder / "results.json").read_text())
        events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    trials = [event["trial"] for event in events if event["event"] == "TrialEnded"]
    chance = 1 / len(results["data"]["class_names"])
    models = {
        model["name"]: model["runs"]
        for model in results["models"]
        if model["name"] in ("tuned", "baseline") and model["runs"]
    }
    return {
        **{
            name: round(100 * mean(r["test"]["accuracy"] for r in runs), 2)
            for name, runs in models.items()
        },
        **{
            f"{name}, validation": round(mean(r["validation_score"] for r in runs), 4)
            for name, runs in models.items()
        },
        "trials": len(trials),
        "failed": results["search"]["n_failed"],
        "fell back to chance": sum(is_lost(trial["epochs"], chance) for trial in trials),
        "seconds": round(results["run"]["duration_s"], 1),
    }


def is_lost(epochs: list[dict[str, Any]], chance: float) -> bool:
    """Whether a training ended at chance after it had been better."""
    scores = [epoch["metrics"]["val_accuracy"] for epoch in epochs]
    return bool(scores) and scores[-1] <= chance + NEAR_CHANCE < max(scores) - NEAR_CHANCE


def summary(name: str, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Lines with the mean differences and their intervals, and what diverged."""
    float32, bfloat16 = (found[precision] for precision in PRECISIONS)
    lines = []
    for model in ("baseline", "tuned"):
        pairs = [(a[model], b[model]) for a, b in zip(float32, bfloat16, strict=True)]
        differences = [b - a for a, b in pairs]
        average = mean(differences)
        half = (
            t.ppf(0.975, len(pairs) - 1) * stdev(differences) / len(pairs) ** 0.5
            if len(pairs) > 1
            else float("nan")
        )
        before, after = (mean(side) for side in zip(*pairs, strict=True))
        lines.append(
            f"{name}, {model}: float32 {before:.2f} %, bfloat16 {after:.2f} %, difference"
            f" {average:+.2f} points [{average - half:+.2f}, {average + half:+.2f}]"
        )
    sides = [
        f"{precision} {sum(one['failed'] for one in side)} failed,"
        f" {sum(one['fell back to chance'] for one in side)} fell back to chance"
        f" of {sum(one['trials'] for one in side)}"
        for precision, side in found.items()
    ]
    seconds = [sum(one["seconds"] for one in side) for side in found.values()]
    lines.append(f"{name}: {'; '.join(sides)}; float32 / bfloat16 {seconds[0] / seconds[1]:.2f}")
    return lines


if __name__ == "__main__":
    main()
