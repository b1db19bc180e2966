"""Stratified cuts of whole units, a unit being images that must stay together.

Pure functions, the same everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def cut(
    labels: NDArray[np.int64],
    units: NDArray[np.int64],
    fraction: float,
    *,
    seed: tuple[int, int],
    n_left: int,
    strata: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Choose units that hold about a fraction of each class, and at least one image of it.

    Units are looked at from the largest on, each taken if it brings the classes nearer to their
    shares of all those looked at, so that large and small units are on both sides; units of one
    image fill what is missing then, evenly over the strata.

    Args:
        labels: Class number of each image, (n,).
        units: Number of the unit of each image, from 0, (n,).
        fraction: Wanted share of the images.
        seed: Decides between units that are alike.
        n_left: So many units of each class are left at least.
        strata: Number of the stratum of each image, (n,); None for a single one.

    Returns:
        Whether each image is chosen, (n,).
    """
    counts = _UnitCounts(labels, units)
    state = _Cut(counts, fraction, n_left)
    order = _large_first(counts.sizes, seed)
    for unit in order[counts.sizes[order] > 1].tolist():
        if state.wants(unit) and state.can_spare(unit):
            state.take(unit)
    stratum = _stratum(units, strata)
    singles = order[counts.sizes[order] == 1]
    singles = singles[np.argsort(stratum[singles], kind="stable")]
    class_of = np.zeros(len(counts.sizes), dtype=np.int64)
    class_of[units] = labels
    for number in np.unique(labels).tolist():
        own = singles[class_of[singles] == number]
        n = max(min(int(state.missing()[number]), int(state.to_spare[number]), len(own)), 0)
        for position in range(n):
            state.take(int(own[(2 * position + 1) * len(own) // (2 * n)]))
        if not state.taken[number]:
            able = [
                u
                for u in order[np.isin(order, units[labels == number])].tolist()
                if state.can_spare(u)
            ]
            if able:
                state.take(max(able, key=lambda unit: state.gain(unit, state.missing())))
    return state.chosen[units]


def cut_folds(
    labels: NDArray[np.int64],
    units: NDArray[np.int64],
    n_folds: int,
    *,
    seed: tuple[int, int],
    strata: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Share units out to folds, each with about the same number of images of each class.

    Large units come first; each goes to the fold that has least of its classes, the smallest of
    those. Units of one size are taken stratum by stratum, so that each stratum is spread over the
    folds.

    Args:
        labels: Class number of each image, (n,).
        units: Number of the unit of each image, from 0, (n,).
        n_folds: At most the number of units of each class, so that each fold has all classes.
        seed: Decides between units that are alike.
        strata: Number of the stratum of each image, (n,); None for a single one.

    Returns:
        Number of the fold of each image, (n,).
    """
    counts = _UnitCounts(labels, units)
    # Whole numbers, so that ties are the same on every machine; a rare class weighs as much as a
    # frequent one.
    weights = 1_000_000 // np.maximum(counts.totals, 1)
    filled = np.zeros((n_folds, len(weights)), dtype=np.int64)
    fold_of = np.zeros(len(counts.sizes), dtype=np.int64)
    order = _large_first(counts.sizes, seed)
    order = order[np.lexsort((_stratum(units, strata)[order], -counts.sizes[order]))]
    for unit in order.tolist():
        row = counts.row(unit)
        crowding = (filled * row * weights).sum(axis=1)
        fold = int(np.lexsort((filled.sum(axis=1), crowding))[0])
        fold_of[unit] = fold
        filled[fold] += row
    return fold_of[units]


def sample(labels: NDArray[np.int64], pool: Indices, n: int, *, seed: tuple[int, int]) -> Indices:
    """`n` images of the pool, sorted: each class by its share.

    Where `n` allows, there is at least one of each.
    """
    order = pool[_shuffled(len(pool), seed)]
    classes, counts = np.unique(labels[pool], return_counts=True)
    chosen = [
        order[labels[order] == c][:k] for c, k in zip(classes, quotas(counts, n), strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def quotas(counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """`n` shared out in proportion to the counts (largest remainders).

    Where `n` allows, there is at least one for each.
    """
    shares = n * counts / counts.sum()
    least = (counts > 0).astype(np.int64) * (n >= np.count_nonzero(counts))
    quota: NDArray[np.int64] = np.maximum(np.floor(shares).astype(np.int64), least)
    while quota.sum() < n:
        quota[np.argmax(np.where(quota < counts, shares - quota, -np.inf))] += 1
    while quota.sum() > n:
        quota[np.argmax(np.where(quota > 1, quota - shares, -np.inf))] -= 1
    return quota


class _UnitCounts:
    """Images of each unit and class.

    Only what is not 0 is held: units are many, and most have a single class.
    """

    def __init__(self, labels: NDArray[np.int64], units: NDArray[np.int64]) -> None:
        self.sizes = np.bincount(units)
        self.totals = np.bincount(labels)
        pairs, self._n = np.unique(units * len(self.totals) + labels, return_counts=True)
        of_unit, self._classes = np.divmod(pairs, len(self.totals))
        self._starts = np.searchsorted(of_unit, np.arange(len(self.sizes) + 1))
        self.units_per_class = np.bincount(self._classes)

    def row(self, unit: int) -> NDArray[np.int64]:
        """Images of each class in a unit, (n_classes,)."""
        row = np.zeros_like(self.totals)
        own = slice(self._starts[unit], self._starts[unit + 1])
        row[self._classes[own]] = self._n[own]
        return row


class _Cut:
    """A cut in the making: the units chosen so far, and what each class still lacks."""

    def __init__(self, counts: _UnitCounts, fraction: float, n_left: int) -> None:
        self.counts = counts
        self.totals = counts.totals
        n_wanted = max(round(fraction * int(self.totals.sum())), int(np.count_nonzero(self.totals)))
        self.quotas = quotas(self.totals, n_wanted)
        self.to_spare = counts.units_per_class - n_left
        self.chosen = np.zeros(len(counts.sizes), dtype=np.bool_)
        self.taken = np.zeros_like(self.totals)
        self._seen = np.zeros_like(self.totals)

    def missing(self) -> NDArray[np.int64]:
        """Images of each class that are still to be chosen; below 0 where there are too many."""
        missing: NDArray[np.int64] = self.quotas - self.taken
        return missing

    def wants(self, unit: int) -> bool:
        """Whether the unit brings the classes nearer to their shares.

        The shares are those of the units looked at so far, this one too.
        """
        self._seen += self.counts.row(unit)
        share = self.quotas * self._seen / np.maximum(self.totals, 1)
        return self.gain(unit, share - self.taken) > 1e-9  # not 0: rounding must not decide

    def gain(self, unit: int, missing: NDArray[Any]) -> float:
        """How many images nearer to its share the unit brings each class; negative if farther."""
        return float((np.abs(missing) - np.abs(missing - self.counts.row(unit))).sum())

    def can_spare(self, unit: int) -> bool:
        """Whether each of its classes has another unit to leave."""
        return bool((self.to_spare[self.counts.row(unit) > 0] > 0).all())

    def take(self, unit: int) -> None:
        """Choose it."""
        self.chosen[unit] = True
        row = self.counts.row(unit)
        self.taken += row
        self.to_spare -= row > 0


def _stratum(units: NDArray[np.int64], strata: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Number of the stratum of each unit, (n_units,)."""
    stratum = np.zeros(int(units.max()) + 1, dtype=np.int64)
    stratum[units] = 0 if strata is None else strata
    return stratum


def _large_first(sizes: NDArray[np.int64], seed: tuple[int, int]) -> Indices:
    order = _shuffled(len(sizes), seed)
    by_size: Indices = order[np.argsort(-sizes[order], kind="stable")]
    return by_size


def _shuffled(n: int, seed: tuple[int, int]) -> Indices:
    # NumPy keeps the streams of RandomState as they are for ever (NEP 19), those of Generator not.
    generator = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    return generator.permutation(n).astype(np.int64)
