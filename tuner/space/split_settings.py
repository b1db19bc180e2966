"""How a data set is split: the `split:` of a file, and the limits of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSizes:
    """An override of the split, for benchmarks: the first images of the training part.

    Attributes:
        train: Number of training images.
        validation: Number of validation images, the next ones.
    """

    train: int
    validation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How a data set is split; with the data it decides which image goes where.

    Attributes:
        seed: Of whatever is drawn.
        limit: Training and validation images together; None takes all.
        sizes: Override of the card's split; None keeps it.
        max_train: Training images at most; None takes all.
        max_validation: Validation images at most; None takes all.
        outer: Number of the outer fold of nested cross-validation that tests, from 1; None for the
            usual test part.
    """

    seed: int
    limit: int | None = None
    sizes: SplitSizes | None = None
    max_train: int | None = None
    max_validation: int | None = None
    outer: int | None = None

    def has_test_part_of(self, other: SplitSettings) -> bool:
        """Whether the same images test; limits take from the others."""
        return (self.seed, self.sizes, self.outer) == (other.seed, other.sizes, other.outer)
