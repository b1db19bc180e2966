#!/usr/bin/env python3
"""Best validation accuracy against epochs and wall time: our search and Keras Tuner's, real images.

    python benchmarks/equal_epochs.py fer2013 --out FOLDER [--limit 3000] [--epochs 75]
        [--max-epochs 9] [--seeds 3] [--sides ours same bayesian stock ours:METHOD]
        [--data-dir datasets/data]

Each side trains `--epochs` epochs in all, of the same images and on the same validation images, up
to `--max-epochs` of a setting. The sides of a seed run one after another, each with the whole
machine, so load that changes between them falsifies the times; epochs are not affected.

- `ours`: `python -m tuner run NAME --search-only`, with the preset's method and starting settings;
  `ours:METHOD` with another method.
- `same`, `bayesian`, `stock`: Keras Tuner's Hyperband and Gaussian process on the space of ours,
  and its Hyperband on a space as guides show it (`equal_time_peer.py`).

Seconds count from the start of the command: imports and reading of data are part of them. A line
per seed and side tells the best accuracy at 25, 50 and 100 % of the epochs, and the seconds. For
each side of Keras Tuner, it is told after how many epochs and seconds ours has its last score, and
the seconds of the side until it had that score and in all, divided by those of ours. FOLDER/seedN
keeps the lines of epochs; a side whose lines are there is not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean, median

from equal_time import PEER, ROOT, is_tuned, percent

# Seconds since the command was started, and validation accuracy, of each epoch of a search.
Epochs = list[tuple[float, float]]

# Starting settings of the supplied spaces of images with a published baseline.
N_STARTS = 2


def main() -> None:
    """Run each side with each seed, and print what they reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("--epochs", type=int, default=75)
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", default=["ours", "same", "bayesian"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "datasets" / "data")
    options = parser.parse_args()
    found: dict[str, list[Epochs]] = {side: [] for side in options.sides}
    for seed in range(options.seeds):
        folder = options.out / f"seed{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        for side in options.sides:
            epochs = epochs_of(side, seed, folder, options)
            found[side].append(epochs)
            marks = [round(options.epochs * share) for share in (0.25, 0.5, 1)]
            scores = ", ".join(percent(best(epochs[:mark])) for mark in marks)
            print(
                f"seed {seed}, {side}: {scores} at 25, 50 and 100 % of {len(epochs)} epochs;"
                f" {epochs[-1][0]:.0f} s",
                flush=True,
            )
    for side in options.sides:
        means = [
            percent(fmean(best(epochs[: round(options.epochs * share)]) for epochs in found[side]))
            for share in (0.25, 0.5, 1)
        ]
        print(f"{side}, mean over seeds: {', '.join(means)} at 25, 50 and 100 % of the epochs")
    for own in (side for side in options.sides if is_ours(side)):
        for peer in (side for side in options.sides if not is_ours(side)):
            compare(own, peer, found)


def is_ours(side: str) -> bool:
    """Whether a side is a search by this package."""
    return side.partition(":")[0] == "ours"


def epochs_of(side: str, seed: int, folder: Path, options: argparse.Namespace) -> Epochs:
    """The epochs of a side, in the order in which they ended; those of an earlier call are read."""
    file = folder / f"{side.replace(':', '-')}.jsonl"
    if not file.exists():
        run(side, seed, file, options)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    epochs = [(line["s"], line["val_accuracy"]) for line in lines if "s" in line]
    return epochs[: options.epochs]


def run(side: str, seed: int, file: Path, options: argparse.Namespace) -> None:
    """Run a side until its epochs are spent, and write a line for each."""
    command = ["--seed", str(seed), "--max-epochs", str(options.max_epochs)]
    command += ["--data-dir", str(options.data_dir.resolve())]
    command += [] if options.limit is None else ["--limit", str(options.limit)]
    # Under another name until it is whole.
    unfinished = file.with_suffix(".part")
    if not is_ours(side):
        budget = ["--epochs", str(options.epochs), "--to", str(unfinished.resolve())]
        called([sys.executable, str(PEER), side, options.name, *budget, *command], file)
    else:
        ours = [sys.executable, "-m", "tuner", "run", options.name, "--preset", "standard"]
        ours += ["--search-only", "--fresh", "--out", str(file.with_suffix(".run").resolve())]
        # The starting settings, baseline and defaults, come on top of the method's own epochs.
        own = options.epochs - N_STARTS * options.max_epochs
        ours += ["--set", f"search.max_total_epochs={own}"]
        method = side.partition(":")[2]
        ours += ["--set", f"search.method={method}"] if method else []
        begun = time.time()
        called([*ours, *command], file)
        (events,) = file.with_suffix(".run").glob("*/*/events.jsonl")
        unfinished.write_text("".join(lines_of(events, begun)))
    unfinished.rename(file)


def called(command: list[str], file: Path) -> None:
    """Run a command whose output goes to a log beside the file."""
    with file.with_suffix(".log").open("wb") as log:
        subprocess.run(command, check=True, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def lines_of(events: Path, begun: float) -> list[str]:
    """A line of each epoch of a search of ours."""
    ended = [json.loads(line) for line in events.read_text().splitlines()]
    return [
        json.dumps(
            {
                "s": round(event["time_s"] - begun, 2),
                "val_accuracy": event["epoch"]["metrics"]["val_accuracy"],
            }
        )
        + "\n"
        for event in ended
        if event["event"] == "EpochEnded" and is_tuned(event["task_id"])
    ]


def best(epochs: Epochs) -> float:
    """The best validation accuracy."""
    return max(score for _, score in epochs)


def reached(epochs: Epochs, goal: float) -> tuple[int, float] | None:
    """The number and the seconds of the first epoch that is as good; None where none is."""
    return next(((i + 1, s) for i, (s, score) in enumerate(epochs) if score >= goal), None)


def compare(own: str, peer: str, found: dict[str, list[Epochs]]) -> None:
    """Print how much sooner ours has the best score of a side of Keras Tuner."""
    ratios: list[tuple[float, float, float]] = []
    for seed, (ours, theirs) in enumerate(zip(found[own], found[peer], strict=True)):
        goal = best(theirs)
        then, there = reached(ours, goal), reached(theirs, goal)
        if then is None or there is None:
            print(f"seed {seed}: {own} never has the {percent(goal)} of {peer}")
            continue
        ratios.append((len(theirs) / then[0], there[1] / then[1], theirs[-1][0] / then[1]))
        print(
            f"seed {seed}: {own} has the {percent(goal)} of {peer} after {then[0]} epochs,"
            f" {then[1]:.0f} s"
        )
    if ratios:
        epochs, until, whole = (median(one) for one in zip(*ratios, strict=True))
        print(
            f"{peer} / {own}, median of {len(ratios)} of {len(found[own])} seeds: epochs"
            f" {epochs:.1f}, seconds until its best epoch {until:.1f}, of its whole search"
            f" {whole:.1f}"
        )


if __name__ == "__main__":
    main()
