"""A trained model: put together from its checkpoint, saved, and loaded again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.utils.naming import reset_uids

from tuner.backend import active
from tuner.backend.active import plain_copy
from tuner.errors import ConfigurationError
from tuner.models.backbones.classifier import copy_head
from tuner.models.backbones.stages import trained_part
from tuner.models.registry import build
from tuner.names import is_own
from tuner.records.image import ImageSpec
from tuner.store.files.leftovers import writer
from tuner.store.model_file import weights_file
from tuner.training.checkpoint import load_checkpoint, put_weights
from tuner.training.own_builders.class_outputs import pixels, with_probabilities
from tuner.training.own_builders.model_form import brief, fit_to, is_graph, one_output


def finished_model(
    model: str,
    values: Mapping[str, Any],
    image_spec: ImageSpec,
    checkpoint: Path,
    *,
    fold: int = 0,
    n_folds: int = 1,
) -> keras.Model:
    """The model of a checkpoint without its optimizer.

    Of a frozen network, checkpoints hold the head alone.

    A model of ours is float32; a builder of your own decides the precision of its own models only.
    One whose loss takes logits gets softmax or sigmoid on top.
    """
    weights = load_checkpoint(checkpoint).weights
    own = weights[fold * len(weights) // n_folds :]
    if is_own(model):
        built, predicting = _own(model, values, image_spec)
        put_weights(built, own)
        return plain_copy(predicting)
    part = trained_part(model, values)
    with active.precision("float32"):
        built = build(model, values, image_spec)
        trained = built if part == model else build(part, values, image_spec)
    put_weights(trained, own)
    if trained is not built:
        copy_head(trained, built)
    return plain_copy(built)


def untrained_model(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> keras.Model:
    """A model as `finished_model` makes it, with the weights that its training would begin with."""
    if is_own(model):
        return plain_copy(_own(model, values, image_spec)[1])
    with active.precision("float32"):
        return plain_copy(build(model, values, image_spec))


def finished_head(
    model: str,
    values: Mapping[str, Any],
    image_spec: ImageSpec,
    checkpoint: Path,
    *,
    fold: int = 0,
    n_folds: int = 1,
) -> keras.Model:
    """The head that a checkpoint of a frozen backbone holds, from features to probabilities."""
    weights = load_checkpoint(checkpoint).weights
    with active.precision("float32"):
        head = build(trained_part(model, values), values, image_spec)
    put_weights(head, weights[fold * len(weights) // n_folds :])
    return plain_copy(head)


def save_model(model: keras.Model, path: Path, image_spec: ImageSpec) -> Path:
    """Save a model to a .keras file, which is whole or not there at all.

    Layers of a class of your own may not be able to say how they were made, or not all of it: such
    a model's weights go into a .weights.h5 beside it, and `load_finished` builds the model anew.

    Args:
        model: From `finished_model`.
        path: The .keras file.
        image_spec: Shape of its images.

    Returns:
        The file that was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = weights_file(path)
    try:
        _whole(path, lambda file: _saved(model, file, image_spec))
    except _NotSavedError:
        _whole(weights, model.save_weights)
        path.unlink(missing_ok=True)
        return weights
    weights.unlink(missing_ok=True)
    return path


def load_finished(
    path: Path, model: str, values: Mapping[str, Any], image_spec: ImageSpec
) -> keras.Model:
    """Load what `save_model` wrote.

    A file that Keras alone cannot load, as with layers of your own or a Lambda, gives the weights
    only: the model is built by its builder. So no code that stands in a file is run.

    Args:
        path: A .keras or .weights.h5 file.
        model: The recipe's.
        values: The recipe's.
        image_spec: The recipe's.

    Raises:
        ConfigurationError: If neither works.
    """
    reason = "it holds only weights" if path.suffix == ".h5" else "it is not a .keras file"
    if path.suffix == ".keras":
        try:
            # Stated, since a session may have switched it off for files of its own.
            loaded = keras.models.load_model(path, compile=False, safe_mode=True)
        # Keras raises errors of many kinds for what it does not know, and for damaged files.
        except Exception as error:
            reason = brief(error)
        else:
            _check_fits(loaded, path, image_spec)
            return loaded
    if not is_own(model):
        raise ConfigurationError(
            f"{path}: cannot be loaded as a Keras model: {reason}", "train it again."
        )
    try:
        return rebuilt(path, model, values, image_spec)
    except Exception as error:
        why = error.message if isinstance(error, ConfigurationError) else brief(error)
        raise ConfigurationError(
            f'{path}: Keras alone cannot load it ({reason}), and "{model}" cannot rebuild it:'
            f" {why}",
            f"run where {model.partition(':')[0]} is the same as when the model was trained.",
        ) from error


def _check_fits(model: keras.Model, path: Path, image_spec: ImageSpec) -> None:
    """Refuse a model of other images or classes than the recipe's."""
    if not is_graph(model):
        fit_to(model, path.as_posix(), image_spec)
        return
    units = 2 if model.output_shape[-1] == 1 else model.output_shape[-1]
    fits = all(
        side in (None, n) for side, n in zip(model.input_shape[1:], image_spec.shape, strict=False)
    )
    if not fits or units != image_spec.n_classes:
        raise ConfigurationError(
            f"{path}: takes images of {model.input_shape[1:]} and predicts {units} classes, but the"
            f" recipe states {image_spec.shape} and {image_spec.n_classes}",
            "give a model that was trained with this recipe.",
        )


def rebuilt(
    path: Path, model: str, values: Mapping[str, Any], image_spec: ImageSpec
) -> keras.Model:
    """The model of your own builder with the weights of a file.

    Raises:
        Exception: Of any kind, from the builder, or where the weights are another network's.
    """
    predicting = _own(model, values, image_spec)[1]
    # Keras reads the weights of a subclassed model only once it counts as built.
    predicting(np.zeros((1, *image_spec.shape), dtype="float32"), training=False)
    predicting.load_weights(path)
    return predicting


def _own(
    model: str, values: Mapping[str, Any], image_spec: ImageSpec
) -> tuple[keras.Model, keras.Model]:
    """What your own builder makes, with weights of any kind; and the same as it predicts."""
    with active.precision():
        reset_uids()
        built = build(model, values, image_spec)
        units = fit_to(built, model, image_spec)
        predicting = with_probabilities(built, model, image_spec, units)
    if predicting is built:
        # Else Keras would save the loss, too, which may be one of your own.
        built.compiled = False
    return built, predicting


class _NotSavedError(Exception):
    """Keras cannot describe the model in a file."""


def _saved(model: keras.Model, file: Path, image_spec: ImageSpec) -> None:
    try:
        model.save(file)
    except OSError:
        raise
    # Layers of your own may describe themselves in any way.
    except Exception as error:
        raise _NotSavedError from error
    if not all(type(layer).__module__.startswith("keras.") for layer in model._flatten_layers()):
        _check_same(model, file, image_spec)


def _check_same(model: keras.Model, file: Path, image_spec: ImageSpec) -> None:
    """Refuse a file that loads as a model that predicts something else.

    A layer may leave settings out of what it saves.
    """
    try:
        loaded = keras.models.load_model(file, compile=False)
    except Exception:
        # Then nobody is misled, and the weights can be read.
        return
    if not np.allclose(outputs_of(model, image_spec), outputs_of(loaded, image_spec), atol=1e-4):
        raise _NotSavedError


def outputs_of(model: keras.Model, image_spec: ImageSpec) -> np.ndarray:
    """What a model puts out for ten images of random pixels, (10, units)."""
    images = pixels(image_spec).astype("float32")
    found: np.ndarray = keras.ops.convert_to_numpy(one_output(model(images, training=False)))
    return found


def _whole(path: Path, write: Any) -> None:
    # Keras decides by the suffix.
    temporary = path.with_name(f".{writer()}-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
