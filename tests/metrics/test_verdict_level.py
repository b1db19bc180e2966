"""The published level and coverage of the verdict's test, in one cell of the simulation.

The simulation is benchmarks/verdict_simulation.py.
"""

from __future__ import annotations

import numpy as np

from tuner.metrics.significance import holm, two_level

N, SEEDS, SEED_SD, ACCURACY, RUNS = 400, 3, 0.015, 0.7, 600


def test_equal_models_are_seldom_called_better_and_intervals_hold_the_truth() -> None:
    generator = np.random.default_rng(0)
    # Images are hard or easy for all models alike; seeds shift a model's accuracy.
    difficulty = generator.beta(2.0, 2.0 * (1 - ACCURACY) / ACCURACY, size=(RUNS, 1, 1, N))
    shift = SEED_SD * generator.normal(size=(RUNS, 3, SEEDS, 1))
    right = generator.random((RUNS, 3, SEEDS, N)) < np.clip(difficulty + shift, 0, 1)
    found = [two_level(right[:, 0], right[:, other]) for other in (1, 2)]
    p_values = np.stack([one.p_value for one in found if one.p_value is not None], axis=-1)
    is_better = (holm(p_values) < 0.05) & (np.stack([one.difference for one in found], axis=-1) > 0)
    assert is_better.any(axis=-1).mean() <= 0.05
    # The share of a simulation of 600 runs is known to about two points.
    assert min(((one.low <= 0) & (one.high >= 0)).mean() for one in found) >= 0.93 - 0.02
