"""The kept model of a contender: validated and saved before the test set is opened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tuner.backend.active import predictor
from tuner.data.splits.fold import fold_of_seed
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.temperature import FittedTemperature, fitted_temperature
from tuner.evaluation.validation_images import Validation
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.models.multiply_adds import counted
from tuner.records.contender import Contender, Trained
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.space.definition import as_cost
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model, save_model

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptModel:
    """The model of the retraining that validated best.

    Attributes:
        training: The retraining.
        model: Plain Keras layers, with its weights.
        function: The model as a function from images to what it puts out.
        file: Where it was saved; None where its outputs for the validation images are no
            probabilities.
        temperature: Fitted on the validation images of its fold; None likewise.
        is_constant: Whether it names one class for all of them, which are of several.
        footprint: What it takes; nothing is known of a model that was not saved.
        found: Probabilities of the validation images of its fold, (n, classes); None of a model
            that was not saved.
    """

    training: Trained
    model: keras.Model
    function: Callable[[np.ndarray], np.ndarray]
    file: Path | None = None
    temperature: FittedTemperature | None = None
    is_constant: bool = False
    footprint: Footprint = NOT_KNOWN
    found: np.ndarray | None = None


def keep_model(
    contender: Contender,
    trained: Sequence[Trained],
    validation: Validation,
    save_to: Path,
    bound_ms: float | None = None,
) -> KeptModel | None:
    """Save the model of the retraining that validated best, with its temperature.

    Args:
        contender: What was trained.
        trained: Its retrainings.
        validation: The images that choose.
        save_to: The .keras file to write.
        bound_ms: As of `latency_ms`.

    Returns:
        The model; None where all retrainings have failed.
    """
    training = kept_training(contender, trained)
    if training is None:
        return None
    spec, fold = validation.spec, fold_of_seed(training.seed, len(validation.rows))
    model = finished_model(contender.model, contender.values, spec, training.checkpoint)
    function = predictor(model)
    outputs = probabilities(predict(function, validation.images, validation.rows[fold]))
    try:
        found = checked_probabilities(outputs, spec.n_classes, "validation images")
    except ScoreError as error:
        # On the test images it is no better, and that is what is told.
        LOG.warning("%s is not kept: %s", contender.title, error.message)
        return KeptModel(training=training, model=model, function=function)
    labels = validation.labels[fold]
    file = save_model(model, save_to, spec)
    one = validation.images[validation.rows[fold][:1]]
    return KeptModel(
        training=training,
        model=model,
        function=function,
        file=file,
        footprint=footprint_of(model, function, file, one, bound_ms),
        temperature=fitted_temperature(labels, found),
        found=found,
        is_constant=names_one_class(found, labels),
    )


def footprint_of(
    model: keras.Model,
    function: Callable[[np.ndarray], np.ndarray],
    file: Path,
    image: np.ndarray,
    bound_ms: float | None = None,
) -> Footprint:
    """What a saved model takes.

    Args:
        model: The model.
        function: The same from images to what it puts out.
        file: Where it was saved.
        image: (1, height, width, channels).
        bound_ms: As of `latency_ms`.
    """
    return Footprint(
        n_parameters=model.count_params(),
        file_bytes=file.stat().st_size,
        latency_ms=latency_ms(function, image, bound_ms),
        multiply_adds=counted(model),
    )


def names_one_class(found: np.ndarray, labels: np.ndarray) -> bool:
    """Whether probabilities (n, classes) name one class for all images, which are of several.

    Args:
        found: The probabilities.
        labels: True class numbers, (n,).
    """
    return len(np.unique(found.argmax(axis=1))) == 1 < len(np.unique(labels))


def kept_training(contender: Contender, trained: Sequence[Trained]) -> Trained | None:
    """The retraining that validated best, whose model a run keeps; the first of equals.

    None where all have failed.
    """
    good = [t for t in trained if t.result.failure is None]
    rule = contender.early_stopping
    return min(
        good,
        key=lambda t: as_cost(t.validation_score(rule.monitor), rule.direction),
        default=None,
    )
