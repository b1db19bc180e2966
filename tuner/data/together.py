"""Which images a split must not part: the groups of the card, near-identical images, or identical ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tuner.data.images import Images
from tuner.errors import DataError

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Units that a cut takes or leaves as a whole.

    Attributes:
        units: Number of the unit of each image of a pool, from 0, (n,).
        rule: What stays together, for people.
        strata: Number of the group of each image, (n,), where a cut goes through the groups and each gives its share.
    """

    units: NDArray[np.int64]
    rule: str
    strata: NDArray[np.int64] | None = None


def keep_together(images: Images, pool: Indices, n_needed: int, *, near: bool) -> Together:
    """Find the units of a pool of images; identical images are always in one.

    Args:
        images: The data set.
        pool: Indices of the images that will be cut.
        n_needed: Units that each class must have, so that every part gets one.
        near: Whether near-identical images stay together; the card's groups go before.

    Raises:
        DataError: If a class has fewer distinct images than that.
    """
    identical = Together(units=_merged(images, pool), rule="identical images together")
    _check_distinct(images, pool, identical.units, n_needed)
    texts = images.groups[pool]
    if not (texts != "").any():
        units = _merged(images, pool, images.near_group[pool])
        if np.array_equal(units, identical.units):
            return identical
        if near:
            return Together(units=units, rule="near-identical images together")
        return replace(identical, rule="identical images together; near-identical ones chain too far")
    # An image without a group is one of its own.
    own = np.array([text or f"\0{index}" for index, text in zip(pool.tolist(), texts.tolist(), strict=True)])
    groups = np.unique(own, return_inverse=True)[1]
    whole = Together(units=_merged(images, pool, groups), rule="groups together")
    if units_per_class(images, pool, whole.units) >= n_needed:
        return whole
    return replace(identical, rule="taken from within the groups, which are on both sides", strata=groups)


def can_keep_near(images: Images, pool: Indices, n_needed: int) -> bool:
    """Whether sets of near-identical images can stay together: each class has enough of them.

    Drawings and frames of a film are alike all through, so that a single set may hold a whole class.
    """
    return units_per_class(images, pool, _merged(images, pool, images.near_group[pool])) >= n_needed


def units_per_class(images: Images, pool: Indices, units: NDArray[np.int64]) -> int:
    """Number of units of the class that has fewest, among the classes of the pool."""
    pairs = np.unique(np.stack([images.labels[pool], units]), axis=1)
    return int(np.unique(pairs[0], return_counts=True)[1].min())


def _merged(images: Images, pool: Indices, sets: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Units of images that share a set or have a copy in it, numbered in the order of their first images."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    copy = np.unique(images.copy_of[pool], return_inverse=True)[1]
    found = copy
    if sets is not None:
        sets = np.unique(sets, return_inverse=True)[1]
        n_copies, n_sets = int(copy.max()) + 1, int(sets.max()) + 1
        graph = coo_array(
            (np.ones(len(pool), dtype=np.int8), (copy, sets + n_copies)), shape=(n_copies + n_sets, n_copies + n_sets)
        )
        found = connected_components(graph, directed=False)[1][copy]
    first, which = np.unique(found, return_index=True, return_inverse=True)[1:]
    numbers: NDArray[np.int64] = np.argsort(np.argsort(first))[which].astype(np.int64)
    return numbers


def _check_distinct(images: Images, pool: Indices, units: NDArray[np.int64], n_needed: int) -> None:
    for number in np.unique(images.labels[pool]).tolist():
        n = len(np.unique(units[images.labels[pool] == number]))
        if n < n_needed:
            plural = "" if n == 1 else "s"
            raise DataError(
                f'{images.name}: class "{images.class_names[number]}" has {n} distinct image{plural}; '
                f"at least {n_needed} are needed to split",
                "add images.",
            )
