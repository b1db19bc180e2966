"""A trial that has ended."""

from __future__ import annotations

from typing import Any

from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial


def make_trial(number: int = 0, **changes: Any) -> Trial:
    usual: dict[str, Any] = {
        "trial_id": f"{number:04d}",
        "values": {"filters": 32, "learning_rate": 1e-05},
        "bracket": 2,
        "rung": 0,
        "parent_id": None,
        "first_epoch": 1,
        "last_epoch": 1,
        "score": 0.1 + 0.2,
        "epochs": (
            EpochMetrics(
                epoch=1, metrics={"loss": 1 / 3, "val_accuracy": 0.1 + 0.2}, duration_s=0.125
            ),
        ),
        "duration_s": 1.5,
        "n_parameters": 1234,
    }
    return Trial(**usual | changes)
