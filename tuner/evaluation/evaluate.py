"""Scores of the retrainings on the opened test images, once per trained model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tuner.backend.active import predictor
from tuner.evaluation.sealed import OpenedTest
from tuner.metrics.probabilities import ScoreError
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult, SeedResult
from tuner.space.definition import as_cost
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model, save_model

LATENCY_REPEATS = 20


def evaluate(
    contender: Contender, trained: Sequence[Trained], test: OpenedTest, save_to: Path
) -> tuple[ModelResult, dict[str, np.ndarray]]:
    """Score every training of a contender on the test images, and save the one that validated best.

    Args:
        contender: What was trained.
        trained: Its trainings.
        test: The test images.
        save_to: Where the model goes.

    Returns:
        The scores, and the test probabilities (n, classes) by `NAME-SEED`.
    """
    good = [t for t in trained if t.result.failure is None]
    kept = kept_training(contender, trained)
    errors = [t.result.failure.reason for t in trained if t.result.failure]
    runs: list[SeedResult] = []
    predicted: dict[str, np.ndarray] = {}
    latency = n_parameters = size = None
    for training in good:
        model = finished_model(contender.model, contender.values, test.spec, training.checkpoint)
        function = predictor(model)
        found = probabilities(predict(function, test.images, test.rows))
        try:
            runs.append(_seed_result(contender, training, test, found, is_kept=training is kept))
        except ScoreError as error:
            # The test images must not choose among trainings: with one that cannot be scored, none
            # is.
            errors, runs, predicted = [error.message], [], {}
            break
        predicted[f"{contender.name}-{training.seed}"] = found
        if training is kept:
            kept_model, kept_function = model, function
    if runs:
        saved = save_model(kept_model, save_to, test.spec)
        size, n_parameters = saved.stat().st_size, kept_model.count_params()
        latency = latency_ms(kept_function, test)
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
        n_failed=len(trained) - len(runs),
        error=None if runs else errors[0],
    )
    return result, predicted


def kept_training(contender: Contender, trained: Sequence[Trained]) -> Trained | None:
    """The retraining that validated best, whose model a run keeps; the first of equals.

    None where all have failed.
    """
    good = [t for t in trained if t.result.failure is None]
    return max(good, key=lambda t: _rank(contender, t), default=None)


def _validation_score(contender: Contender, training: Trained) -> float:
    """The objective in the epoch whose weights were kept."""
    epoch = next(e for e in training.result.epochs if e.epoch == training.result.best_epoch)
    return epoch.metrics[contender.early_stopping.monitor]


def _rank(contender: Contender, training: Trained) -> float:
    score = _validation_score(contender, training)
    return -as_cost(score, contender.early_stopping.direction)


def _seed_result(
    contender: Contender, training: Trained, test: OpenedTest, found: np.ndarray, *, is_kept: bool
) -> SeedResult:
    scores, scores_on_new = test.score(found)
    return SeedResult(
        seed=training.seed,
        best_epoch=training.result.best_epoch or 0,
        epochs=training.result.epochs,
        duration_s=training.result.duration_s,
        validation_score=_validation_score(contender, training),
        is_kept=is_kept,
        test=scores,
        test_distinct=scores_on_new,
    )


def latency_ms(function: Callable[[np.ndarray], np.ndarray], test: OpenedTest) -> float:
    """Median time of predicting one image; the first call is left out, since it traces."""
    one = test.images[test.rows[:1]]
    times = []
    for _ in range(LATENCY_REPEATS + 1):
        start = time.perf_counter()
        function(one)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[1:]))
