"""What trains and what validates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What trains and what validates.

    Attributes:
        train: Sorted indices into the images, (n,).
        validation: The same for the images that choose among models.
    """

    train: Indices
    validation: Indices


def fold_of_seed(number: int, n_folds: int) -> int:
    """Which fold a retraining has, by the number of its seed: they take turns."""
    return number % n_folds
