"""Small charts of the score against one hyperparameter."""

from __future__ import annotations

import pytest

from tests.report.sections.test_mattered import trial
from tuner.report.charts import slices
from tuner.report.charts.scales import Scale

TRIALS = [trial(i, 0.5, **{"x": 3}) for i in range(60)]


@pytest.mark.parametrize(
    "scale",
    [
        Scale(name="x", choices=(1, 2, 3, 4)),
        Scale(name="x", low=1, high=5, is_whole=True),
        Scale(name="x", low=1, high=5, is_whole=True, has_off=True),
    ],
)
def test_marks_of_one_value_are_spread_and_stay_near_it(scale: Scale) -> None:
    places = [slices._across(scale, one, number) for number, one in enumerate(TRIALS)]
    distance = scale.place(3) - scale.place(2)
    assert len(set(places)) == len(TRIALS)
    assert max(abs(place - scale.place(3)) for place in places) <= 0.2 * distance


@pytest.mark.parametrize(
    "scale",
    [Scale(name="x", low=1, high=5), Scale(name="x", low=1, high=500, is_whole=True, log=True)],
)
def test_marks_on_a_fine_axis_stand_at_their_value(scale: Scale) -> None:
    places = [slices._across(scale, one, number) for number, one in enumerate(TRIALS)]
    assert places == [scale.place(3)] * len(TRIALS)


def test_scores_that_are_shares_are_labelled_in_per_cent() -> None:
    share = Scale(name="val_accuracy", low=0.2, high=0.8, is_share=True)
    assert [text for _, text in share.ticks] == ["20 %", "40 %", "60 %", "80 %"]
    one = Scale(name="val_accuracy", low=0.970512, high=0.970512, is_share=True)
    assert [text for _, text in one.ticks] == ["97.05 %"]
