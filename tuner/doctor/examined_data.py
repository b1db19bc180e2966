"""The data under examination, as every check sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from tuner.data.cards.card import Card
from tuner.data.images import Images
from tuner.data.splits.split_rules import MaybeRole, Role
from tuner.doctor.findings import Example, Use

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedData:
    """A data set under examination.

    Attributes:
        images: The data set.
        card: What it is, and what is done with its oddities.
    """

    images: Images
    card: Card

    @property
    def roles(self) -> tuple[MaybeRole, ...]:
        """The roles of the data's parts: train, validation, test.

        One empty role where the data give no parts.
        """
        given = set(np.unique(self.images.parts).tolist())
        return tuple(role for role in get_args(MaybeRole) if role in given)

    @property
    def testing_role(self) -> Role | None:
        """The role of the part that tests; None where it is cut from the data."""
        order: tuple[Role, ...] = ("test", "validation")
        return next((role for role in order if role in self.roles), None)

    def use(self, role: MaybeRole) -> Use:
        """What a run does with the part of a role; empty where the data give no parts."""
        if role == self.testing_role:
            return "tests"
        uses: Mapping[MaybeRole, Use] = {"train": "trains", "validation": "validates"}
        return uses.get(role, "")

    def rows(self, role: MaybeRole) -> Indices:
        """Indices of the images of a role."""
        return np.flatnonzero(self.images.parts == role).astype(np.int64)

    def part_name(self, role: str) -> str:
        """What the data call the part of a role."""
        names: dict[str, str] = {r: part for part, r in self.card.splits.roles().items()}
        return names.get(role, role)

    def example(self, index: int, note: str = "") -> Example:
        """One image as an example."""
        images = self.images
        return Example(
            origin=images.origins[index],
            index=int(index),
            part=self.part_name(str(images.parts[index])),
            label=images.class_names[int(images.labels[index])],
            note=note,
        )

    def singles(self, indices: Iterable[int]) -> tuple[tuple[Example, ...], ...]:
        """Some images as examples, each by itself."""
        return tuple((self.example(index),) for index in indices)

    def groups(self, groups: Sequence[Indices]) -> tuple[tuple[Example, ...], ...]:
        """Some groups of images as examples.

        In each, every part and label comes before a second of it.
        """
        return tuple(tuple(map(self.example, self._mixed(group))) for group in groups)

    def _mixed(self, group: Indices) -> Indices:
        values = (self.images.parts[group], self.images.labels[group], group)
        order = np.concatenate(
            [np.sort(np.unique(value, return_index=True)[1]) for value in values]
        )
        return group[list(dict.fromkeys(order.tolist()))]


def groups_of(numbers: NDArray[np.int64], rows: Indices) -> list[Indices]:
    """The rows that share a number, together, in the order of their first.

    A row that shares it with none is left out.

    Args:
        numbers: One per image, (n,).
        rows: Indices of the images to look at, (m,).
    """
    _, inverse, counts = np.unique(numbers[rows], return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts[inverse] > 1)
    if len(shared) == 0:
        return []
    shared = shared[np.argsort(inverse[shared], kind="stable")]
    ends = np.flatnonzero(np.diff(inverse[shared])) + 1
    return sorted(
        (rows[group] for group in np.split(shared, ends)), key=lambda group: int(group[0])
    )


def has_many(groups: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each row whether the rows of its group hold more than one value.

    Args:
        groups: Group of each row, (m,).
        values: Value of each row, (m,).

    Returns:
        (m,).
    """
    distinct = np.unique(np.stack([groups, values]), axis=1)[0]
    found, counts = np.unique(distinct, return_counts=True)
    return np.isin(groups, found[counts > 1])
