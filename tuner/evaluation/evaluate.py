"""The sealed test set is opened here, after every choice has been made, once per trained model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tuner.backend.active import predictor
from tuner.data.dataset import Dataset
from tuner.metrics.classification import ScoreError, score
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult, SeedResult
from tuner.records.scores import Scores
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model, save_model
from tuner.training.fit import predict

LATENCY_REPEATS = 20


def evaluate(
    contender: Contender, trained: Sequence[Trained], dataset: Dataset, save_to: Path
) -> tuple[ModelResult, dict[str, np.ndarray]]:
    """Score every training of a contender on the test images, and save the one that validated best.

    Args:
        contender: What was trained.
        trained: Its trainings.
        dataset: Holds the sealed test images.
        save_to: Where the model goes.

    Returns:
        The scores, and the test probabilities (n, classes) by `NAME-SEED`.
    """
    good = [t for t in trained if t.result.failure is None]
    kept = max(good, key=lambda t: _rank(contender, t), default=None)
    errors = [t.result.failure.reason for t in trained if t.result.failure]
    runs: list[SeedResult] = []
    predicted: dict[str, np.ndarray] = {}
    latency = n_parameters = size = None
    for training in good:
        model = finished_model(contender.model, contender.values, dataset.spec, training.checkpoint)
        function = predictor(model)
        found = probabilities(predict(function, dataset.images.images, dataset.split.test))
        try:
            runs.append(_seed_result(contender, training, dataset, found, is_kept=training is kept))
        except ScoreError as error:
            # The test images must not choose among trainings: with one that cannot be scored, none is.
            errors, runs, predicted = [error.message], [], {}
            break
        predicted[f"{contender.name}-{training.seed}"] = found
        if training is kept:
            kept_model, kept_function = model, function
    if runs:
        save_model(kept_model, save_to)
        size, n_parameters = save_to.stat().st_size, kept_model.count_params()
        latency = latency_ms(kept_function, dataset)
    result = ModelResult(
        name=contender.name,
        title=contender.title,
        note=contender.note,
        in_verdict=contender.in_verdict,
        model=contender.model,
        values=contender.values,
        n_parameters=n_parameters,
        file_size_bytes=size,
        latency_ms=latency,
        max_epochs=contender.max_epochs,
        runs=tuple(runs),
        error=None if runs else errors[0],
    )
    return result, predicted


def _validation_score(contender: Contender, training: Trained) -> float:
    """The objective in the epoch whose weights were kept."""
    epoch = next(e for e in training.result.epochs if e.epoch == training.result.best_epoch)
    return epoch.metrics[contender.early_stopping.monitor]


def _rank(contender: Contender, training: Trained) -> float:
    score = _validation_score(contender, training)
    return score if contender.early_stopping.direction == "max" else -score


def _seed_result(
    contender: Contender, training: Trained, dataset: Dataset, found: np.ndarray, *, is_kept: bool
) -> SeedResult:
    test, test_distinct = scores_on_test(dataset, found)
    return SeedResult(
        seed=training.seed,
        best_epoch=training.result.best_epoch or 0,
        epochs=training.result.epochs,
        duration_s=training.result.duration_s,
        validation_score=_validation_score(contender, training),
        is_kept=is_kept,
        test=test,
        test_distinct=test_distinct,
    )


def scores_on_test(dataset: Dataset, found: np.ndarray) -> tuple[Scores, Scores | None]:
    """Scores on all test images, and on those that are new where the data give a test part and not all of it is.

    Args:
        dataset: Holds the sealed test images.
        found: Probabilities of the test images, (n, classes).

    Raises:
        ScoreError: If they are no finite probabilities.
    """
    split, classes = dataset.split, dataset.spec.class_names
    labels, distinct = dataset.images.labels[split.test], split.distinct_test
    has_copies = split.is_official and 0 < np.count_nonzero(distinct) < len(labels)
    new = score(labels[distinct], found[distinct], classes) if has_copies else None
    return score(labels, found, classes), new


def latency_ms(function: Callable[[np.ndarray], np.ndarray], dataset: Dataset) -> float:
    """Median time of predicting one image; the first call is left out, since it traces."""
    one = dataset.images.images[dataset.split.test[:1]]
    times = []
    for _ in range(LATENCY_REPEATS + 1):
        start = time.perf_counter()
        function(one)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[1:]))
