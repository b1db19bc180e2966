#!/usr/bin/env python3
"""Best validation accuracy so far against time: a run of ours and two of Keras Tuner's Hyperband.

    python benchmarks/equal_time.py fer2013 --minutes 90 --out FOLDER [--seed 0]
        [--sides ours same stock] [--limit IMAGES] [--data-dir datasets/data]

The sides run side by side on the same machine, so that each has the same share of its cores: with
three sides, a minute is a third of a minute alone. Each ends after `--minutes`:

- `ours`: `python -m tuner run NAME --time-budget`, the whole run: search, retraining, backbones.
- `same`: `keras_tuner.Hyperband` on the space of ours, whose networks are built by the same code
  from plain Keras layers, and trained by `fit`.
- `stock`: `keras_tuner.Hyperband` on a space as guides show it (`equal_time_peer.py`).

All train and validate on the same images; `--limit` takes fewer, as `run --limit` does. At the
end, each side's model is scored on the test images: of ours the recommended one and the tuned one,
of Keras Tuner `get_best_models()`. A line per side and tenth of the time is printed, and the curves
are written to FOLDER/curves.csv and FOLDER/curves.svg. The validation accuracies are the best of
many epochs, so they flatter all sides, and most the one with the most epochs.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "benchmarks" / "equal_time_peer.py"

# Seconds since the start, imports and reading of data included, and the best accuracy until then.
Rises = list[tuple[float, float]]


def main() -> None:
    """Run the sides, print and draw what they reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sides", nargs="+", default=["ours", "same", "stock"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "datasets" / "data")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    started = {side: start(side, options) for side in options.sides}
    codes = {side: process.wait() for side, process in started.items()}
    found: dict[str, tuple[Rises, str]] = {}
    for side, code in codes.items():
        try:
            found[side] = read(side, options.out)
        # One that failed must not take the others' curves along.
        except (OSError, ValueError, LookupError) as error:
            print(f"{side}: exit {code}; {error!r}; see {options.out / side}.log", flush=True)
    for side, (rises, tests) in found.items():
        print(f"{side}: exit {codes[side]}; test accuracy {tests}", flush=True)
        for tenth in range(1, 11):
            seconds = options.minutes * 6 * tenth
            print(f"  after {seconds / 60:.0f} min: {percent(best_until(rises, seconds))}")
    write_curves({side: rises for side, (rises, _) in found.items() if rises}, options.out)


def start(side: str, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    """One side in a process of its own, whose output goes to FOLDER/SIDE.log."""
    if side == "ours":
        command = [sys.executable, "-m", "tuner", "run", options.name, "--preset", "standard"]
        command += ["--time-budget", f"{options.minutes:g}m", "--seed", str(options.seed)]
        command += ["--fresh", "--out", str(options.out / "runs")]
    else:
        command = [sys.executable, str(PEER), side, options.name, "--minutes"]
        command += [f"{options.minutes:g}", "--seed", str(options.seed)]
        command += ["--to", str(options.out / f"{side}.jsonl")]
    command += ["--data-dir", str(options.data_dir)]
    command += [] if options.limit is None else ["--limit", str(options.limit)]
    with (options.out / f"{side}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def read(side: str, folder: Path) -> tuple[Rises, str]:
    """When a side's best validation accuracy rose, and its test accuracies in words."""
    if side != "ours":
        lines = [json.loads(line) for line in (folder / f"{side}.jsonl").read_text().splitlines()]
        tested = [line["test_accuracy"] for line in lines if "test_accuracy" in line]
        epochs = [(line["s"], line["val_accuracy"]) for line in lines if "s" in line]
        words = f"{', '.join(map(percent, tested))} after {len(epochs)} epochs"
        return rises_of(epochs), words
    run = max((folder / "runs").glob("*/*/events.jsonl")).parent
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    begun = events[0]["time_s"]
    epochs = [
        (event["time_s"] - begun, event["epoch"]["metrics"]["val_accuracy"])
        for event in events
        if event["event"] == "EpochEnded" and is_tuned(event["task_id"])
    ]
    return rises_of(epochs), our_tests(json.loads((run / "results.json").read_text()))


def is_tuned(task_id: str) -> bool:
    """Whether an epoch is of the search or of its winner, not of the baseline or a backbone."""
    return task_id.isdigit() or task_id.startswith("tuned")


def our_tests(results: dict[str, Any]) -> str:
    """The test accuracies of the tuned and of the recommended model."""
    rows = {model["name"]: model["runs"] for model in results["models"] if model["runs"]}
    used = (results["recommendation"] or {"model": "tuned"})["model"]
    means = {
        name: percent(fmean(run["test"]["accuracy"] for run in rows[name]))
        for name in dict.fromkeys(["tuned", used])
    }
    told = ", ".join(f"{name} {text}" for name, text in means.items())
    return f"{told} after {results['search']['n_epochs']} epochs of search; recommended: {used}"


def rises_of(epochs: Iterable[tuple[float, float]]) -> Rises:
    """The epochs that were better than all before them."""
    rises: Rises = []
    for seconds, score in epochs:
        if not rises or score > rises[-1][1]:
            rises.append((seconds, score))
    return rises


def best_until(rises: Rises, seconds: float) -> float | None:
    """The best accuracy until then; None where there is none yet."""
    return max((score for at, score in rises if at <= seconds), default=None)


def percent(share: float | None) -> str:
    """A share as text."""
    return "none yet" if share is None else f"{100 * share:.1f} %"


def write_curves(found: dict[str, Rises], folder: Path) -> None:
    """The rises as a table and as a picture."""
    with (folder / "curves.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["side", "seconds", "best_val_accuracy"])
        table.writerows((side, round(s, 1), v) for side, rises in found.items() for s, v in rises)
    (folder / "curves.svg").write_text(drawn(found))


def drawn(found: dict[str, Rises]) -> str:
    """An SVG picture of the rises as steps, seconds to the right, accuracy upwards."""
    ends = [at for rises in found.values() for at, _ in rises]
    scores = [score for rises in found.values() for _, score in rises]
    last, low, high = max(ends) * 1.02, min(scores), max(scores) + 0.01
    colours = ("#1f6feb", "#d1570c", "#6e7781")

    def place(at: float, score: float) -> str:
        return f"{60 + 560 * at / last:.1f},{330 - 300 * (score - low) / (high - low):.1f}"

    shapes = [
        '<path d="M60 30V330H620" fill="none" stroke="#57606a"/>',
        f'<text x="620" y="350" text-anchor="end">{last / 60:.0f} minutes</text>',
        f'<text x="54" y="334" text-anchor="end">{percent(low)}</text>',
        f'<text x="54" y="40" text-anchor="end">{percent(high)}</text>',
    ]
    for place_in_list, (side, rises) in enumerate(found.items()):
        colour = colours[place_in_list % len(colours)]
        steps = " ".join(stairs(rises, last, place))
        shapes.append(
            f'<polyline points="{steps}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        shapes.append(f'<text x="500" y="{250 + 20 * place_in_list}" fill="{colour}">{side}</text>')
    style = 'font-family="sans-serif" font-size="12" fill="#24292f"'
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" {style}>\n'
        f'<rect width="640" height="360" fill="#fff"/>\n{body}\n</svg>\n'
    )


def stairs(rises: Sequence[tuple[float, float]], last: float, place: Any) -> Iterable[str]:
    """The corners of the steps, up to the right edge."""
    for i, (at, score) in enumerate(rises):
        if i:
            yield place(at, rises[i - 1][1])
        yield place(at, score)
    if rises:
        yield place(last, rises[-1][1])


if __name__ == "__main__":
    main()
