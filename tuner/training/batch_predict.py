"""Predictions for any number of inputs, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tuner.backend.active import policy
from tuner.data.decoding.streaming import Indexed, batches


def predict(
    function: Callable[[np.ndarray], np.ndarray], inputs: Indexed, indices: np.ndarray
) -> np.ndarray:
    """What a model puts out, (len(indices), units), for some of the inputs (n, ...)."""
    return np.concatenate(
        [function(batch) for batch in batches(inputs, indices, policy().predict_batch)]
    )
