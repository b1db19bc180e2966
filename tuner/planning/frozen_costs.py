"""Seconds that frozen networks take, before their heads can be trained or scored."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.models.backbones.stages import FeatureKey, feature_key, needs_features, trained_part
from tuner.records.contender import Contender
from tuner.training.data import TrainingData

# Images that a frozen network is timed with: a whole batch, since smaller ones are filled up.
_N_TIMED = 64


class FrozenTimes:
    """Seconds that frozen networks take, each timed once.

    Attributes:
        data: What a run trains on; its first images are timed.
    """

    def __init__(self, data: TrainingData) -> None:
        """Begin with none."""
        self.data = data
        self._timed: dict[FeatureKey, tuple[float, float]] = {}

    def of(self, key: FeatureKey) -> tuple[float, float]:
        """Seconds until a network is ready, and then per image."""
        if key not in self._timed:
            self._timed[key] = frozen_s(key.model, key.values(), self.data)
        return self._timed[key]


def features_s(
    settings: Sequence[tuple[str, Mapping[str, Any]]],
    opponents: Sequence[Contender],
    times: FrozenTimes,
    n_test: int,
) -> tuple[float, float, float]:
    """Seconds to compute what heads are trained on, in the search and for opponents, and to score.

    The last ones are taken for each seed.

    Settings with equal features compute them once; features that an earlier run has left are
    computed here all the same.

    Args:
        settings: Model and hyperparameters of those that a search tries first.
        opponents: Of the winner.
        times: Of the networks, on what a run trains on.
        n_test: Test images.
    """
    fold = times.data.folds[0]
    n_seen = len(fold.train) + len(fold.validation)
    opposed = [(contender.model, contender.values) for contender in opponents]
    pairs = [
        (model, values) for model, values in (*settings, *opposed) if needs_features(model, values)
    ]
    n_views: dict[FeatureKey, int] = {}
    for model, values in pairs:
        key = feature_key(model, values)
        n_views[key] = max(n_views.get(key, 1), 2 if values.get("flip") else 1)
    costs = {key: times.of(key) for key in n_views}
    seconds = {
        key: start_s + image_s * n_seen * n_views[key] for key, (start_s, image_s) in costs.items()
    }
    of_search = {feature_key(*pair) for pair in settings if needs_features(*pair)}
    search_s = sum(seconds[key] for key in of_search)
    scored = [costs[feature_key(*pair)] for pair in opposed if trained_part(*pair) != pair[0]]
    scoring_s = sum(start_s + image_s * n_test for start_s, image_s in scored)
    return search_s, sum(seconds.values()) - search_s, scoring_s


def frozen_s(model: str, values: Mapping[str, Any], data: TrainingData) -> tuple[float, float]:
    """Seconds until a frozen network is ready, and then per image."""
    from tuner.training.transfer.extraction import features_of

    images, times_s = data.inputs[data.folds[0].train[:_N_TIMED]], [time.perf_counter()]
    for _ in range(2):
        features_of(images, model, values, data.spec)
        times_s.append(time.perf_counter())
    began_s, ready_s, ended_s = times_s
    return max(0.0, ready_s - began_s - (ended_s - ready_s)), (ended_s - ready_s) / _N_TIMED
