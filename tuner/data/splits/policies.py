"""Which images a card's policies leave out, and which test images are new to a model.

Pure functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuner.data.images import Images
from tuner.data.splits.fold import Indices
from tuner.data.splits.split_rules import Policies

Mask = NDArray[np.bool_]


def _none() -> Indices:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Images that neither train, nor validate, nor test.

    Each is under one reason, the first that holds.

    Attributes:
        conflicting: Sorted indices of those of which an identical image is of another class.
        copies_of_test: Of those identical to an image of the given test part.
        duplicates: Of those identical to a given validation image, or to an image that is kept.
    """

    conflicting: Indices = field(default_factory=_none)
    copies_of_test: Indices = field(default_factory=_none)
    duplicates: Indices = field(default_factory=_none)

    @property
    def n(self) -> int:
        """Number of all of them."""
        return self.n_conflicting + self.n_copies_of_test + self.n_duplicates

    @property
    def n_conflicting(self) -> int:
        """Number of images with conflicting labels."""
        return len(self.conflicting)

    @property
    def n_copies_of_test(self) -> int:
        """Number of copies of test images."""
        return len(self.copies_of_test)

    @property
    def n_duplicates(self) -> int:
        """Number of copies of other images."""
        return len(self.duplicates)

    def reasons(self) -> dict[int, str]:
        """Why each of them was dropped, by its index."""
        named = (
            (self.conflicting, "conflicting label"),
            (self.copies_of_test, "copy of a test image"),
            (self.duplicates, "duplicate"),
        )
        return {index: reason for indices, reason in named for index in indices.tolist()}


def find_dropped(
    images: Images, policies: Policies, *, test: Indices, validation: Indices
) -> Dropped:
    """Apply the policies.

    Args:
        images: The data set.
        policies: The card's.
        test: The test part that the data give; empty where it will be cut. It stays whole, whatever
            the policies, so that its official score can be compared.
        validation: The same for the validation part, which may lose images.
    """
    kept = ~_mask(images, test)
    conflicting = (
        kept & has_conflict(images) if policies.conflicting == "drop" else np.zeros_like(kept)
    )
    kept &= ~conflicting
    copies_of_test, duplicates = np.zeros_like(kept), np.zeros_like(kept)
    if policies.duplicates != "keep":
        copies_of_test = kept & _has_copy_in(images, test)
        kept &= ~copies_of_test
        validates = _mask(images, validation)
        duplicates = kept & ~validates & _has_copy_in(images, np.flatnonzero(validates & kept))
        if policies.duplicates == "drop":
            duplicates |= _repeated(images, kept, validates)
    return Dropped(
        conflicting=np.flatnonzero(conflicting),
        copies_of_test=np.flatnonzero(copies_of_test),
        duplicates=np.flatnonzero(duplicates),
    )


def has_conflict(images: Images) -> Mask:
    """Whether an identical image is of another class, (n,)."""
    n = len(images.labels)
    lowest, highest = np.full(n, n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    np.minimum.at(lowest, images.copy_of, images.labels)
    np.maximum.at(highest, images.copy_of, images.labels)
    different: Mask = (lowest != highest)[images.copy_of]
    return different


def find_distinct(images: Images, test: Indices, seen: Indices) -> Mask:
    """Whether each test image is new, (k,).

    It is the first of its copies, has none among the seen images, and no conflict.
    """
    roots = images.copy_of[test]
    is_first = np.zeros(len(test), dtype=np.bool_)
    is_first[np.unique(roots, return_index=True)[1]] = True
    distinct: Mask = is_first & ~np.isin(roots, images.copy_of[seen]) & ~has_conflict(images)[test]
    return distinct


def _repeated(images: Images, kept: Mask, validates: Mask) -> Mask:
    """All kept images but the first of each set of copies.

    One that validates comes before one that trains.
    """
    order = np.concatenate([np.flatnonzero(kept & validates), np.flatnonzero(kept & ~validates)])
    repeated = kept.copy()
    repeated[order[np.unique(images.copy_of[order], return_index=True)[1]]] = False
    return repeated


def _has_copy_in(images: Images, part: Indices) -> Mask:
    found: Mask = np.isin(images.copy_of, images.copy_of[part])
    return found


def _mask(images: Images, part: Indices) -> Mask:
    mask = np.zeros(len(images.labels), dtype=np.bool_)
    mask[part] = True
    return mask
