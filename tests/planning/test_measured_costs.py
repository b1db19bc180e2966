"""Costs, held against settings and contenders."""

from __future__ import annotations

import pytest

from tests.images import training_data
from tests.planning.contenders import TUNED, stated_baselines
from tuner.errors import SearchError
from tuner.planning.candidates import candidate_of
from tuner.planning.measure import Measured
from tuner.planning.measured_costs import costs_of_settings, with_costs


def test_opponent_that_could_not_be_measured_costs_nothing() -> None:
    compared = [TUNED, *stated_baselines("baseline")]
    measured = Measured(costs={}, failures={"Baseline": "out of memory"}, trained_s=1.0)
    assert [(one.name, cost) for one, cost in with_costs(compared, measured)] == [("tuned", None)]


def test_plan_without_a_setting_that_trains_names_the_first_reason() -> None:
    settings = [candidate_of("setting 1", "cnn", {}, training_data(8, 4))]
    measured = Measured(costs={}, failures={"setting 1": "out of memory"}, trained_s=1.0)
    with pytest.raises(SearchError) as caught:
        costs_of_settings(settings, measured)
    assert caught.value.message == "no setting could be trained; setting 1: out of memory"
