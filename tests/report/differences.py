"""Made-up differences for the tests of what speaks of a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuner.records.comparison import Difference, Verdict
from tuner.records.scores import Estimate


def difference(
    verdict: Verdict = "better",
    value: float = 0.06,
    *,
    opponent: str = "baseline",
    margin: float = 0.04,
    **more: Any,
) -> Difference:
    """The winner against another model, with a margin to each side; `more` are other fields."""
    estimate = Estimate(value=value, low=value - margin, high=value + margin)
    made = Difference(
        opponent=opponent,
        n=600,
        n_seeds=(3, 3),
        accuracy=estimate,
        image_sd=0.01,
        seed_sd=0.01,
        degrees_of_freedom=5.0,
        p_value=0.01,
        p_adjusted=0.02,
        verdict=verdict,
        reason="",
        macro_f1=estimate,
        calibration_error=estimate,
        n_only_winner=30,
        n_only_opponent=10,
        mcnemar_p=0.002,
    )
    return replace(made, **more)
