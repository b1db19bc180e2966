"""The two things an epoch loop does with a model, one batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Functions over one batch; images are uint8 (n, height, width, channels) on the 0-255 scale.

    Attributes:
        train: (images, targets), and weights (n,) where they were made with such, -> the compiled
            metrics since `model.reset_metrics()`, as scalars of the backend; weights count in the
            loss only.
        test: (images, targets) -> the same without training.
    """

    train: Callable[..., Mapping[str, Any]]
    test: Callable[[np.ndarray, np.ndarray], Mapping[str, Any]]


def example_outputs(model: Any, images: np.ndarray) -> Any:
    """Something of the form in which a model arranges what it puts out for images (n, ...)."""
    # Only a graph whose outputs are known, and are one tensor, has a shape without being run.
    if getattr(model, "inputs", None) and not isinstance(
        getattr(model, "_outputs_struct", None), list | tuple | dict
    ):
        return np.zeros(model.compute_output_shape(images.shape), dtype="float32")
    return model(images.astype("float32"), training=False)
