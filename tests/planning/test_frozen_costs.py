"""Seconds of frozen networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.images import training_data
from tests.planning.contenders import FROZEN
from tuner.planning import frozen_costs
from tuner.planning.frozen_costs import FrozenTimes, features_s


def test_features_of_a_frozen_backbone_take_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen_costs, "frozen_s", lambda model, values, data: (10.0, 0.5))
    # 64 images train and validate, 24 test.
    found = features_s([], [FROZEN], FrozenTimes(training_data(40, 24)), 24)
    assert found == (0.0, 10 + 0.5 * 64, 10 + 0.5 * 24)


def test_network_that_is_trained_whole_needs_no_features() -> None:
    scratch = replace(FROZEN, values={**FROZEN.values, "weights": "none"})
    settings = [("cnn", {"filters": 4})]
    assert features_s(settings, [scratch], FrozenTimes(training_data(40, 24)), 24) == (
        0.0,
        0.0,
        0.0,
    )


def test_settings_with_equal_features_compute_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[int] = []

    def frozen_s(model: str, values: Any, data: Any) -> tuple[float, float]:
        timed.append(values["input_size"])
        return 1.0, 0.0

    monkeypatch.setattr(frozen_costs, "frozen_s", frozen_s)
    settings = [("efficientnet_b2", {"input_size": size}) for size in (96, 96, 160)]
    found = features_s(settings, [], FrozenTimes(training_data(40, 24)), 24)
    assert (timed, found) == ([96, 160], (2.0, 0.0, 0.0))


def test_what_the_search_has_computed_costs_the_opponents_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frozen_costs, "frozen_s", lambda model, values, data: (10.0, 0.5))
    settings = [(FROZEN.model, FROZEN.values)]
    found = features_s(settings, [FROZEN], FrozenTimes(training_data(40, 24)), 24)
    assert found == (10 + 0.5 * 64, 0.0, 10 + 0.5 * 24)
