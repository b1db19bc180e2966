"""Draws how Hyperband spends its epochs: the picture of docs/budget.md.

Usage, in a checkout:

    python benchmarks/budget_picture.py --figure docs/budget.svg [--max-epochs 27] [--factor 3]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.text import Text

from tuner.search.methods.rungs import Rung, brackets
from tuner.space.search_settings import SearchSettings

COLOURS = (
    *("#0a6cb0", "#d4600a", "#3a7d44", "#7a5195"),
    *("#a8323e", "#00717a", "#8a5a00", "#565656"),
)
HEIGHT = 0.7


def main() -> None:
    """Draw the rungs of each bracket as bars: epochs across, trials as numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-epochs", type=int, default=27)
    parser.add_argument("--factor", type=int, default=3)
    parser.add_argument("--figure", type=Path, required=True)
    args = parser.parse_args()
    settings = SearchSettings(
        method="hyperband", max_epochs=args.max_epochs, factor=args.factor, iterations=1
    )
    mpl.rcParams["svg.hashsalt"] = "tuner"
    figure, axes = plt.subplots(figsize=(8, 3.6))
    planned = brackets(settings)
    drawn = [one for number, rungs in enumerate(planned) for one in bracket(axes, number, rungs)]
    axes.set_yticks(range(len(planned)), [label(n, rungs) for n, rungs in enumerate(planned)])
    axes.invert_yaxis()
    axes.set_xlim(0, args.max_epochs)
    axes.set_xlabel("epoch")
    axes.spines[["top", "right"]].set_visible(False)
    total = sum(rung.n_epochs for rungs in planned for rung in rungs)
    trials = sum(rung.n_trials for rungs in planned for rung in rungs)
    axes.set_title(f"Hyperband {args.max_epochs}/{args.factor}: {trials} trials, {total} epochs")
    figure.tight_layout()
    hide_long_numbers(drawn)
    args.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.figure, metadata={"Date": None})
    for number, rungs in enumerate(planned):
        print(label(number, rungs), [(r.n_trials, r.first_epoch, r.last_epoch) for r in rungs])


def label(number: int, rungs: tuple[Rung, ...]) -> str:
    """A bracket's number and its share of the epochs."""
    return f"bracket {number + 1}\n{sum(rung.n_epochs for rung in rungs)} epochs"


def bracket(axes: Axes, number: int, rungs: tuple[Rung, ...]) -> list[tuple[BarContainer, Text]]:
    """Draw one bar per rung, from its first epoch to its last, and its number of trials."""
    drawn = []
    for depth, rung in enumerate(rungs):
        start = rung.first_epoch - 1
        colour = COLOURS[depth % len(COLOURS)]
        bar = axes.barh(number, rung.n_trial_epochs, HEIGHT, left=start, color=colour)
        middle = start + rung.n_trial_epochs / 2
        n_trials = str(rung.n_trials)
        text = axes.text(middle, number, n_trials, color="white", ha="center", va="center")
        drawn.append((bar, text))
    return drawn


def hide_long_numbers(drawn: list[tuple[BarContainer, Text]]) -> None:
    """Hide each number that is wider than its bar."""
    for bar, text in drawn:
        width = bar.patches[0].get_window_extent().width
        text.set_visible(text.get_window_extent().width <= width)


if __name__ == "__main__":
    main()
