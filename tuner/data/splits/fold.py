"""What trains and what validates."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def drawn_fold(fold: Fold, max_train: int | None, seed: int) -> Fold:
    """A fold with at most so many of its training images, drawn at random.

    Args:
        fold: The fold.
        max_train: Training images at most; None for all.
        seed: Of the draw.
    """
    if max_train is None or len(fold.train) <= max_train:
        return fold
    drawn = np.random.default_rng(seed).choice(fold.train, max_train, replace=False)
    return replace(fold, train=np.sort(drawn))
