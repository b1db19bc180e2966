"""Charts as SVG."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from tuner.report.charts import figures
from tuner.report.charts.svg import TUNED, portable


def test_a_figure_is_the_same_every_time_and_has_no_style() -> None:
    def paint(axes: figures.Axes) -> None:
        axes.plot([1, 2], [1, 2], "o-", color=TUNED)
        axes.set_ylabel("$x$ 表 <b>", parse_math=False)

    chart = figures.draw("fig", "A <title>", "What it shows", paint)
    first, second = (chart.__html__() for _ in range(2))
    assert first == second
    assert "style" not in first
    assert "xlink" not in first
    assert "<title" in first
    assert "A &lt;title&gt;" in first
    assert 'class="stroke-tuned"' in first


@pytest.mark.parametrize(
    ("objective", "label", "tick"),
    [
        ("val_accuracy", "val_accuracy, %", "97.05"),
        ("val_loss", "val_loss", None),
        (" ", "(empty name)", None),
    ],
)
def test_an_axis_of_scores_has_its_unit(objective: str, label: str, tick: str | None) -> None:
    axis = Figure().add_subplot().yaxis
    usual = axis.get_major_formatter()
    figures.label_scores(axis, objective)
    assert axis.get_label_text() == label
    if tick is None:
        assert axis.get_major_formatter() is usual
    else:
        assert axis.get_major_formatter()(0.9705, 0) == tick


@pytest.mark.parametrize(
    ("drawn", "short"),
    [
        ("M 10 20 L 10 80", "M10 20V80"),
        ("M 10 20 L 90 20", "M10 20H90"),
        ("M 10 20 L 10 80 M 30 20 L 30 80", "M10 20V80M30 20V80"),
        ("M 10 20 L 90 80", "M10 20 90 80"),
        ("M 10 20 L 10 80 L 90 80", "M10 20 10 80 90 80"),
        ("M 1 20 L 10 20.04 L 10 80", "M1 20 10 20 10 80"),
    ],
)
def test_only_a_single_vertical_or_horizontal_line_is_written_with_one_number(
    drawn: str, short: str
) -> None:
    source = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{drawn}" stroke="red"/></svg>'
    assert f' d="{short}"' in portable(source, "fig", "A title", "What it shows")
