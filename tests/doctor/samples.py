"""Data sets with known oddities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tests.data.samples import make_card, random_images
from tuner.data.cards.card import Card
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.images import Images, make_images
from tuner.doctor.examine import examine
from tuner.doctor.findings import Examination, Finding

# An ordinary photo.
FACTS = FileFacts(
    format="JPEG", mode="RGB", width=64, height=48, is_animated=False, is_rotated=False
)


def data(
    labels: Sequence[int],
    *,
    parts: Sequence[str] | None = None,
    same: Sequence[Sequence[int]] = (),
    near: Sequence[Sequence[int]] = (),
    files: dict[int, dict[str, Any]] | None = None,
    names: dict[int, str] | None = None,
    classes: Sequence[str] = ("cat", "dog"),
    **fields: Any,
) -> Images:
    """Noise of 8 x 8 pixels with chosen oddities.

    Args:
        labels: Class numbers.
        parts: Role of each image; none by default.
        same: Rows that hold one image.
        near: Rows that hold near copies of one another.
        files: What is odd about some files; all are ordinary JPEG photos otherwise. None stands for
            rows of a CSV.
        names: Other names of some files.
        classes: Class names.
        fields: Of `Images`, in place of what is made up.
    """
    n = len(labels)
    pixels = random_images(n, size=8)
    for group in same:
        pixels[list(group)] = pixels[group[0]]
    images = make_images(
        name="tiny",
        images=pixels,
        labels=labels,
        parts=parts or [""] * n,
        origins=[(names or {}).get(i, f"{i:03}.jpg") for i in range(n)],
        class_names=classes,
        files=[] if files is None else [replace(FACTS, **files.get(i, {})) for i in range(n)],
    )
    near_group = images.copy_of.copy()
    for group in near:
        near_group[np.isin(near_group, near_group[list(group)])] = near_group[group[0]]
    return replace(images, near_group=near_group, **fields)


def card(**fields: Any) -> Card:
    """A card of 8 x 8 images whose parts have names of their own."""
    splits = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    return make_card({"type": "npz", "path": "tiny.npz"}, size=8, splits=splits, **fields)


def look(images: Images, **fields: Any) -> Examination:
    """The examination of a data set whose card has some fields."""
    return examine(images, card(**fields))


def find(images: Images, code: str, **fields: Any) -> Finding:
    """The one finding of a kind."""
    (found,) = [finding for finding in look(images, **fields).findings if finding.code == code]
    return found


def codes(images: Images, **fields: Any) -> list[str]:
    """The kinds of all findings."""
    return [finding.code for finding in look(images, **fields).findings]


def origins(finding: Finding) -> list[list[str]]:
    """Where the examples come from."""
    return [[sample.origin for sample in group] for group in finding.examples]
