"""An exported file against its original: what is counted, and what is rejected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tuner.exports.check_record import ExportCheck, Outputs, compare, places
from tuner.metrics.classification import wilson_interval

NAMES = ("cat", "dog")


def outputs(first: list[float]) -> Outputs:
    found = np.array([[share, 1 - share] for share in first])
    return Outputs(found=found, n_bytes=100, latency_ms=1.5)


def check(original: list[float], exported: list[float], allowed: float = 0.0) -> ExportCheck:
    labels = np.array([0, 0, 1, 1])
    return compare(outputs(original), outputs(exported), labels, NAMES, 8, allowed)


def test_equal_outputs_are_accepted() -> None:
    found = check([0.9, 0.8, 0.2, 0.6], [0.9, 0.8, 0.2, 0.6])
    assert (found.n, found.n_test, found.n_equal, found.differing) == (4, 8, 4, 0.0)
    assert found.max_difference == 0
    assert found.is_accepted


def test_differences_are_of_probabilities_and_of_labels() -> None:
    found = check([0.9, 0.8, 0.2, 0.6], [0.9, 0.4, 0.3, 0.6], allowed=0.25)
    assert found.n_equal == 3
    assert found.max_difference == pytest.approx(0.4)
    assert found.mean_difference == pytest.approx((0.4 + 0.1) / 4)
    assert found.differing == 0.25
    assert found.is_accepted


def test_one_label_more_than_allowed_is_rejected() -> None:
    found = check([0.9, 0.8, 0.2, 0.6], [0.9, 0.4, 0.3, 0.4], allowed=0.25)
    assert found.differing == 0.5
    assert not found.is_accepted


def test_as_many_as_allowed_are_accepted_to_the_last_bit() -> None:
    found = replace(check([0.9] * 4, [0.9] * 4, allowed=0.02), n=400, n_equal=392)
    assert found.differing == 0.02
    assert found.is_accepted


def test_both_are_scored_with_their_intervals() -> None:
    found = check([0.9, 0.8, 0.2, 0.6], [0.9, 0.4, 0.2, 0.6], allowed=1.0)
    original, exported = found.original.scores, found.exported.scores
    assert original is not None
    assert exported is not None
    assert (original.accuracy, exported.accuracy) == (0.75, 0.5)
    assert (exported.accuracy_low, exported.accuracy_high) == pytest.approx(wilson_interval(2, 4))


@pytest.mark.parametrize("bad", [float("nan"), 7.0])
def test_outputs_that_are_no_probabilities_are_rejected_whatever_is_allowed(bad: float) -> None:
    original = outputs([0.9, 0.8, 0.2, 0.6])
    broken = Outputs(found=original.found.copy(), n_bytes=1, latency_ms=1.0)
    broken.found[1] = bad
    found = compare(original, broken, np.array([0, 0, 1, 1]), NAMES, 4, 1.0)
    assert not found.is_accepted
    assert "probabilities" in found.problem
    assert found.exported.scores is None
    assert found.original.scores is not None


@pytest.mark.parametrize(
    ("m", "n", "expected"), [(3, 5, [0, 1, 2]), (5, 3, [0, 2, 4]), (1, 1, [0])]
)
def test_places_are_spread_over_all(m: int, n: int, expected: list[int]) -> None:
    assert places(m, n).tolist() == expected


def test_as_many_places_as_asked_for_and_none_twice() -> None:
    found = places(3589, 1000)
    assert len(found) == len(set(found.tolist())) == 1000
    assert (found[0], found[-1]) == (0, 3588)
