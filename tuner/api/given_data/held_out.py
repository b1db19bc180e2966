"""A test part for data that come with their own validation part, but without one to test.

Of a data set with one held-out part, that part tests, since a part that chooses cannot test. Here
you say that it validates; so a stratified part of the training images is sealed: 10 %, or 20 % of
fewer than 500 images in all, as where the data give no parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.api.given_data.kept_arrays import Part
from tuner.data.arrays.array_file import Array
from tuner.data.arrays.array_labels import label_texts
from tuner.data.arrays.array_layout import image_layout
from tuner.data.decoding.value_range import to_8_bits
from tuner.data.duplicates import first_equal, near_groups
from tuner.data.images import Images
from tuner.data.labels import is_label, plain_label
from tuner.data.splits.cut import cut
from tuner.data.splits.split import SMALL_SET
from tuner.data.splits.together import keep_together, keepable_near, units_per_class
from tuner.errors import DataError

_REMEDY = "give test= too, with images that are independent of those that train."
# Of each class, one unit tests and one trains.
_N_NEEDED = 2


def with_test(parts: dict[str, Part], name: str) -> dict[str, Part]:
    """Parts of arrays of which none but the test part tests; near-identical images stay together.

    Raises:
        DataError: If a class has too few different images.
    """
    if "test" in parts or "validation" not in parts:
        return parts
    images, labels = parts["train"]
    given = [parts["train"], parts["validation"]]
    tests = drawn(
        [text for _, each in given for text in label_texts(each, "labels")],
        len(images),
        name=name,
        copy_of=first_equal(_digest(image) for pixels, _ in given for image in pixels),
        near_group=_near([pixels for pixels, _ in given]),
    )
    return {
        **parts,
        "train": (images[~tests], labels[~tests]),
        "test": (images[tests], labels[tests]),
    }


def drawn(
    labels: Sequence[str],
    n_train: int,
    *,
    name: str,
    copy_of: NDArray[np.int64],
    near_group: NDArray[np.int64] | None = None,
    groups: Sequence[str] = (),
) -> NDArray[np.bool_]:
    """Which training images test: a share of each class, always the same ones, (n_train,).

    Groups and identical images stay on one side, near-identical ones where each class has enough of
    them. What has a copy in the validation part, or is of a group there, trains; likewise what is
    near-identical to an image there.

    Args:
        labels: Of the training images, then of those that validate, (n,).
        n_train: Number of training images.
        name: What the data set is called.
        copy_of: Index of the first identical image, (n,).
        near_group: Number of the set of near-identical images, (n,); None where that is not known.
        groups: Names of groups, (n,), empty for an image without one.

    Raises:
        DataError: If a class has too few different images, or too few groups.
    """
    images = _described(labels, name, copy_of, near_group, groups)
    pool = _pool(images, labels, n_train)
    try:
        near = keepable_near(images, pool, _N_NEEDED)
        together = keep_together(images, pool, _N_NEEDED, near=near)
    except DataError as error:
        raise DataError(f"{error.message} off a test part", f"add images, or {_REMEDY}") from error
    if together.strata is not None:
        raise DataError(
            f"{name}: validation_data is given without test=, and a class has too few groups to"
            " seal some of them for the test",
            _REMEDY,
        )
    fraction = 0.1 if len(labels) >= SMALL_SET else 0.2
    chosen = cut(images.labels[pool], together.units, fraction, seed=(0, 0), n_left=1)
    tests = np.zeros(n_train, dtype=np.bool_)
    tests[pool[chosen]] = True
    return tests


def _pool(images: Images, labels: Sequence[str], n_train: int) -> NDArray[np.int64]:
    """Training images with a label, that share nothing with the validation part."""
    seen = images.groups[n_train:]
    shares = np.isin(images.copy_of, images.copy_of[n_train:])
    shares |= (images.groups != "") & np.isin(images.groups, seen)
    has_label = np.array([is_label(text) for text in labels], dtype=np.bool_)
    pool = np.flatnonzero((has_label & ~shares)[:n_train])
    if not len(pool):
        raise DataError(
            f"{images.name}: no training image can be sealed for the test: the validation part"
            " holds each of them, or others of its group",
            _REMEDY,
        )
    apart = pool[~np.isin(images.near_group[pool], images.near_group[n_train:])]
    is_enough = set(images.labels[apart]) == set(images.labels[pool])
    return apart if is_enough and units_per_class(images, apart, apart) >= _N_NEEDED else pool


def _described(
    labels: Sequence[str],
    name: str,
    copy_of: NDArray[np.int64],
    near_group: NDArray[np.int64] | None,
    groups: Sequence[str],
) -> Images:
    """What the splitter asks of a data set, whose pixels it does not read."""
    n = len(labels)
    names, numbers = np.unique([plain_label(text) for text in labels], return_inverse=True)
    return Images(
        name=name,
        images=np.empty((n, 0, 0, 0), dtype=np.uint8),
        labels=numbers.astype(np.int64),
        parts=np.full(n, "train"),
        origins=(),
        class_names=tuple(names.tolist()),
        unreadable=(),
        fingerprint="",
        groups=np.asarray(groups or [""] * n, dtype=np.str_),
        copy_of=copy_of,
        near_group=copy_of if near_group is None else near_group,
        files=(),
    )


def _digest(image: NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).data.cast("B"), digest_size=16).digest()


def _near(parts: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Number of the set of near-identical images, of all parts one after another, (n,).

    Parts of different sizes, which are refused where they are read, share no set.
    """
    ends = float(min(one.min() for one in parts)), float(max(one.max() for one in parts))
    small = [_eight_bits(images, ends) for images in parts]
    if len({one.shape[1:] for one in small}) == 1:
        return near_groups(np.concatenate(small))
    return np.concatenate([near_groups(small[0]), np.arange(len(small[1])) + len(small[0])])


def _eight_bits(images: NDArray[Any], ends: tuple[float, float]) -> NDArray[np.uint8]:
    """Images (n, height, width, channels), with the ends of their values black and white."""
    layout = image_layout(Array(shape=images.shape, dtype=images.dtype, by_columns=False), "images")
    if images.dtype == np.uint8:
        return layout.channels_last(images)
    black, white = ends
    ends = (black, white if white > black else black + 1)
    small = np.empty(images.shape, dtype=np.uint8)
    for at, image in enumerate(images):
        small[at] = to_8_bits(np.array(image, dtype=np.float32), ends)
    return layout.channels_last(small)
