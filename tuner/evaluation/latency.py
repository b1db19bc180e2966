"""How long a model takes for one image."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

REPEATS = 20
# Other work on the machine makes a prediction longer, never shorter: before a model counts as too
# slow it is measured so often.
MOST_MEASURED = 3


def latency_ms(
    function: Callable[[np.ndarray], np.ndarray], image: np.ndarray, bound_ms: float | None = None
) -> float:
    """Median milliseconds of predicting one image.

    Args:
        function: From images to what a model puts out; its first call is left out, since it traces.
        image: (1, height, width, channels).
        bound_ms: Where the median is above it, the least of `MOST_MEASURED` medians counts.
    """
    function(image)
    found = [_median_ms(function, image)]
    while bound_ms is not None and min(found) > bound_ms and len(found) < MOST_MEASURED:
        found.append(_median_ms(function, image))
    return min(found)


def _median_ms(function: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function(image)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))
