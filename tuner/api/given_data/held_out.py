"""A test part for arrays that come with their own validation part, but without one to test."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.api.given_data.kept_arrays import Part
from tuner.data.arrays.array_labels import label_texts
from tuner.data.splits.split import SMALL_SET


def with_test(parts: dict[str, Part]) -> dict[str, Part]:
    """Parts of which none but the test part tests.

    Of a data set with one held-out part, that part tests, since a part that chooses cannot test.
    Here you say that it validates; so a stratified part of the training images is sealed: 10 %, or
    20 % of fewer than 500 images in all, as where the data give no parts.
    """
    if "test" in parts or "validation" not in parts:
        return parts
    images, labels = parts["train"]
    n = len(images) + len(parts["validation"][0])
    tests = drawn_share(label_texts(labels, "labels"), n)
    return {
        **parts,
        "train": (images[~tests], labels[~tests]),
        "test": (images[tests], labels[tests]),
    }


def drawn_share(labels: list[str], n: int) -> NDArray[np.bool_]:
    """Which training images test: a share of each class, at least one, always the same ones.

    Args:
        labels: Of the training images.
        n: Images in all.
    """
    share = 0.1 if n >= SMALL_SET else 0.2
    rng, drawn = np.random.default_rng(0), np.zeros(len(labels), dtype=np.bool_)
    texts: NDArray[Any] = np.array(labels)
    for label in sorted(set(labels)):
        rows = np.flatnonzero(texts == label)
        drawn[rng.permutation(rows)[: max(1, round(share * len(rows)))]] = True
    return drawn
