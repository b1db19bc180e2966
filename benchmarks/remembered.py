#!/usr/bin/env python3
"""What the winner of a similar data set saves: epochs until a search has the score of one without.

    python benchmarks/remembered.py [--pairs fer2013:facial_expressions ...] [--limit 2000]
        [--seeds 3] [--method hyperband] [--data-dir datasets/data]

For each pair and seed the first data set is searched; then the second, with no known settings to
begin with and with `start_from: [auto]`, everything else alike. A line tells the best validation
score of both searches of the second, and after how many epochs the search with `auto` has the best
score of the one without, of how many epochs that one needed and trained. The epochs that known
settings train count.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS = ("fer2013:facial_expressions", "cats_dogs:happy_sad")
NONE, AUTO = "[]", "[auto]"


def main() -> None:
    """Print a line for each pair and seed, and the median of a pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS), metavar="FIRST:SECOND")
    parser.add_argument("--limit", default="2000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--method", default="hyperband")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "datasets" / "data")
    options = parser.parse_args()
    for pair in options.pairs:
        first, second = pair.split(":")
        shares = [look(first, second, seed, options) for seed in range(options.seeds)]
        print(f"{pair}: median {statistics.median(shares):.2f} of the epochs", flush=True)


def look(first: str, second: str, seed: int, options: argparse.Namespace) -> float:
    """Search three times and print; the epochs with `auto` as a share of those without."""
    with tempfile.TemporaryDirectory() as out:
        searched(first, seed, NONE, Path(out) / "remembered", options)
        without = searched(second, seed, NONE, Path(out) / "without", options)
        remembering = searched(second, seed, AUTO, Path(out) / "remembered", options)
    best = max(score for _, score in without)
    needed, reached = until(without, best), until(remembering, best)
    shown = f"{reached}" if reached is not None else f"never in {remembering[-1][0]}"
    assert needed is not None
    print(
        f"{first} -> {second}, seed {seed}: best {best:.3f} without,"
        f" {max(score for _, score in remembering):.3f} with; {best:.3f} after {needed} epochs of"
        f" {without[-1][0]} without, {shown} with",
        flush=True,
    )
    return (reached if reached is not None else 2 * remembering[-1][0]) / needed


def searched(
    name: str, seed: int, starts: str, out: Path, options: argparse.Namespace
) -> list[tuple[int, float]]:
    """Search; of each ended trial the epochs that were trained by then, and its score."""
    subprocess.run(
        [
            *(sys.executable, "-m", "tuner", "run", name, "--search-only", "--fresh", "-q"),
            *("--limit", options.limit, "--seed", str(seed), "--max-epochs", "9"),
            *("--data-dir", str(options.data_dir), "--out", str(out)),
            *("--set", f"start_from={starts}", "--set", f"search.method={options.method}"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    (folder,) = (out / name).iterdir()
    with open(folder / "trials.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["score"]]
    n_epochs, found = 0, []
    for row in rows:
        n_epochs += int(row["epochs"])
        found.append((n_epochs, float(row["score"])))
    return found


def until(trials: list[tuple[int, float]], score: float) -> int | None:
    """Epochs until a score; None where it is never reached."""
    return next((n for n, found in trials if found >= score), None)


if __name__ == "__main__":
    main()
