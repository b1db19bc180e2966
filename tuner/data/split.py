"""Which images train, validate and test. Pure functions: the same images and seed give the same split everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.data.images import Images
from tuner.errors import ConfigurationError, DataError
from tuner.space.definition import SplitSizes

Indices = NDArray[np.int64]

SMALL_SET = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The three parts of a data set.

    Attributes:
        train: Sorted indices into the images, (n,).
        validation: The same for the images that choose among models.
        test: The same for the sealed images.
        rule: How they were made, for the report.
    """

    train: Indices
    validation: Indices
    test: Indices
    rule: str


def make_split(
    images: Images,
    *,
    seed: int,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    limit: int | None = None,
    sizes: SplitSizes | None = None,
    max_train: int | None = None,
    max_validation: int | None = None,
) -> Split:
    """Keep the parts that the data give, and cut those that they do not.

    What is cut is stratified by class, and identical images stay on one side of the cut. A single held-out part tests.

    Args:
        images: The data set.
        seed: Decides what is cut, and what `limit` leaves.
        test_fraction: Of all images; None stands for 0.1, or 0.2 under 500 images.
        validation_fraction: Of what the test part leaves; None stands for the same.
        limit: At most so many images train and validate; the test part stays whole.
        sizes: The first images of the training part train, the next ones validate.
        max_train: At most so many images train, stratified.
        max_validation: At most so many images validate, stratified.

    Raises:
        DataError: If a class has too few images.
        ConfigurationError: If `limit` or `sizes` cannot be met.
    """
    usual = 0.1 if len(images.labels) >= SMALL_SET else 0.2
    train, test, test_rule = _test_part(images, usual if test_fraction is None else test_fraction, seed)
    if sizes is not None:
        train, validation, validation_rule = _first_images(_training_part(images, train), sizes)
    elif {"validation", "test"} <= set(images.parts.tolist()):
        train, validation = _part(images, "train"), _part(images, "validation")
        validation_rule = "the given validation part validates"
    else:
        fraction = usual if validation_fraction is None else validation_fraction
        train, validation = _cut(images, train, fraction, seed + 1)
        validation_rule = f"a stratified {100 * fraction:.3g} % of the rest validates (identical images together)"
    rule = f"{test_rule}; {validation_rule}"
    if limit is not None and limit < len(train) + len(validation):
        train, validation = _limited(images, train, validation, limit, seed)
        rule += f"; limited to a stratified {limit:,} of training and validation"
    for part, ceiling, what in ((train, max_train, "training"), (validation, max_validation, "validation")):
        if ceiling is not None and ceiling < len(part):
            rule += f"; limited to a stratified {ceiling:,} {what} images"
    train = _at_most(images, train, max_train, seed)
    validation = _at_most(images, validation, max_validation, seed)
    _check_classes(images, train)
    return Split(train=train, validation=validation, test=test, rule=f"{rule[0].upper()}{rule[1:]}.")


def _part(images: Images, name: str) -> Indices:
    return np.flatnonzero(images.parts == name).astype(np.int64)


def _training_part(images: Images, rest: Indices) -> Indices:
    given = _part(images, "train")
    return given if len(given) else rest


def _test_part(images: Images, fraction: float, seed: int) -> tuple[Indices, Indices, str]:
    """All that does not test, what tests, and the rule."""
    for name in ("test", "validation"):
        test = _part(images, name)
        if len(test):
            rest = np.flatnonzero(images.parts != name).astype(np.int64)
            return rest, test, "the given test part tests" if name == "test" else "the given held-out part tests"
    rest, test = _cut(images, np.arange(len(images.labels), dtype=np.int64), fraction, seed)
    return rest, test, f"a stratified {100 * fraction:.3g} % of all images tests (identical images together)"


def _first_images(pool: Indices, sizes: SplitSizes) -> tuple[Indices, Indices, str]:
    wanted = sizes.train + sizes.validation
    if wanted > len(pool):
        raise ConfigurationError(
            f"split asks for {sizes.train:,} + {sizes.validation:,} images, but the training part holds {len(pool):,}",
            "ask for fewer, or leave split out of the search space.",
        )
    rule = f"the first {sizes.train:,} images of the training part train, the next {sizes.validation:,} validate"
    return pool[: sizes.train], pool[sizes.train : wanted], rule


def _cut(images: Images, pool: Indices, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """The pool without, and only, a stratified fraction of it; identical images stay together.

    One image stands for all of its copies, with the class of the first of them, and the copies follow it.
    """
    from sklearn.model_selection import train_test_split

    groups = _groups(images, pool)
    first = np.unique(groups, return_index=True)[1]
    labels = images.labels[pool[first]]
    for number, name in enumerate(images.class_names):
        n = int(np.count_nonzero(labels == number))
        # A class that the pool lacks altogether is found by `_check_classes`.
        if n == 1:
            raise DataError(
                f'{images.name}: class "{name}" has 1 distinct image; at least 2 are needed to split', "add images."
            )
    n_held = max(round(fraction * len(first)), len(np.unique(labels)))
    if len(first) - n_held < len(np.unique(labels)):
        raise DataError(
            f"{images.name}: {len(first)} distinct images are too few for {len(images.class_names)} classes",
            "add images.",
        )
    _, held = train_test_split(np.arange(len(first)), test_size=n_held, stratify=labels, random_state=seed % 2**32)
    in_held = np.isin(groups, held)
    return pool[~in_held], pool[in_held]


def _groups(images: Images, pool: Indices) -> NDArray[np.int64]:
    """A number for each image of the pool, the same for identical ones, in the order of their first copies."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(images.images[index].tobytes(), digest_size=16).digest() for index in pool)
    return np.array([seen.setdefault(digest, len(seen)) for digest in digests], dtype=np.int64)


def _limited(images: Images, train: Indices, validation: Indices, limit: int, seed: int) -> tuple[Indices, Indices]:
    """A stratified part of both, in the proportion that they have."""
    n_classes = len(images.class_names)
    n_validation = max(round(limit * len(validation) / (len(train) + len(validation))), 1)
    if limit - n_validation < n_classes:
        raise ConfigurationError(
            f"the limit of {limit} images leaves fewer than one training image for each of {n_classes} classes",
            f"allow at least {2 * n_classes} images.",
        )
    rng = np.random.default_rng((seed, 2))
    return (
        _stratified(images.labels, train, limit - n_validation, rng),
        _stratified(images.labels, validation, n_validation, rng),
    )


def _at_most(images: Images, part: Indices, ceiling: int | None, seed: int) -> Indices:
    if ceiling is None or len(part) <= ceiling:
        return part
    return _stratified(images.labels, part, ceiling, np.random.default_rng((seed, 3)))


def _stratified(labels: NDArray[np.int64], pool: Indices, n: int, rng: np.random.Generator) -> Indices:
    """`n` images of the pool, each class by its share (largest remainders), at least one of each where `n` allows."""
    classes, counts = np.unique(labels[pool], return_counts=True)
    shares = n * counts / counts.sum()
    quota = np.maximum(np.floor(shares).astype(np.int64), 1 if n >= len(classes) else 0)
    while quota.sum() < n:
        quota[np.argmax(np.where(quota < counts, shares - quota, -np.inf))] += 1
    while quota.sum() > n:
        quota[np.argmax(np.where(quota > 1, quota - shares, -np.inf))] -= 1
    chosen = [rng.choice(pool[labels[pool] == c], size=k, replace=False) for c, k in zip(classes, quota, strict=True)]
    return np.sort(np.concatenate(chosen))


def _check_classes(images: Images, train: Indices) -> None:
    counts: Sequence[int] = np.bincount(images.labels[train], minlength=len(images.class_names)).tolist()
    for name, n in zip(images.class_names, counts, strict=True):
        if n == 0:
            raise DataError(
                f'{images.name}: class "{name}" has no training image',
                "add images of it, or make the training part larger.",
            )
