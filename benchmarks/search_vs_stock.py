"""Search time of Keras Tuner against `python -m tuner run --search-only`, on the same space.

It is wall time, and Keras Tuner is used as its guide shows it.

    python benchmarks/search_vs_stock.py [--bench FOLDER] [--csv datasets/data/fer2013/fer2013.csv]
    [--seeds 3]

Every setting of fixed_cost.yaml costs the same per step, and both run 23 trials and 75 epochs on
the same images. They take turns, each in a process of its own; what counts is the search alone,
without imports and reading of data. Our workers import the framework while the data are read, and
may not be ready when the search begins: `imports_s` is that wait, which is left out of `search_s`
as the other side's imports are; the second ratio counts it in. Then the time to quality: seconds
until each has an epoch as good as the best one of the other's whole search. Then where our time
goes: of n workers' wall time, the share in epochs, in building and tracing models, and idle. Run it
on an idle machine: of two busy cores, both searches get an unknown share.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scipy.stats import t

ROOT = Path(__file__).resolve().parent.parent

# Seconds since the search began, and the best val_accuracy until then.
Rises = list[tuple[float, float]]


def main() -> None:
    """Print a line per search, then ratios and shares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench")
    parser.add_argument(
        "--csv", type=Path, default=ROOT / "datasets" / "data" / "fer2013" / "fer2013.csv"
    )
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    pairs = []
    for seed in range(1, options.seeds + 1):
        theirs, their_rises = stock(options.bench, options.csv, seed)
        own, own_rises = ours(options.bench, options.csv, seed)
        pairs.append((theirs, own))
        for name, found in zip(("stock", "ours"), pairs[-1], strict=True):
            print(f"seed {seed}, {name:5}: {json.dumps(found)}", flush=True)
        print(f"seed {seed}, time to quality: {to_quality(their_rises, own_rises)}", flush=True)
    show("search wall time", [one["search_s"] / other["search_s"] for one, other in pairs])
    waited = [one["search_s"] / (other["search_s"] + other["imports_s"]) for one, other in pairs]
    show("with our wait for imports, not theirs", waited)
    for name, found in zip(("stock", "ours"), zip(*pairs, strict=True), strict=True):
        scores = [one["best_val_accuracy"] for one in found]
        print(
            f"best val_accuracy, {name}: mean {statistics.mean(scores):.3f} ({min(scores):.3f} to"
            f" {max(scores):.3f})"
        )
    if len(pairs) > 1:
        print(within_noise([b["best_val_accuracy"] - a["best_val_accuracy"] for a, b in pairs]))


def within_noise(differences: list[float]) -> str:
    """The mean difference of the best scores, ours - stock, with the t interval of 95 %."""
    mean = statistics.mean(differences)
    half = float(t.ppf(0.975, len(differences) - 1)) * statistics.stdev(differences)
    half /= len(differences) ** 0.5
    word = "within" if abs(mean) <= half else "beyond"
    return (
        f"best val_accuracy, ours - stock, paired t test: {mean:+.4f}"
        f" [{mean - half:+.4f}, {mean + half:+.4f}], {word} noise"
    )


def show(name: str, ratios: list[float]) -> None:
    """Print the median of some ratios, and their range."""
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"stock / ours, {name}: median {statistics.median(ratios):.2f} ({spread})")


def to_quality(stock_rises: Rises, own_rises: Rises) -> str:
    """When each has an epoch as good as the best of the other's whole search."""
    told = []
    for name, rises, other in (("ours", own_rises, stock_rises), ("stock", stock_rises, own_rises)):
        goal = other[-1][1]
        reached = next((f"{seconds:.1f} s" for seconds, best in rises if best >= goal), "never")
        told.append(f"{name} reaches the other's {goal:.3f} after: {reached}")
    return "; ".join(told)


def stock(bench: Path, csv: Path, seed: int) -> tuple[dict[str, Any], Rises]:
    """One search by hand-written Keras Tuner."""
    script = [str(bench / "stock_keras_tuner.py"), str(csv), "--seed", str(seed)]
    command = [sys.executable, str(ROOT / "benchmarks" / "stock_clock.py"), *script]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    found, rises = map(json.loads, finished.stdout.splitlines()[-2:])
    return found, rises


def ours(bench: Path, csv: Path, seed: int) -> tuple[dict[str, Any], Rises]:
    """One search by this package, with its default executor."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            *(
                sys.executable,
                "-m",
                "tuner",
                "run",
                "fer2013",
                "--space",
                str(bench / "fixed_cost.yaml"),
            ),
            *("--search-only", "--fresh", "-q", "--seed", str(seed), "--out", out),
            *("--data-dir", str(csv.resolve().parent.parent)),
        ]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        (run,) = (Path(out) / "fer2013").iterdir()
        results = json.loads((run / "results.json").read_text())
        events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    trials = [event["trial"] for event in events if event["event"] == "TrialEnded"]
    searched, n_workers = results["search"], int(results["run"]["hardware"]["workers"])
    imports_s = ready_s(events)
    total_s = n_workers * (searched["duration_s"] - imports_s)
    epochs_s = sum(epoch["duration_s"] for trial in trials for epoch in trial["epochs"])
    found = {
        "trials": len(trials),
        "epochs": searched["n_epochs"],
        "failed": searched["n_failed"],
        "best_val_accuracy": round(searched["best_score"], 4),
        "search_s": round(searched["duration_s"] - imports_s, 2),
        "imports_s": round(imports_s, 2),
        "epochs_share": round(epochs_s / total_s, 3),
        "build_and_trace_share": round(
            (sum(trial["duration_s"] for trial in trials) - epochs_s) / total_s, 3
        ),
        "idle_share": round(1 - sum(trial["duration_s"] for trial in trials) / total_s, 3),
        "precision": results["run"]["hardware"]["precision"],
    }
    return found, rises_of(events, imports_s)


def rises_of(events: list[dict[str, Any]], imports_s: float) -> Rises:
    """When the best score of our search got better; the wait for imports is left out."""
    begun = next(event["time_s"] for event in events if event["event"] == "StageStarted")
    rises: Rises = []
    for event in events:
        score = event["epoch"]["metrics"]["val_accuracy"] if event["event"] == "EpochEnded" else 0
        if score > (rises[-1][1] if rises else 0):
            rises.append((event["time_s"] - begun - imports_s, score))
    return rises


def ready_s(events: list[dict[str, Any]]) -> float:
    """Seconds from the begin of the search until a worker was ready to train."""
    begun = next(event["time_s"] for event in events if event["event"] == "StageStarted")
    ended = [event for event in events if event["event"] == "TrialEnded"]
    return float(min(event["time_s"] - event["trial"]["duration_s"] for event in ended) - begun)


if __name__ == "__main__":
    main()
