"""Seeds of single trainings, from the one seed of a run."""

from __future__ import annotations

import numpy as np

# What a seed is for: no trial of a search shares one with a retraining.
TRIALS, RETRAININGS = 0, 1


def task_seed(run_seed: int, *path: int) -> int:
    """A seed of 32 bits that descends from the run's, another for every path."""
    # A seed sequence pads with zeros: without its length, the path (1, 0) would be the path (1,).
    return int(np.random.SeedSequence([run_seed, len(path), *path]).generate_state(1)[0])
