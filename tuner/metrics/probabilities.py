"""What a model puts out, held against what class probabilities are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.errors import TunerError

# float16 outputs are off by as much; logits by far more.
_TOLERANCE = 1e-2


class ScoreError(TunerError):
    """Outputs that are no class probabilities, so that nothing can be told or scored by them."""


def checked_probabilities(
    found: ArrayLike, n_classes: int, images: str = "images"
) -> NDArray[np.float64]:
    """Refuse outputs that are no probability distributions over the classes.

    Args:
        found: What should be probabilities, (n, classes).
        n_classes: Classes that there are.
        images: What the message calls the images.

    Returns:
        The same, as floats, (n, classes).

    Raises:
        ScoreError: If the shape is another one, a value is NaN, infinite or negative, or a row does
            not sum to 1.
    """
    try:
        values = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 2 or values.shape[1] != n_classes:
        raise ScoreError(
            f"the model's outputs are {' x '.join(map(str, values.shape))} numbers; expected"
            f" {n_classes}, one for each class, for each of the {images}",
            "end the model with one softmax unit per class, or with one sigmoid unit for two"
            " classes.",
        )
    n_bad = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
    if n_bad:
        raise ScoreError(
            f"the model's probabilities are not finite for {n_bad:,} of {len(values):,} {images}",
            "its training diverged: use a lower learning rate.",
        )
    is_off = (values < -_TOLERANCE).any(axis=1) | (np.abs(values.sum(axis=1) - 1) > _TOLERANCE)
    if is_off.any():
        raise ScoreError(
            "the model's outputs are no probabilities: they are negative, or do not sum to 1",
            "end the model with softmax, or with one sigmoid unit for two classes; logits cannot be"
            " scored.",
        )
    return values
