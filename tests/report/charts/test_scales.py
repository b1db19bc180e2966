"""Where values stand on an axis."""

from __future__ import annotations

import pytest

from tests.report.sections.test_mattered import INNER, KIND, RATE, trial
from tuner.report.charts.scales import (
    NOT_ACTIVE,
    Scale,
    bound_outliers,
    of_parameter,
    of_scores,
)
from tuner.space.definition import Parameter


def test_a_logarithmic_axis_has_its_middle_at_the_geometric_mean() -> None:
    scale = of_parameter(RATE, [trial(0, 0.5, rate=1e-3)])
    assert [scale.place(value) for value in (1e-4, 1e-3, 1e-2, 1.0)] == pytest.approx(
        [0, 0.5, 1, 1]
    )
    assert [text for _, text in scale.ticks] == ["0.0001", "0.001", "0.01"]


def test_not_active_has_its_own_place_beyond_the_values() -> None:
    numbers = of_parameter(INNER, [trial(0, 0.5, inner=1.0), trial(1, 0.5)])
    assert numbers.place(1.0) < 0.9 < numbers.place(None) == 1.0
    assert numbers.ticks[-1] == (1.0, NOT_ACTIVE)
    choices = of_parameter(KIND, [trial(0, 0.5, kind="lion"), trial(1, 0.5)])
    assert [text for _, text in choices.ticks] == ["sgd", "adam", "lion", NOT_ACTIVE]
    assert [place for place, _ in choices.ticks] == pytest.approx([0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    "scale", [Scale(name="one", low=3.0, high=3.0), Scale(name="only", choices=("a",))]
)
def test_an_axis_with_one_value_has_it_in_the_middle(scale: Scale) -> None:
    assert [place for place, _ in scale.ticks] == [0.5]


@pytest.mark.parametrize(("low", "high", "labels"), [(3, 4, ["3", "4"]), (1, 2, ["1", "2"])])
def test_whole_numbers_have_no_fractions_between_them(
    low: int, high: int, labels: list[str]
) -> None:
    whole = Parameter(name="conv_blocks", kind="int", low=low, high=high)
    scale = of_parameter(whole, [trial(0, 0.5, conv_blocks=low)])
    assert [text for _, text in scale.ticks] == labels


def test_scores_fill_their_axis() -> None:
    scale = of_scores([0.2, 0.4, 0.8], "val_accuracy", "max")
    assert [scale.place(score) for score in (0.2, 0.5, 0.8)] == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize(
    ("direction", "bounded"), [("max", [-5.0, 1, 2, 3, 99]), ("min", [-99.0, 1, 2, 3, 9])]
)
def test_only_scores_on_the_worse_side_are_bounded(direction: str, bounded: list[float]) -> None:
    assert bound_outliers([-99.0, 1, 2, 3, 99], direction).tolist() == bounded
