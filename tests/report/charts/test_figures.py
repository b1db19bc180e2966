"""Charts as SVG."""

from __future__ import annotations

from tuner.report.charts import figures
from tuner.report.charts.svg import TUNED


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
