"""The Gaussian process over settings and lengths of training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from tuner.search.methods import curve_process
from tuner.search.methods.curve_process import (
    CurveProcess,
    Hyperparameters,
    Scores,
    fitted,
    usual,
)

NAMES = np.array([0, 1, 1])


def scores(n: int = 30, seed: int = 0) -> Scores:
    """Of settings whose first coordinate alone matters, after three lengths of training."""
    rng = np.random.default_rng(seed)
    points, times = rng.random((n, 3)), rng.choice([0.3, 0.6, 1.0], n)
    return Scores(
        points=points,
        times=times,
        settings=np.arange(n),
        values=np.sin(6 * points[:, 0]) + times - 1,
    )


def at_end(points: np.ndarray) -> Scores:
    n = len(points)
    return Scores(points=points, times=np.ones(n), settings=np.full(n, -1), values=np.zeros(n))


def test_the_slope_of_the_likelihood_is_right() -> None:
    known = scores()
    # Some settings have several scores.
    known = replace(known, settings=np.arange(len(known)) // 2)
    squares = np.zeros((2, len(known), len(known)))
    for coordinate, name in zip(known.points.T, NAMES, strict=True):
        squares[name] += (coordinate[:, None] - coordinate) ** 2
    apart = np.abs(known.times[:, None] - known.times)
    same = curve_process._same(known.settings, known.settings)

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        return curve_process._negative_likelihood(
            Hyperparameters(logs), known, squares, apart, same
        )

    logs = usual(2).logs + np.random.default_rng(1).normal(0, 0.3, 8)
    slope = approx_fprime(logs, lambda at: loss(at)[0], 1e-6)
    assert loss(logs)[1] == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_the_posterior_is_that_of_the_textbook() -> None:
    known, asked = scores(12), at_end(np.random.default_rng(2).random((5, 3)))
    at = usual(2)
    a, b, c, d, noise, length = at.others

    def kernel(one: Scores, other: Scores) -> np.ndarray:
        found = np.empty((len(one), len(other)))
        for i in range(len(one)):
            for j in range(len(other)):
                off = (one.points[i] - other.points[j]) / at.lengths[NAMES]
                r = np.sqrt(5 * off @ off)
                e = np.exp(-abs(one.times[i] - other.times[j]) / length)
                matern = (1 + r + r * r / 3) * np.exp(-r)
                is_same = one.settings[i] == other.settings[j] >= 0
                found[i, j] = matern * (a + b * e) + c * e + d * is_same
        return found

    inverse = np.linalg.inv(kernel(known, known) + (noise + 1e-8) * np.eye(len(known)))
    across = kernel(known, asked)
    mean, deviation = CurveProcess(at, NAMES, known).expected(asked)
    # It answers in single precision.
    assert mean == pytest.approx(across.T @ inverse @ known.values, abs=1e-5)
    variance = a + b + c + d - np.sum(across * (inverse @ across), axis=0)
    assert deviation == pytest.approx(np.sqrt(variance), abs=1e-5)


def test_a_fit_finds_what_matters_and_expects_it() -> None:
    known = scores(60)
    at = fitted(known, NAMES, 2)
    assert at.lengths[0] < at.lengths[1] / 2
    asked = at_end(np.random.default_rng(3).random((50, 3)))
    mean, _ = CurveProcess(at, NAMES, known).expected(asked)
    assert np.corrcoef(mean, np.sin(6 * asked.points[:, 0]))[0, 1] > 0.95


def test_a_score_of_the_setting_itself_makes_it_less_uncertain_than_a_twin() -> None:
    known = scores(20)
    own = known.of(np.array([0]))
    asked = replace(own, times=np.ones(1))
    twin = replace(asked, settings=np.array([-1]))
    process = CurveProcess(usual(2), NAMES, known)
    assert process.expected(asked)[1] < process.expected(twin)[1]


def test_believing_is_as_if_the_expected_scores_were_known() -> None:
    known, asked = scores(), at_end(np.random.default_rng(2).random((5, 3)))
    pending = at_end(asked.points[:2] + 0.1)
    before = CurveProcess(usual(2), NAMES, known)
    mean, deviation = before.expected(asked)
    found = replace(pending, values=before.expected(pending)[0])
    after = CurveProcess(usual(2), NAMES, known.and_these(found))
    before.believe(pending)
    assert before.expected(asked)[0] == pytest.approx(mean, abs=1e-5)
    assert before.expected(asked)[0] == pytest.approx(after.expected(asked)[0], abs=1e-5)
    assert before.expected(asked)[1] == pytest.approx(after.expected(asked)[1], abs=1e-5)
    assert (before.expected(asked)[1] < deviation).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_scores_of_one_setting_can_be_fitted(value: float) -> None:
    known = replace(
        scores(40),
        points=np.full((40, 3), 0.5),
        settings=np.zeros(40, dtype=int),
        values=np.full(40, value),
    )
    process = CurveProcess(fitted(known, NAMES, 2), NAMES, known)
    assert np.isfinite(process.expected(at_end(np.full((1, 3), 0.5)))).all()
