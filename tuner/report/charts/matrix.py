"""Confusion matrices as charts: the page has tables, slides need pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from tuner.report.charts.figures import Chart, draw, label_text
from tuner.report.charts.svg import EFFICIENTNET, TUNED

# Beyond these the cells have no room for numbers, and the axes none for names.
MAX_NUMBERED, MAX_CLASSES = 20, 60
_SHADES = LinearSegmentedColormap.from_list("shares", ["#ffffff", TUNED])
_SIGNED = LinearSegmentedColormap.from_list("differences", [EFFICIENTNET, "#ffffff", TUNED])
# From this share on a shade is dark enough for white letters.
_DARK = 0.6
_INK, _PAPER = "#1b2026", "#ffffff"


def confusion_chart(
    counts: Sequence[Sequence[int]], class_names: Sequence[str], title: str, number: int
) -> Chart:
    """The confusion matrix of a model, each row shaded by its shares.

    Args:
        counts: Images by true and predicted class, (classes, classes).
        class_names: In the same order.
        title: Of the model.
        number: Makes the chart's id unique.
    """
    images = np.asarray(counts, dtype=np.float64)
    totals = images.sum(axis=1, keepdims=True)
    shares = np.divide(images, totals, out=np.zeros_like(images), where=totals > 0)
    texts = [
        [f"{int(n)}\n{share:.0%}" if n else "0" for n, share in zip(*rows, strict=True)]
        for rows in zip(images, shares, strict=True)
    ]
    return _chart(
        f"matrix{number}",
        f"Confusion matrix, {title}",
        "Rows are true classes, columns are predicted classes. Each cell shows the number of test"
        " images and their share of the row, which is its shade.",
        shares,
        texts,
        class_names,
        signed=False,
    )


def difference_chart(values: Sequence[Sequence[float | None]], class_names: Sequence[str]) -> Chart:
    """The shares of tuned less those of the baseline.

    Args:
        values: Differences of shares, (classes, classes); None where a class has no test images.
        class_names: In the same order.
    """
    differences = np.array([[value or 0.0 for value in row] for row in values])
    texts = [[f"{100 * value:+.0f}" if value else "" for value in row] for row in values]
    return _chart(
        "matrix-difference",
        "Tuned minus baseline, points of each true class",
        "Blue: tuned predicts this class more often. Orange: less often. Blue on the diagonal and"
        " orange elsewhere are improvements.",
        differences,
        texts,
        class_names,
        signed=True,
    )


def _chart(
    figure_id: str,
    title: str,
    description: str,
    shares: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    class_names: Sequence[str],
    *,
    signed: bool,
) -> Chart:
    n = len(class_names)
    names = [label_text(name, 14) for name in class_names]
    reach = max(0.05, float(np.abs(shares).max())) if signed else 1.0

    def paint(axes: Axes) -> None:
        axes.imshow(
            shares, cmap=_SIGNED if signed else _SHADES, vmin=-reach if signed else 0.0, vmax=reach
        )
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        size = 8.0 if n <= MAX_NUMBERED else 4.5
        axes.set_xticks(range(n), names, rotation=90, fontsize=size, parse_math=False)
        axes.set_yticks(range(n), names, fontsize=size, parse_math=False)
        axes.set_xlabel("Predicted")
        axes.set_ylabel("True")
        for row, column in np.ndindex(n, n) if n <= MAX_NUMBERED else ():
            colour = _PAPER if abs(shares[row, column]) > _DARK * reach else _INK
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center",
                fontsize=8.0 if n <= 12 else 5.5,
                color=colour,
            )

    side = min(9.0, 1.6 + (0.42 if n <= MAX_NUMBERED else 0.13) * n)
    return draw(figure_id, title, description, paint, size=(max(3.4, side), max(3.0, side - 0.2)))
