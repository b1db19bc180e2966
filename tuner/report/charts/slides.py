"""Charts as files for slides: SVG that needs no font, and PNG; white, with title and caption."""

from __future__ import annotations

import io
import textwrap
import warnings
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D

from tuner.report.charts.figures import Chart, label_text, settings
from tuner.report.charts.svg import BASELINE

# About 1,800 pixels across for a chart of 4.4 inches: sharp on a slide of 1,920.
_DPI = 400
_PAPER = "#ffffff"
_TITLE_SIZE, _CAPTION_SIZE = 10.0, 7.0
# Letters to an inch, at those sizes.
_TITLE_LETTERS, _CAPTION_LETTERS = 12.0, 17.5
# matplotlib brings the first along; the others have the scripts that it lacks, where they are
# installed.
_FONTS = (
    "DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "PingFang SC",
    "Hiragino Sans", "Microsoft YaHei", "Arial Unicode MS",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """A chart as the contents of two files.

    Attributes:
        svg: Self-contained; texts are outlines, so that it looks alike everywhere.
        png: The same in pixels.
        has_all_letters: Whether every letter had a font; one without is drawn as a box.
    """

    svg: bytes
    png: bytes
    has_all_letters: bool


def render_slide(chart: Chart) -> Slide:
    """Draw a chart for slides, the same bytes for the same numbers and fonts."""
    installed = {font.name for font in fontManager.ttflist}
    families = [name for name in _FONTS if name in installed]
    of_slides = {"svg.fonttype": "path", "font.family": families}
    with settings(of_slides), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figure = _figure(chart)
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", facecolor=_PAPER, metadata={"Date": None})
        figure.savefig(png, format="png", facecolor=_PAPER, dpi=_DPI, metadata={"Software": None})
    return Slide(
        svg=svg.getvalue(),
        png=png.getvalue(),
        has_all_letters=not any("missing from" in str(one.message) for one in caught),
    )


def _figure(chart: Chart) -> Figure:
    width, height = chart.size
    title = textwrap.fill(_printable(chart.title), round(width * _TITLE_LETTERS))
    caption = textwrap.fill(_printable(chart.description), round(width * _CAPTION_LETTERS))
    n_lines = title.count("\n") + 1, caption.count("\n") + 1
    more = (1.3 * _TITLE_SIZE * n_lines[0] + 1.3 * _CAPTION_SIZE * n_lines[1] + 6) / 72
    figure = Figure(figsize=(width, height + more))
    axes = figure.add_subplot()
    chart.paint(axes)
    # Over the whole width: over the axes alone a chart with long labels has no room for it.
    figure.suptitle(
        title, x=0.01, ha="left", fontsize=_TITLE_SIZE, fontweight="bold", parse_math=False
    )
    figure.supxlabel(
        caption, x=0.01, ha="left", fontsize=_CAPTION_SIZE, color=BASELINE, parse_math=False
    )
    _add_legend(axes, chart)
    return figure


def _add_legend(axes: Axes, chart: Chart) -> None:
    if not chart.legend:
        return
    handles = [
        Line2D(
            [],
            [],
            color=key.colour,
            marker=key.marker,
            linestyle=key.dash,  # type: ignore[arg-type]
            fillstyle="none" if key.is_hollow else "full",
            markersize=5,
            label=label_text(key.text, 40),
        )
        for key in chart.legend
    ]
    legend = axes.legend(handles=handles, loc="best", fontsize=_CAPTION_SIZE, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
