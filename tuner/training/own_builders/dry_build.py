"""A builder of your own tried out before the search.

Its model is built, called, trained for one step, saved and loaded back.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from tuner.backend.steps import example_outputs
from tuner.data.splits.fold import Fold
from tuner.errors import ConfigurationError, TunerError
from tuner.records.error_text import place_in
from tuner.records.image import ImageSpec
from tuner.records.training import TrainResult, TrainTask
from tuner.training.compiled import compiled_model, targets
from tuner.training.data import TrainingData
from tuner.training.finished import (
    finished_model,
    load_finished,
    outputs_of,
    rebuilt,
    save_model,
)
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.own_builders.class_outputs import pixels, reads_logits
from tuner.training.own_builders.model_form import brief, units_of
from tuner.training.own_builders.own_metrics import leave_out_failing
from tuner.training.own_builders.own_step import check_step
from tuner.training.prepared import PreparedModels

_N_IMAGES = 10
_N_SETTINGS = 2


class _BuilderError(Exception):
    """The builder itself has raised; another setting may be built all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _TriedSetting:
    """A setting that is tried out."""

    model: str
    values: Mapping[str, Any]
    spec: ImageSpec


def dry_build(
    model: str, settings: Sequence[Mapping[str, Any]], spec: ImageSpec, objective: str
) -> list[str]:
    """Try out a builder, so that what cannot work is told now and not after the search.

    Two settings are built and called on ten images of random pixels; the first that can be built is
    trained for one step, saved and loaded back. Where neither can be built, the others are tried
    until one can.

    Args:
        model: `package.module:function`.
        settings: Sets of hyperparameters, at least one.
        spec: Shape and classes of the data set.
        objective: The metric that the search optimises.

    Returns:
        What is worth knowing, though it stops nothing; one line each.

    Raises:
        ConfigurationError: If the builder's models cannot be searched, scored or loaded back.
    """
    notices: list[str] = []
    errors: list[str] = []
    is_tried = False
    with warnings.catch_warnings(action="ignore"):
        for number, values in enumerate(_distinct(settings)):
            if is_tried and number >= _N_SETTINGS:
                break
            setting = _TriedSetting(model=model, values=values, spec=spec)
            try:
                built = _build(setting)
            except _BuilderError as error:
                errors.append(str(error))
                continue
            if not is_tried:
                notices += _try_out(setting, built, objective)
                is_tried = True
            keras.backend.clear_session()
    if not is_tried:
        raise ConfigurationError(
            f'model "{model}" cannot be built: {errors[0]}', "fix the builder."
        )
    return notices + [
        f"some settings cannot be built, and their trials will fail: {error}"
        for error in errors[:1]
    ]


def _distinct(settings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return list({repr(sorted(values.items())): values for values in settings}.values())


def _build(setting: _TriedSetting) -> keras.Model:
    try:
        return compiled_model(setting.model, setting.values, setting.spec)
    except TunerError:
        raise
    except (Exception, SystemExit) as error:
        shown = ", ".join(f"{name}={value}" for name, value in setting.values.items())
        given = f" (with {shown})" if shown else ""
        raise _BuilderError(f"{brief(error)}{place_in(traceback.format_exc())}{given}") from error


def _try_out(setting: _TriedSetting, built: keras.Model, objective: str) -> list[str]:
    images = pixels(setting.spec, _N_IMAGES)
    labels = np.arange(_N_IMAGES) % setting.spec.n_classes
    failing = leave_out_failing(built, targets(built, labels), example_outputs(built, images))
    check_step(setting.model, built, keras.backend.backend())
    notices = [
        f"the metric {name} is left out, since it cannot be computed: {reason}"
        for name, reason in failing.items()
    ]
    notices += _weight_notices(setting, built)
    notices += _threshold_notices(built)
    data = TrainingData(
        inputs=images,
        labels=labels,
        folds=(Fold(train=np.arange(_N_IMAGES), validation=np.arange(_N_IMAGES)),),
        spec=setting.spec,
    )
    with TemporaryDirectory(prefix="tuner-dry-") as place:
        folder = Path(place)
        result = _trained(setting, data, folder / "state.npz")
        if result.failure:
            return [
                *notices,
                f"one step on ten images of random pixels failed: {result.failure.reason}",
            ]
        reported = list(result.epochs[0].metrics)
        if objective not in reported:
            _refuse_objective(setting.model, objective, reported, failing)
        return notices + _come_back(setting, folder)


def _weight_notices(setting: _TriedSetting, built: keras.Model) -> list[str]:
    """Notes on weights that do not train, and on those that no seed changes.

    No seed changes them where a builder sets one itself.
    """
    if not built.trainable_variables:
        return ["the model has no trainable weights, so all epochs are the same"]
    keras.utils.set_random_seed(1)
    try:
        other = _build(setting)
    except _BuilderError:
        return []
    _refuse_shared(setting.model, built, other)
    pairs = zip(built.trainable_variables, other.trainable_variables, strict=False)
    if not all(np.array_equal(*map(keras.ops.convert_to_numpy, pair)) for pair in pairs):
        return []
    return [
        "models of one setting begin with the same weights for every seed: retrainings differ"
        " less than with random weights"
    ]


def _refuse_shared(model: str, first: keras.Model, second: keras.Model) -> None:
    known = {id(variable) for variable in first.trainable_variables}
    shared = [one.path for one in second.trainable_variables if id(one) in known]
    if shared:
        raise ConfigurationError(
            f'model "{model}" gives two of its models the same weights to train, {shared[0]}: each'
            " trial would continue the training of the one before",
            "create all layers and load all networks inside of the builder; or freeze what models"
            " share (trainable = False).",
        )


def _trained(setting: _TriedSetting, data: TrainingData, checkpoint: Path) -> TrainResult:
    """Train one epoch of one step the way trials do.

    A loss that is not finite is no mistake of the builder.
    """
    task = TrainTask(
        task_id="dry",
        model=setting.model,
        values=setting.values,
        seed=0,
        first_epoch=1,
        last_epoch=1,
        save_to=checkpoint,
    )
    result = run_task(
        task, data, Hooks(on_epoch=lambda task, epoch: None), PreparedModels(n_kept=0)
    )
    if result.failure and result.failure.kind == "error":
        raise ConfigurationError(
            f'model "{setting.model}" cannot be trained:'
            f" {result.failure.reason}{place_in(result.failure.traceback)}",
            "this was one step on ten images of random pixels; fix the builder, or what it"
            " compiles.",
        )
    return result


def _refuse_objective(
    model: str, objective: str, reported: Sequence[str], failing: Mapping[str, str]
) -> None:
    name = objective.removeprefix("val_")
    validation = [one for one in reported if one.startswith("val_")]
    if name in failing:
        raise ConfigurationError(
            f'model "{model}": the objective is {objective}, but that metric cannot be computed:'
            f" {failing[name]}",
            "fix the metric, or state another objective in the space.",
        )
    other = next((one for one in validation if "acc" in one), "val_loss")
    raise ConfigurationError(
        f'the objective is {objective}, but model "{model}" reports'
        f" {', '.join(validation) or 'no metrics'}",
        (
            f'compile it with metrics=["{name}"], or write objective: {other} in the space.'
            if name in ("accuracy", other.removeprefix("val_"))
            else (
                f"compile it with a metric of the name {name}, or write objective: {other} in the"
                " space."
            )
        ),
    )


def _come_back(setting: _TriedSetting, folder: Path) -> list[str]:
    """Check that what is trained can be put together again.

    Once from a checkpoint, and once from the file that a run keeps.
    """
    what = setting.model, setting.values, setting.spec
    finished, again = (finished_model(*what, folder / "state.npz") for _ in range(2))
    wanted = outputs_of(finished, setting.spec)
    if not _alike(wanted, outputs_of(finished, setting.spec)):
        return [
            "the model's predictions for one image differ from call to call, so its scores"
            " will, too"
        ]
    if not _alike(wanted, outputs_of(again, setting.spec)):
        raise ConfigurationError(
            f'model "{setting.model}" cannot be rebuilt from its weights: its predictions are not'
            " the same then",
            "keep everything that training changes, and all random values, in weights of layers"
            " (self.add_weight).",
        )
    path = save_model(finished, folder / "model.keras", setting.spec)
    try:
        found = outputs_of(rebuilt(path, *what), setting.spec)
    except Exception as error:
        found, reason = wanted + 1, brief(error)
    else:
        reason = "its predictions are not the same then"
    if not _alike(wanted, found):
        # Keras alone may be able to do what its builder is not needed for.
        if path.suffix == ".keras" and _loads_alone(path, setting, wanted):
            return []
        raise ConfigurationError(
            f'model "{setting.model}" cannot be loaded again once it is saved: {reason}',
            "give its own layers get_config() and @keras.saving.register_keras_serializable().",
        )
    if path.suffix == ".keras" and _loads_alone(path, setting, wanted):
        return []
    why = (
        "Keras alone cannot load model.keras, as with layers of your own"
        if path.suffix == ".keras"
        else "Keras cannot describe the model in a file, so model.weights.h5 will hold its weights"
    )
    return [f"{why}; `predict` builds it with {setting.model}: keep that module"]


def _loads_alone(path: Path, setting: _TriedSetting, wanted: np.ndarray) -> bool:
    try:
        return _alike(wanted, outputs_of(load_finished(path, "", {}, setting.spec), setting.spec))
    except Exception:
        return False


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and np.allclose(first, second, atol=1e-3)


def _threshold_notices(model: keras.Model) -> list[str]:
    """A word on accuracy that takes 0.5 for the middle of a logit, which Keras' `accuracy` does."""
    if units_of(model) > 1 or not reads_logits(model, 1):
        return []
    return [
        f"the metric {metric.name} takes logits above {metric.threshold} for class 1; "
        "keras.metrics.BinaryAccuracy(threshold=0.0) is right for logits"
        for metric in getattr(model._compile_metrics, "metrics", [])
        if isinstance(metric, keras.metrics.BinaryAccuracy) and metric.threshold
    ]
