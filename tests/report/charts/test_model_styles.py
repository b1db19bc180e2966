"""How models are told apart in charts and legends."""

from __future__ import annotations

import pytest

from tuner.report.charts.model_styles import style_of


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("tuned", "solid"),
        ("tuned_tta", "dashed"),
        ("ensemble", "dashes and dots"),
        ("baseline", "dashed"),
        ("baseline_published", "dashed"),
        ("efficientnet_b2", "dashes and dots"),
        ("convnext_tiny", "dotted"),
        # Of other EfficientNets, the name decides.
        ("efficientnet_b1", "dashed"),
        ("efficientnet_b3", "dotted"),
    ],
)
def test_legends_name_the_line_that_charts_draw(model: str, line: str) -> None:
    assert style_of(model).line == line
