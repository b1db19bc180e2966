"""Learning curves: the gap between training and validation in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.report.fixtures import results
from tuner.report.sections import curves


@pytest.mark.parametrize(
    ("training", "validation", "words"),
    [
        (0.95, 0.75, "Clear overfitting (gap 20.0 points)."),
        (0.80, 0.75, "Some overfitting (gap 5.0 points)."),
        (0.76, 0.75, "The two are close: no sign of overfitting (gap 1.0 points)."),
        (0.65, 0.75, "no sign of overfitting (gap −10.0 points)."),
    ],
)
def test_the_overfit_gap_is_put_into_words(training: float, validation: float, words: str) -> None:
    run = results(n_seeds=1)
    seed = run.models[0].runs[0]
    epochs = tuple(
        replace(e, metrics={"accuracy": training, "val_accuracy": validation}) for e in seed.epochs
    )
    model = replace(run.models[0], runs=(replace(seed, epochs=epochs),))
    assert curves.compute(replace(run, models=(model,)))[0].gap.endswith(words)


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        (0.60, " The gap then grew to 40.0 points in epoch 12."),
        (0.95, "no sign of overfitting (gap 0.0 points)."),
    ],
)
def test_overfitting_after_the_kept_epoch_is_not_kept_quiet(validation: float, words: str) -> None:
    run = results(n_seeds=1)
    seed = run.models[0].runs[0]
    first, last = seed.epochs[0], seed.epochs[-1]
    epochs = (
        replace(first, metrics={"accuracy": 0.75, "val_accuracy": 0.75}),
        replace(last, metrics={"accuracy": 1.0, "val_accuracy": validation}),
    )
    model = replace(run.models[0], runs=(replace(seed, epochs=epochs, best_epoch=first.epoch),))
    assert curves.compute(replace(run, models=(model,)))[0].gap.endswith(words)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"flip": True, "shift": 0.1, "mixup": 0.0}, "flip=yes, shift=0.1"),
        ({"imbalance": "balanced_sampling"}, "imbalance=balanced_sampling"),
        ({"imbalance": "class_weights"}, None),
        ({"flip": False, "imbalance": "none"}, None),
    ],
)
def test_training_accuracy_of_changed_images_tells_nothing_of_the_gap(
    values: dict[str, Any], named: str | None
) -> None:
    run = results(n_seeds=1)
    (found,) = curves.compute(replace(run, models=(replace(run.models[0], values=values),)))
    said = f"measured on changed or balanced images ({named}), so the gap has no meaning."
    assert found.gap.endswith(said) is (named is not None)
    assert ("overfitting" in found.gap) is (named is None)


def test_curves_without_accuracy_state_no_gap() -> None:
    run = results(n_seeds=1)
    seed = run.models[0].runs[0]
    epochs = tuple(replace(e, metrics={"loss": 1.0}) for e in seed.epochs)
    (found,) = curves.compute(
        replace(run, models=(replace(run.models[0], runs=(replace(seed, epochs=epochs),)),))
    )
    assert found.gap.endswith("Training accuracy was not recorded, so there is no gap to report.")
    assert list(curves.axis_limits([found])) == ["loss"]
