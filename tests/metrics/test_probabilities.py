"""Outputs that are no probability distributions are refused, whatever is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tuner.metrics.probabilities import ScoreError, checked_probabilities


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            [[0.5, 0.5], [np.nan, np.nan]],
            "the model's probabilities are not finite for 1 of 2 images",
        ),
        ([[np.inf, 0.0]], "the model's probabilities are not finite for 1 of 1 images"),
        (
            [[322.9, 12.0]],
            "the model's outputs are no probabilities: they are negative, or do not sum to 1",
        ),
        ([[1.5, -0.5]], "the model's outputs are no probabilities"),
        ([[0.4, 0.4]], "the model's outputs are no probabilities"),
        (
            [[0.3, 0.3, 0.4]],
            "the model's outputs are 1 x 3 numbers; expected 2, one for each class",
        ),
        ([0.5, 0.5], "the model's outputs are 2 numbers; expected 2"),
        ([["a", "b"]], "the model's outputs are 0 numbers"),
    ],
)
def test_what_is_no_distribution_is_refused(found: Any, message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        checked_probabilities(found, 2)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize(
    "found", [[[0.25, 0.75]], [[1.0, 0.0], [0.0, 1.0]], [[0.501, 0.501]], np.empty((0, 2))]
)
def test_what_is_one_passes_with_the_rounding_of_16_bits(found: Any) -> None:
    np.testing.assert_array_equal(
        checked_probabilities(found, 2), np.asarray(found, dtype=np.float64)
    )
