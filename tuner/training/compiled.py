"""A model with its optimizer, loss and metrics, and labels in the form that its loss takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras.src.utils.naming import reset_uids

from tuner.backend import active, neutral
from tuner.backend.active import backend, plain_copy
from tuner.backend.class_scores import class_scores
from tuner.backend.protocol import Backend
from tuner.errors import ConfigurationError
from tuner.models.registry import build
from tuner.names import is_own
from tuner.records.image import ImageSpec
from tuner.space.definition import Precision
from tuner.space.vocabulary import with_all_defaults
from tuner.training.own_builders.class_outputs import with_probabilities
from tuner.training.own_builders.label_form import form_of, in_form
from tuner.training.own_builders.model_form import fit_to, units_of


def compiled_model(
    model: str,
    values: Mapping[str, Any],
    image_spec: ImageSpec,
    *,
    is_plain: bool = False,
    precision: Precision | None = None,
) -> keras.Model:
    """Build a model and compile it, unless its builder has done so.

    Then its own optimizer, losses and metrics stay.

    Args:
        model: A built-in name or `package.module:function`.
        values: Hyperparameters; those of `TRAINING_TERMS` decide the optimizer and the loss.
        image_spec: Shape and classes.
        is_plain: Whether layers, loss and metrics are Keras' own, so that the model, once saved,
            loads where this package is not installed; it trains more slowly, and every setting
            needs a trace of its own, in float32.
        precision: In which the layers of our models compute; None for what is fast on this
            process's devices. A builder of your own decides for itself.

    Raises:
        ConfigurationError: If the model's outputs do not fit the classes.
    """
    # Layers of your own may not bear another precision than that of their builder, nor may any
    # model after it.
    is_ours = not is_own(model) and not is_plain
    with active.training_precision(precision) if is_ours else active.precision():
        if is_own(model):
            # Keras numbers metrics of a name: what was built before must not make `auc` an `auc_1`.
            reset_uids()
        built = build(model, values, image_spec)
        units = built.output_shape[-1] if not is_own(model) else fit_to(built, model, image_spec)
    if built.compiled:
        _check_compiled(built, model, image_spec, units)
        return built
    values = with_all_defaults(model, values)
    if is_plain:
        built = plain_copy(built)
    loss = _maker(is_plain).crossentropy(values["label_smoothing"], is_binary=units == 1)
    # A saved metric of ours would not load elsewhere either.
    metrics = ["accuracy"] if is_plain else ["accuracy", *class_scores(image_spec.n_classes)]
    if is_own(model):
        # Before it is compiled with a loss that takes probabilities.
        with_probabilities(built, model, image_spec, units)
    built.compile(
        optimizer=optimizer(values, is_plain=is_plain),
        loss=loss,
        metrics=metrics,
        jit_compile="auto" if is_plain else active.uses_xla(),
    )
    return built


def _check_compiled(built: keras.Model, name: str, spec: ImageSpec, units: int) -> None:
    """Refuse what a builder has compiled where it can be neither trained nor scored."""
    if built.optimizer is None:
        raise ConfigurationError(
            f'model "{name}" is compiled without an optimizer of Keras\' own',
            'pass one to compile: super().compile(optimizer="adam", ...).',
        )
    with_probabilities(built, name, spec, units)


def optimizer(values: Mapping[str, Any], *, is_plain: bool = False) -> keras.optimizers.Optimizer:
    """The optimizer of a setting, complete with `TRAINING_TERMS`.

    Keras' own where it is to be plain.
    """
    maker = _maker(is_plain)
    common = {
        "learning_rate": values["learning_rate"],
        "weight_decay": values["weight_decay"] or None,
    }
    match values["optimizer"]:
        case "sgd":
            return keras.optimizers.SGD(momentum=values["momentum"], nesterov=True, **common)
        case "adamw":
            return maker.AdamW(**{**common, "weight_decay": values["weight_decay"]})
        case "rmsprop":
            return keras.optimizers.RMSprop(**common)
        case _:
            return maker.Adam(**common)


def _maker(is_plain: bool) -> Backend:
    """Whose optimizers and losses a model gets."""
    return neutral.BACKEND if is_plain else backend


def targets(model: keras.Model, labels: np.ndarray) -> np.ndarray:
    """Class numbers (n,) in the form that the model's loss takes.

    Returns:
        Class numbers (n,) int32 for a sparse loss; else (n, 1) float32 of 0 and 1 for a model with
            one unit; else
        one-hot (n, classes) float32. A loss of your own is tried with each.
    """
    if labels.min() < 0:
        raise ValueError("a hidden label: a test image is among the training or validation images")
    units = units_of(model)
    return in_form(form_of(model, units), labels, units)


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Class probabilities (n, classes) from softmax (n, classes) or sigmoid (n, 1)."""
    outputs = np.asarray(outputs, dtype="float64")
    return np.concatenate([1 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs
