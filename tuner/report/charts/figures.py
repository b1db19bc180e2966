"""Charts: what they share, and how the page draws them, as SVG in its light or dark colours."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from tuner.metrics.score_text import is_share
from tuner.report.charts.svg import GRID, portable
from tuner.report.text import short_percent

# Typed loosely: matplotlib's own type of these keys changes with its version.
_DEFAULTS: dict[Any, Any] = {
    name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"
}
_SETTINGS: dict[Any, Any] = {
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
    """A name short enough for an axis; the table beside the chart has it in full.

    What is left out is in its middle: names of blocks differ at their ends.
    """
    printable = "".join(c for c in text if c.isprintable())
    if len(printable) <= length:
        return printable
    n_last = min(4, length // 3)
    return f"{printable[: length - 1 - n_last]}…{printable[-n_last:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend.

    Attributes:
        text: What it stands for; untrusted text.
        colour: Hexadecimal.
        marker: matplotlib's.
        dash: matplotlib's line style.
        is_hollow: Whether the marks are not filled.
    """

    text: str
    colour: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]]
    is_hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that is not drawn yet: a template draws it into the page, others into files.

    Attributes:
        figure_id: Unique on the page; prefixes every id inside.
        title: The chart's accessible name.
        description: What it shows, in a sentence.
        paint: Draws on the axes; colours other than the module's constants do not follow the dark
            theme.
        size: Width and height in inches; 4.4 is about a phone's width.
        legend: For files; the page says it in text.
    """

    figure_id: str
    title: str
    description: str
    paint: Callable[[Axes], None]
    size: tuple[float, float]
    legend: Sequence[Key] = ()

    def __html__(self) -> str:
        """An `<svg>` element, the same bytes for the same numbers."""
        # Not the user's own settings: the page is the same everywhere.
        with settings({"svg.fonttype": "none"}), warnings.catch_warnings():
            # Texts are drawn by the browser; matplotlib only measures them, and needs no glyphs of
            # every script.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure = Figure(figsize=self.size)
            self.paint(figure.add_subplot())
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return portable(buffer.getvalue(), self.figure_id, self.title, self.description)


def axis_name(name: str) -> str:
    """A name short enough for what is written along an axis; never empty."""
    return label_text(name, 22).strip() or "(empty name)"


def label_scores(axis: Axis, objective: str) -> None:
    """Label an axis of the objective, in per cent where it is a share."""
    unit = ""
    if is_share(objective):
        # Ticks are round numbers, which may be closer than two decimals tell apart.
        axis.set_major_formatter(lambda value, _: short_percent(value, 4))
        unit = ", %"
    axis.set_label_text(axis_name(objective) + unit, parse_math=False)


def settings(more: Mapping[Any, Any]) -> Any:
    """Settings of all charts within a `with`, whatever the user's own are."""
    return matplotlib.rc_context({**_DEFAULTS, **_SETTINGS, **more})


def draw(
    figure_id: str,
    title: str,
    description: str,
    paint: Callable[[Axes], None],
    size: tuple[float, float] = (4.4, 2.7),
    legend: Sequence[Key] = (),
) -> Chart:
    """Make a chart; `Chart` says what each argument is."""
    return Chart(
        figure_id=figure_id,
        title=title,
        description=description,
        paint=paint,
        size=size,
        legend=legend,
    )
