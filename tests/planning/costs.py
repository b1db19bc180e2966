"""Costs in round numbers, and candidates that train in a moment."""

from __future__ import annotations

from typing import Any

from tests.images import SMALL_CNN, stopping, training_data
from tuner.planning.measure import Candidate, Cost
from tuner.records.contender import Contender


def cost(key: str = "a", build_s: float = 0.0, trace_s: float = 0.0, image_s: float = 1.0) -> Cost:
    return Cost(
        key=key,
        build_s=build_s,
        trace_s=trace_s,
        image_s=image_s,
        step_s=4 * image_s,
        predict_s=image_s / 3,
        checkpoint_bytes=100,
    )


def candidate(**changes: Any) -> Candidate:
    usual: dict[str, Any] = {
        "name": "a",
        "model": "cnn",
        "values": SMALL_CNN,
        "data": training_data(200, 50),
    }
    return Candidate(**usual | changes)


def contender(name: str = "tuned", max_epochs: int = 5, **rule: Any) -> Contender:
    return Contender(
        name=name,
        title=name.title(),
        model="cnn",
        values={},
        max_epochs=max_epochs,
        early_stopping=stopping(**rule),
    )
