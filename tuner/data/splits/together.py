"""Which images a split must not part.

They are the groups of the card, near-identical images, or identical ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuner.data.duplicates import numbered
from tuner.data.images import Images
from tuner.errors import DataError

Indices = NDArray[np.int64]

# Which near-identical images stay together: all, those without a group, or none.
Near = Literal["all", "ungrouped", "none"]
_CHOICES: tuple[Near, ...] = ("all", "ungrouped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Units that a cut takes or leaves as a whole.

    Attributes:
        units: Number of the unit of each image of a pool, from 0, (n,).
        rule: What stays together, for people.
        strata: Number of the group of each image, (n,), where a cut goes through the groups and
            each gives its share.
    """

    units: NDArray[np.int64]
    rule: str
    strata: NDArray[np.int64] | None = None


def keep_together(images: Images, pool: Indices, n_needed: int, *, near: Near) -> Together:
    """Find the units of a pool of images; identical images are always in one.

    Args:
        images: The data set.
        pool: Indices of the images that will be cut.
        n_needed: Units that each class must have, so that every part gets one.
        near: Which near-identical images stay together, as `keepable_near` has it.

    Raises:
        DataError: If a class has fewer distinct images than that.
    """
    identical = Together(units=_merged(images, pool), rule="identical images stay together")
    _check_distinct(images, pool, identical.units, n_needed)
    units = _units(images, pool, near)
    has_groups = bool((images.groups[pool] != "").any())
    if has_groups and units_per_class(images, pool, units) < n_needed:
        rule = "taken from within the groups, which are on both sides"
        return replace(identical, rule=rule, strata=_groups(images, pool))
    whole, least = _units(images, pool, "all"), _units(images, pool, "none")
    kept = "groups" if has_groups else "identical images"
    if np.array_equal(whole, least):
        rule = f"{kept} stay together"
    elif np.array_equal(units, whole):
        rule = f"{'groups and ' * has_groups}near-identical images stay together"
    elif np.array_equal(units, least):
        rule = f"{kept} stay together; near-identical ones chain too far"
    else:
        rule = (
            "groups stay together, and near-identical images without a group; the others chain too"
            " far"
        )
    return Together(units=units, rule=rule)


def keepable_near(images: Images, pool: Indices, n_needed: int) -> Near:
    """Which near-identical images can stay together, beside the groups.

    They are as many as leave each class enough units.

    Drawings and frames of a film are alike all through, so that a single set may hold a whole
    class.
    """
    for near in _CHOICES:
        if units_per_class(images, pool, _units(images, pool, near)) >= n_needed:
            return near
    return "none"


def units_per_class(images: Images, pool: Indices, units: NDArray[np.int64]) -> int:
    """Number of units of the class that has fewest, among the classes of the pool."""
    return scarcest_class(images, pool, units)[1]


def scarcest_class(images: Images, pool: Indices, units: NDArray[np.int64]) -> tuple[int, int]:
    """Number of the class of the pool that has fewest units, and how many those are."""
    pairs = np.unique(np.stack([images.labels[pool], units]), axis=1)
    classes, counts = np.unique(pairs[0], return_counts=True)
    return int(classes[counts.argmin()]), int(counts.min())


def _units(images: Images, pool: Indices, near: Near) -> NDArray[np.int64]:
    """Units of images that share a group or a set of near-identical images, or are identical."""
    near_group = images.near_group[pool]
    if near == "all":
        return _merged(images, pool, _groups(images, pool), near_group)
    if near == "none":
        return _merged(images, pool, _groups(images, pool))
    grouped = images.groups[pool] != ""
    # Below 0, so that it is no set's number.
    return _merged(images, pool, _groups(images, pool), np.where(grouped, -1 - pool, near_group))


def _groups(images: Images, pool: Indices) -> NDArray[np.int64]:
    """Number of the group of each image; one without a group is one of its own."""
    texts = images.groups[pool]
    named = np.unique(texts, return_inverse=True)[1]
    return np.unique(np.where(texts == "", -1 - pool, named), return_inverse=True)[1].astype(
        np.int64
    )


def _merged(images: Images, pool: Indices, *groupings: NDArray[np.int64]) -> NDArray[np.int64]:
    """Units of images that share a set or have a copy in it.

    They are numbered in the order of their first images.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    copy = np.unique(images.copy_of[pool], return_inverse=True)[1]
    found = copy
    for grouping in groupings:
        sets = np.unique(grouping, return_inverse=True)[1]
        n_found, n_sets = int(found.max()) + 1, int(sets.max()) + 1
        graph = coo_array(
            (np.ones(len(pool), dtype=np.int8), (found, sets + n_found)),
            shape=(n_found + n_sets, n_found + n_sets),
        )
        found = connected_components(graph, directed=False)[1][found]
    return numbered(found)


def _check_distinct(images: Images, pool: Indices, units: NDArray[np.int64], n_needed: int) -> None:
    for number in np.unique(images.labels[pool]).tolist():
        n = len(np.unique(units[images.labels[pool] == number]))
        if n < n_needed:
            plural = "" if n == 1 else "s"
            raise DataError(
                f'{images.name}: class "{images.class_names[number]}" has {n} distinct'
                f" image{plural}; at least {n_needed} are needed to split",
                "add images.",
            )
