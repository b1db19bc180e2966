"""The last words of `train`: what was trained, and what was scored on which images."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from tuner.commands.train import TrainedModel
from tuner.metrics.score_text import percent, score_text
from tuner.report.text import plural


def trained_lines(trained: TrainedModel) -> Iterator[str]:
    """What people read."""
    runs = trained.runs
    yield f"Trained on {trained.n_train:,} images; the weights are those of epoch {trained.epochs}."
    if trained.validation_score is not None:
        images = plural(trained.n_validation, "validation image")
        score = score_text(trained.validation_score, trained.monitor, 2)
        then = score_text(trained.then, trained.monitor, 2) if trained.then is not None else ""
        yield f"{trained.monitor} {score} on {images}{_then(then)}."
    else:
        yield (
            "Trained on all images except the test part, so there is no validation score."
            if runs
            else "Trained on all images, so there is no score."
        )
    if not runs:
        return
    images = plural(runs[0].test.n, "held-out image")
    if len(runs) == 1:
        then = percent(trained.test_then, 2) if trained.test_then is not None else ""
        yield f"Test accuracy {percent(runs[0].test.accuracy, 2)} on {images}{_then(then)}."
    else:
        scores = ", ".join(percent(run.test.accuracy, 2) for run in runs)
        yield (
            f"Test accuracy {percent(trained.test_accuracy, 2)} on {images}, the mean of"
            f" {len(runs)} seeds: {scores}."
        )
    if (only := _only_class(trained)) is not None:
        yield f'The model predicts one class, "{only}", for every test image.'
    yield from _expected_lines(trained)
    folder = shlex.quote(trained.folder.as_posix())
    yield f"Report   {trained.folder.as_posix()}/report.html"
    yield f"Predict  python -m tuner predict {folder} IMAGE"


def _expected_lines(trained: TrainedModel) -> Iterator[str]:
    expected, interval, found = trained.expected, trained.interval, trained.test_accuracy
    if expected is None or interval is None or found is None:
        return
    low, high = interval
    where = "below it" if found < low else "above it" if found > high else "within it"
    share = "at least 95 %" if expected.n_seeds > 1 else "for the noise of the images alone"
    yield (
        f"Expected {percent(low, 2)} to {percent(high, 2)}, {100 * (high - low):.1f} points"
        f" wide ({share}; {plural(expected.n_seeds, 'seed')} of the recipe's run on"
        f" {plural(expected.n_images, 'test image')}): {where}."
    )
    if expected.n_seeds == 1:
        yield "One seed does not show the noise of training: another may lie outside."


def train_ended(trained: TrainedModel) -> dict[str, Any]:
    """The last JSON line."""
    return {
        "event": "TrainEnded",
        "folder": str(trained.folder),
        "model": str(trained.model),
        trained.monitor: trained.validation_score,
        "test_accuracy": trained.test_accuracy,
        "test_accuracies": [run.test.accuracy for run in trained.runs],
        "n_test": trained.runs[0].test.n if trained.runs else 0,
        "expected": list(trained.interval) if trained.interval else None,
        "is_expected": trained.is_expected,
        "only_class": _only_class(trained),
    }


def _only_class(trained: TrainedModel) -> str | None:
    """The one class that the kept model names for all test images."""
    return next((run.test.only_class for run in trained.runs if run.is_kept), None)


def _then(expected: str) -> str:
    return f"; the recipe's run had {expected}" if expected else ""
