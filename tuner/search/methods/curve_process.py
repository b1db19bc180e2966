"""A Gaussian process over settings and lengths of training.

The covariance of two scores, one of setting x after r epochs and one of x' after r':

    k = m(x, x') (a + b e) + c e + d [x = x'] + noise [same score],  e = exp(-|t - t'| / l)

where t = log r / log R, and m is the Matern kernel 5/2 with a length for each hyperparameter. Part
`a` of a setting's quality shows at any length of training, part `b` only at about the same one; `c`
is what all settings have in common, `d` what only the scores of one setting share. Swersky et al.
(Freeze-thaw Bayesian optimization, 2014) and Klein et al. (MOBSTER, 2020) model learning curves
with such products. The formulas are in Rasmussen and Williams (Gaussian processes for machine
learning, 2006): chapter 2 has the posterior, 5.4 the likelihood and its gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

Floats = NDArray[np.float64]

_SQRT5 = math.sqrt(5.0)
# Of a, b, c, d, noise and l: median and log standard deviation of the log-normal priors, for scores
# of variance 1.
_MEDIANS = np.array([0.5, 0.25, 0.1, 0.05, 0.02, 0.5])
_SPREADS = np.array([0.8, 0.8, 0.8, 1.0, 1.0, 0.7])
_N_OTHER = len(_MEDIANS)
# Of the lengths: in a cube of d hyperparameters two settings are about sqrt(d / 6) from each other.
_LENGTH = 0.5
_LENGTH_SPREAD = 0.8
_MAX_STEPS = 40
# So far from the median, in standard deviations, that the kernel is positive definite in float64.
_MAX_OFF = 3.0
_JITTER = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of settings after some length of training.

    Attributes:
        points: Of the settings in the cube; shape (n, n_coordinates).
        times: log r / log R, from 0 to 1; shape (n,).
        settings: Number of each score's setting; -1 of one that has no other; shape (n,).
        values: The scores, the higher the better, of about mean 0 and variance 1; shape (n,).
    """

    points: Floats
    times: Floats
    settings: NDArray[np.intp]
    values: Floats

    def __len__(self) -> int:
        """How many."""
        return len(self.values)

    def of(self, chosen: NDArray[np.intp]) -> Scores:
        """Some of them."""
        return Scores(
            points=self.points[chosen],
            times=self.times[chosen],
            settings=self.settings[chosen],
            values=self.values[chosen],
        )

    def and_these(self, others: Scores) -> Scores:
        """All of both."""
        return Scores(
            points=np.concatenate([self.points, others.points]),
            times=np.concatenate([self.times, others.times]),
            settings=np.concatenate([self.settings, others.settings]),
            values=np.concatenate([self.values, others.values]),
        )


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Those of the kernel.

    Attributes:
        logs: Logarithms of the lengths, one for each searched hyperparameter, and of a, b, c, d,
            noise and l.
    """

    logs: Floats

    @property
    def lengths(self) -> Floats:
        """A length for each searched hyperparameter."""
        return np.exp(self.logs[:-_N_OTHER])

    @property
    def others(self) -> Floats:
        """a, b, c, d, noise and l."""
        return np.exp(self.logs[-_N_OTHER:])


def usual(n_names: int) -> Hyperparameters:
    """The medians of the priors."""
    lengths = np.full(n_names, _LENGTH * math.sqrt(max(1, n_names)))
    return Hyperparameters(np.log(np.concatenate([lengths, _MEDIANS])))


def fitted(scores: Scores, names: NDArray[np.intp], n_names: int) -> Hyperparameters:
    """The likeliest hyperparameters of the kernel under the priors (MAP).

    Args:
        scores: What is known; the same scores give the same hyperparameters.
        names: Number of the searched hyperparameter of each coordinate; shape (n_coordinates,).
        n_names: How many there are.
    """
    start = usual(n_names)
    spreads = np.concatenate([np.full(n_names, _LENGTH_SPREAD), _SPREADS])
    # Squared distances along each hyperparameter; shape (n_names, n, n).
    squares = np.zeros((n_names, len(scores), len(scores)))
    for coordinate, name in zip(scores.points.T, names, strict=True):
        squares[name] += (coordinate[:, None] - coordinate) ** 2
    apart = np.abs(scores.times[:, None] - scores.times)
    same = _same(scores.settings, scores.settings)

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, slope = _negative_likelihood(Hyperparameters(logs), scores, squares, apart, same)
        off = (logs - start.logs) / spreads
        return value + float(off @ off) / 2, slope + off / spreads

    found = minimize(
        loss,
        start.logs,
        jac=True,
        method="L-BFGS-B",
        bounds=list(
            zip(start.logs - _MAX_OFF * spreads, start.logs + _MAX_OFF * spreads, strict=True)
        ),
        options={"maxiter": _MAX_STEPS},
    )
    return Hyperparameters(found.x)


def _negative_likelihood(
    at: Hyperparameters, scores: Scores, squares: Floats, apart: Floats, same: Floats
) -> tuple[float, Floats]:
    """Minus the log marginal likelihood, and its slope along each logarithm."""
    a, b, c, d, noise, length = at.others
    scaled = squares / at.lengths[:, None, None] ** 2
    distance = _SQRT5 * np.sqrt(scaled.sum(axis=0))
    decay = np.exp(-distance)
    matern = (1 + distance + distance**2 / 3) * decay
    e = np.exp(-apart / length)
    n = len(scores)
    kernel = matern * (a + b * e) + c * e + d * same
    factor = cho_factor(kernel + (noise + _JITTER) * np.eye(n), lower=True)
    weights = cho_solve(factor, scores.values)
    value = float(scores.values @ weights) / 2 + float(np.log(np.diag(factor[0])).sum())
    inner = (cho_solve(factor, np.eye(n)) - np.outer(weights, weights)) / 2
    along = inner * (5 / 3) * (1 + distance) * decay * (a + b * e)
    slope = [
        *np.einsum("ij,kij->k", along, scaled),
        a * np.sum(inner * matern),
        b * np.sum(inner * matern * e),
        c * np.sum(inner * e),
        d * np.sum(inner * same),
        noise * np.trace(inner),
        np.sum(inner * (matern * b + c) * e * apart) / length,
    ]
    return value, np.array(slope)


class CurveProcess:
    """What is to be expected of settings after any length of training."""

    def __init__(self, at: Hyperparameters, names: NDArray[np.intp], known: Scores) -> None:
        """Take what is known.

        Args:
            at: The kernel's.
            names: As of `fitted`.
            known: The scores.
        """
        self._at, self._names, self._known = at, names, known
        self._factor = cholesky(self._with_noise(known), lower=True)
        self._weights = cho_solve((self._factor, True), known.values)

    def expected(self, asked: Scores) -> tuple[Floats, Floats]:
        """Mean and standard deviation of scores without noise; their values are ignored.

        In single precision, which takes half of the time: what is asked is compared, no more.
        """
        kernel = self._kernel(self._known, asked, np.float32)
        factor, weights = self._factor.astype(np.float32), self._weights.astype(np.float32)
        half = solve_triangular(factor, kernel, lower=True, check_finite=False)
        variance = self._at.others[:4].sum() - np.einsum("ij,ij->j", half, half)
        mean: Floats = (weights @ kernel).astype(np.float64)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def believe(self, pending: Scores) -> None:
        """Go on as if some scores were known, and just as expected (kriging believer).

        Ginsbourger et al. (2010) propose it for experiments that run side by side: a second one
        near a running one promises little. What is as expected changes no mean.
        """
        across = solve_triangular(self._factor, self._kernel(self._known, pending), lower=True)
        n, more = len(self._known), len(pending)
        factor = np.zeros((n + more, n + more))
        factor[:n, :n], factor[n:, :n] = self._factor, across.T
        factor[n:, n:] = cholesky(self._with_noise(pending) - across.T @ across, lower=True)
        self._factor = factor
        self._weights = np.concatenate([self._weights, np.zeros(more)])
        self._known = self._known.and_these(pending)

    def _with_noise(self, scores: Scores) -> Floats:
        kernel = self._kernel(scores, scores)
        kernel[np.diag_indices_from(kernel)] += self._at.others[4] + _JITTER
        return kernel

    def _kernel(self, one: Scores, other: Scores, dtype: Any = np.float64) -> NDArray[Any]:
        a, b, c, d, _, length = self._at.others.astype(dtype)
        scale = self._at.lengths[self._names]
        x, y = (one.points / scale).astype(dtype), (other.points / scale).astype(dtype)
        squares = x @ (y.T * dtype(-2)) + (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)
        np.maximum(squares, 0, out=squares)
        distance = np.sqrt(5 * squares)
        kernel = (1 + distance + dtype(5 / 3) * squares) * np.exp(-distance)
        times = one.times.astype(dtype)[:, None], other.times.astype(dtype)
        e = np.exp(-np.abs(times[0] - times[1]) / length)
        kernel *= a + b * e
        kernel += c * e
        kernel[(one.settings[:, None] == other.settings) & (one.settings[:, None] >= 0)] += d
        return kernel


def _same(one: NDArray[np.intp], other: NDArray[np.intp]) -> Floats:
    return ((one[:, None] == other) & (one[:, None] >= 0)).astype(np.float64)
