"""The last words of `train`: what was trained, and what was scored on which images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuner.commands.train import TrainedModel
from tuner.report.text import plural


def trained_lines(trained: TrainedModel) -> Iterator[str]:
    """What people read."""
    yield f"Trained on {trained.n_train:,} images; holds the weights of epoch {trained.epochs}."
    test = trained.test
    if trained.validation_score is not None:
        images = plural(trained.n_validation, "validation image")
        yield (
            f"{trained.monitor} {trained.validation_score:.4f} on"
            f" {images}{_then(trained.expected)}."
        )
    else:
        yield (
            "Trained on all images except the test part, so there is no validation score."
            if test
            else "Trained on all images, so there is no score."
        )
    if test is None:
        return
    yield (
        f"Test accuracy {test.accuracy:.4f} on"
        f" {plural(test.n, 'held-out image')}{_then(trained.expected_test)}."
    )
    if test.only_class is not None:
        yield f'The model predicts one class, "{test.only_class}", for every test image.'


def train_ended(trained: TrainedModel) -> dict[str, Any]:
    """The last JSON line."""
    test = trained.test
    return {
        "event": "TrainEnded",
        "model": str(trained.model),
        trained.monitor: trained.validation_score,
        "test_accuracy": test.accuracy if test else None,
        "n_test": test.n if test else 0,
        "only_class": test.only_class if test else None,
    }


def _then(expected: float | None) -> str:
    return "" if expected is None else f"; the recipe's run had {expected:.4f}"
