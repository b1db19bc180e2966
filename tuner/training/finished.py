"""A trained model: put together from its checkpoint, and saved with plain Keras layers only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tuner.backend import active
from tuner.backend.active import plain_copy
from tuner.models.backbones.classifier import copy_head
from tuner.models.backbones.stages import trained_part
from tuner.models.registry import BUILDERS, build
from tuner.records.image import ImageSpec
from tuner.store.leftovers import writer
from tuner.training.checkpoint import load_checkpoint, put_weights


def finished_model(
    model: str, values: Mapping[str, Any], image_spec: ImageSpec, checkpoint: Path, *, fold: int = 0, n_folds: int = 1
) -> keras.Model:
    """The model of a checkpoint without its optimizer; of a frozen network, checkpoints hold the head alone.

    A model of ours is float32; a person's own builder decides its precision for itself, and for no model after it.
    """
    part = trained_part(model, values)
    with active.precision("float32" if model in BUILDERS else None):
        built = build(model, values, image_spec)
        trained = built if part == model else build(part, values, image_spec)
    weights = load_checkpoint(checkpoint).weights
    put_weights(trained, weights[fold * len(weights) // n_folds :])
    if trained is not built:
        copy_head(trained, built)
    return plain_copy(built)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a model to a .keras file, which is whole or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras decides by the suffix.
    temporary = path.with_name(f".{writer()}-{path.name}")
    try:
        model.save(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
