"""Charts as inline SVG in the page's light or dark colours: what they share."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tuner.report.charts.svg import GRID, portable

# Typed loosely: matplotlib's own type of these keys changes with its version.
_DEFAULTS: dict[Any, Any] = {
    name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tuner",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "figure.constrained_layout.use": True,
}


def label_text(text: str, length: int = 30) -> str:
    """A name short enough for an axis; the table beside the chart has it in full."""
    printable = "".join(c for c in text if c.isprintable())
    return printable if len(printable) <= length else f"{printable[: length - 1]}…"


def draw(
    figure_id: str,
    title: str,
    description: str,
    paint: Callable[[Axes], None],
    size: tuple[float, float] = (4.4, 2.7),
) -> Markup:
    """Draw one chart.

    Args:
        figure_id: Unique on the page; prefixes every id inside.
        title: The chart's accessible name.
        description: What it shows, in a sentence.
        paint: Draws on the axes; colours other than the module's constants do not follow the dark
            theme.
        size: Width and height in inches; 4.4 is about a phone's width.

    Returns:
        An `<svg>` element, the same bytes for the same numbers.
    """
    # Not the user's own settings: the page is the same everywhere.
    with matplotlib.rc_context({**_DEFAULTS, **_SETTINGS}), warnings.catch_warnings():
        # Texts are drawn by the browser; matplotlib only measures them, and needs no glyphs of
        # every script.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size)
        paint(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return Markup(portable(buffer.getvalue(), figure_id, title, description))
