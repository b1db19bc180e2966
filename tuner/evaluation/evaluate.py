"""Scores of the retrainings on the opened test images, once per trained model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from tuner.backend.active import predictor
from tuner.evaluation.kept_model import KeptModel
from tuner.evaluation.sealed import OpenedTest
from tuner.metrics.probabilities import ScoreError
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult, SeedResult
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model

LATENCY_REPEATS = 20


def evaluate(
    contender: Contender, trained: Sequence[Trained], test: OpenedTest, kept: KeptModel | None
) -> tuple[ModelResult, dict[str, np.ndarray]]:
    """Score every training of a contender on the test images.

    Args:
        contender: What was trained.
        trained: Its trainings.
        test: The test images.
        kept: The model of the one that validated best; None where all have failed.

    Returns:
        The scores, and the test probabilities (n, classes) by `NAME-SEED`.
    """
    good = [t for t in trained if t.result.failure is None]
    errors = [t.result.failure.reason for t in trained if t.result.failure]
    runs: list[SeedResult] = []
    predicted: dict[str, np.ndarray] = {}
    latency = n_parameters = size = None
    for training in good:
        is_kept = kept is not None and training is kept.training
        function = kept.function if kept and is_kept else _function(contender, training, test)
        found = probabilities(predict(function, test.images, test.rows))
        try:
            runs.append(_seed_result(contender, training, test, found, is_kept=is_kept))
        except ScoreError as error:
            # The test images must not choose among trainings: with one that cannot be scored, none
            # is.
            errors, runs, predicted = [error.message], [], {}
            break
        predicted[f"{contender.name}-{training.seed}"] = found
    if runs and kept:
        size = kept.file.stat().st_size if kept.file else None
        n_parameters, latency = kept.model.count_params(), latency_ms(kept.function, test)
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


def _function(
    contender: Contender, training: Trained, test: OpenedTest
) -> Callable[[np.ndarray], np.ndarray]:
    return predictor(
        finished_model(contender.model, contender.values, test.spec, training.checkpoint)
    )


def _seed_result(
    contender: Contender, training: Trained, test: OpenedTest, found: np.ndarray, *, is_kept: bool
) -> SeedResult:
    scores, scores_on_new = test.score(found)
    return SeedResult(
        seed=training.seed,
        best_epoch=training.result.best_epoch or 0,
        epochs=training.result.epochs,
        duration_s=training.result.duration_s,
        validation_score=training.kept_epoch.metrics.get(contender.early_stopping.monitor),
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
