"""A trained model: put together from its checkpoint, and saved with plain Keras layers only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tuner.backend.active import plain_copy
from tuner.models.efficientnet import build_extractor, join
from tuner.models.registry import build
from tuner.records.image import ImageSpec
from tuner.training.checkpoint import load_checkpoint, put_weights


def finished_model(model: str, values: Mapping[str, Any], image_spec: ImageSpec, checkpoint: Path) -> keras.Model:
    """The model of a checkpoint without its optimizer; a head is joined to its frozen network."""
    built = build(model, values, image_spec)
    put_weights(built, load_checkpoint(checkpoint).weights)
    if model == "efficientnet_b2_head":
        return join(build_extractor(values, image_spec), built)
    return plain_copy(built)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a model to a .keras file, which is whole or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keras decides by the suffix.
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        model.save(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
