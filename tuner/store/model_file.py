"""The files that a trained model may be in."""

from __future__ import annotations

from pathlib import Path


def weights_file(model: Path) -> Path:
    """Where a model's weights are if Keras cannot describe it in a .keras file.

    The name is, for example, `model.weights.h5`.
    """
    return model.with_suffix(".weights.h5")


def model_file(model: Path) -> Path:
    """The .keras file of a model, or in its place the file of its weights."""
    weights = weights_file(model)
    return weights if weights.is_file() and not model.is_file() else model
