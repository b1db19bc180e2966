"""Images in round numbers, their splits, and what every split keeps to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tests.data.samples import random_images
from tuner.data.images import Images, make_images
from tuner.data.splits.split import Split, make_split
from tuner.data.splits.split_rules import Policies, Splits
from tuner.space.split_settings import SplitSettings


def images_of(
    labels: Sequence[int],
    parts: Sequence[str] | None = None,
    copies: int = 0,
    groups: Sequence[str] = (),
) -> Images:
    """Images of noise; the last `copies` are exact copies of the first ones, labels included."""
    labels = list(labels)
    pixels = random_images(len(labels))
    for i in range(copies):
        pixels[-1 - i] = pixels[i]
        labels[-1 - i] = labels[i]
    n_classes = max(labels) + 1
    return make_images(
        name="tiny",
        images=pixels,
        labels=labels,
        parts=parts or [""] * len(labels),
        origins=[f"image {i}" for i in range(len(labels))],
        class_names=[f"class {i}" for i in range(n_classes)],
        groups=groups,
    )


def pixel_copies(images: Images, *pairs: tuple[int, int]) -> Images:
    """The same data, with copies of other images at some places: pairs of copy and original."""
    pixels = images.images.copy()
    for copy, original in pairs:
        pixels[copy] = pixels[original]
    fields = {
        name: getattr(images, name)
        for name in ("name", "labels", "parts", "origins", "class_names", "groups")
    }
    return make_images(images=pixels, **fields | {"groups": images.groups.tolist()})


def near_copies(images: Images, sets: Sequence[Sequence[int]]) -> Images:
    """The same data, some of whose images are said to be near-identical."""
    near_group = images.near_group.copy()
    for members in sets:
        near_group[list(members)] = near_group[members[0]]
    return replace(images, near_group=near_group)


def split_of(
    images: Images, *, seed: int = 1, splits: Splits | None = None, **fields: Any
) -> Split:
    """A split; the fields are those of the settings and of the policies."""
    policies = {name: fields.pop(name) for name in ("duplicates", "conflicting") if name in fields}
    return make_split(
        images, SplitSettings(seed=seed, **fields), splits or Splits(), Policies(**policies)
    )


def assert_whole(images: Images, part: Sequence[int], sets: Sequence[Sequence[int]]) -> None:
    for members in sets:
        assert len(set(members) & set(part)) in (0, len(members))


def assert_partition(images: Images, split: Split) -> None:
    together = np.concatenate([split.train, split.validation, split.test])
    assert sorted(together.tolist()) == list(range(len(images.labels)))
    for part in (split.train, split.validation, split.test):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


def contents(images: Images, part: np.ndarray) -> set[bytes]:
    return {images.images[i].tobytes() for i in part}
