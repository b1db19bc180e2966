"""Scores of the retrainings on the opened test images, once per trained model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tuner.backend.active import predictor
from tuner.evaluation.kept_model import KeptModel
from tuner.evaluation.sealed import OpenedTest
from tuner.metrics.probabilities import ScoreError
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult, SeedResult
from tuner.space.constraints import NOT_KNOWN
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model


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
    takes = kept.footprint if runs and kept else NOT_KNOWN
    result = ModelResult(
        name=contender.name,
        title=contender.title,
        note=contender.note,
        in_verdict=contender.in_verdict,
        model=contender.model,
        values=contender.values,
        n_parameters=takes.n_parameters,
        file_size_bytes=takes.file_bytes,
        latency_ms=takes.latency_ms,
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
