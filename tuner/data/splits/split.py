"""Which images train, validate and test.

Pure functions: the same images and seed give the same split everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuner.data.images import Images
from tuner.data.splits.cut import cut, cut_folds
from tuner.data.splits.fold import Fold, Indices
from tuner.data.splits.limits import within_limits
from tuner.data.splits.policies import Dropped, find_distinct, find_dropped
from tuner.data.splits.split_rules import Policies, Splits
from tuner.data.splits.together import Near, Together, keep_together, keepable_near, units_per_class
from tuner.errors import ConfigurationError, DataError
from tuner.space.split_settings import SplitSettings, SplitSizes

SMALL_SET = 500
_MANY_FOLDS = 5
# What is cut as a whole must give each class to training, validation and test.
_PARTS = 3


# What makes a part, in words, and what stays together in it; the second may be empty.
Rule = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The parts of a data set.

    Attributes:
        folds: What trains and validates; more than one for cross-validation.
        test: Sorted indices of the sealed images, (n,).
        distinct_test: Whether each test image is new, (n,): the first of its copies in the test
            part, none of which trains or validates in the data as they are given, or carries
            another label.
        rule: How the parts were made, for the report.
        dropped: What is in no part, as the card's policies have it.
        is_official: Whether the data gave the test part.
    """

    folds: tuple[Fold, ...]
    test: Indices
    distinct_test: NDArray[np.bool_]
    rule: str
    dropped: Dropped = field(default_factory=Dropped)
    is_official: bool = False

    @property
    def train(self) -> Indices:
        """What trains in the first fold."""
        return self.folds[0].train

    @property
    def validation(self) -> Indices:
        """What validates in the first fold."""
        return self.folds[0].validation

    @property
    def n_test(self) -> int:
        """Number of sealed images."""
        return len(self.test)

    @property
    def test_digest(self) -> str:
        """A hash of which images test, by their numbers."""
        return hashlib.sha256(np.asarray(self.test, dtype="<i8").tobytes()).hexdigest()


def make_split(
    images: Images, settings: SplitSettings, splits: Splits, policies: Policies
) -> Split:
    """Keep the parts that the data give, drop what the policies name, and cut the rest.

    A single held-out part tests. What is cut is stratified by class, and images that belong
    together stay on one side: identical ones, the card's groups, and near-identical ones where that
    leaves each class enough to cut. Only where the settings state sizes, copies are not kept apart,
    since exactly so many images are to train and to validate. Where the policies drop all of a
    given validation part, validation is cut from training. Under 500 images the rest is cut into
    folds.

    Args:
        images: The data set.
        settings: The run's seed, and its limits.
        splits: The card's wishes.
        policies: The card's.

    Raises:
        DataError: If a class has too few images.
        ConfigurationError: If a limit, the sizes, the folds or the outer fold cannot be met.
    """
    test, validation, test_rule = _given(images)
    dropped = find_dropped(images, policies, test=test, validation=validation)
    seen, is_official = np.setdiff1d(np.arange(len(images.labels)), test), len(test) > 0
    pool = _without(images, seen, dropped)
    usual = 0.1 if len(images.labels) >= SMALL_SET else 0.2
    near = keepable_near(images, pool, 2 if is_official else _PARTS)
    if settings.outer is not None:
        _refuse_given_test(images, test)
        pool, test, test_rule = _outer_fold(
            images, pool, settings.outer, seed=(settings.seed, 0), near=near
        )
        seen = pool
    elif not is_official:
        fraction = usual if splits.test_fraction is None else splits.test_fraction
        pool, test, kept = _cut(
            images, pool, fraction, seed=(settings.seed, 0), n_left=_PARTS - 1, near=near
        )
        seen, test_rule = pool, (f"test: stratified {100 * fraction:.3g} % of all images", kept)
    if settings.sizes is not None:
        folds, rule = _first_images(_training_part(images, pool), settings.sizes)
    elif np.isin(validation, pool).any():
        folds, rule = _given_validation(images, pool, splits)
    else:
        fraction = usual if splits.validation_fraction is None else splits.validation_fraction
        n_folds = splits.folds or (1 if len(images.labels) >= SMALL_SET else _MANY_FOLDS)
        folds, rule = _folds(images, pool, n_folds, fraction, seed=(settings.seed, 1), near=near)
        if len(validation):
            rule = f"{rule[0]}; all of the given validation part is left out", rule[1]
    folds, limits = within_limits(images, folds, settings)
    for fold in folds:
        _check_classes(images, fold.train)
    return Split(
        folds=folds,
        test=test,
        distinct_test=find_distinct(images, test, seen),
        rule=_in_words([test_rule, rule], [*limits, *_left_out(dropped)]),
        dropped=dropped,
        is_official=is_official,
    )


def n_outer_folds(images: Images, policies: Policies) -> int:
    """Number of parts that test in turn in nested cross-validation.

    Five, or as many as each class has units.

    Args:
        images: The data set.
        policies: The card's.

    Raises:
        DataError: If a class has too few images.
        ConfigurationError: If the data give a test part.
    """
    test, validation, _ = _given(images)
    _refuse_given_test(images, test)
    dropped = find_dropped(images, policies, test=test, validation=validation)
    pool = _without(images, np.arange(len(images.labels)), dropped)
    together = keep_together(images, pool, _PARTS, near=keepable_near(images, pool, _PARTS))
    return _n_outer(images, pool, together)


def _part(images: Images, name: str) -> Indices:
    return np.flatnonzero(images.parts == name).astype(np.int64)


def _in_words(rules: Sequence[Rule], others: Sequence[str]) -> str:
    """Sentences on how the parts were made; what holds for both is said once."""
    kept = [stays for _, stays in rules if stays]
    is_common = len(set(kept)) == 1
    said = [f"{what} ({stays})" if stays and not is_common else what for what, stays in rules]
    return " ".join(
        f"{text[0].upper()}{text[1:]}."
        for text in [*said, *(kept[:1] if is_common else []), *others]
    )


def _given(images: Images) -> tuple[Indices, Indices, Rule]:
    """The given test and validation parts, empty where there are none, and the rule."""
    test, validation = _part(images, "test"), _part(images, "validation")
    if len(test):
        return test, validation, ("test: the given test part", "")
    return validation, test, ("test: the given held-out part", "")


def _without(images: Images, seen: Indices, dropped: Dropped) -> Indices:
    """What is left of the images that may be seen."""
    pool = np.setdiff1d(seen, list(dropped.reasons()))
    if not len(pool):
        reasons = "; ".join(["no image is left to train on", *_left_out(dropped)])
        raise DataError(
            f"{images.name}: {reasons}",
            "add images, or correct what is left out: `python -m tuner datasets check DATASET`"
            " names it, and policies in a card decide about it.",
        )
    return pool


def _refuse_given_test(images: Images, test: Indices) -> None:
    if len(test):
        raise ConfigurationError(
            f"{images.name}: nested cross-validation tests every image in turn, but these data give"
            f" a test part of {len(test):,} images, and only scores on that part can be compared"
            " with others'",
            "leave --nested out.",
        )


def _outer_fold(
    images: Images, pool: Indices, number: int, *, seed: tuple[int, int], near: Near
) -> tuple[Indices, Indices, Rule]:
    """What is left of the pool, the outer fold that tests, and the rule."""
    together = keep_together(images, pool, _PARTS, near=near)
    n_folds = _n_outer(images, pool, together)
    if not 1 <= number <= n_folds:
        raise ConfigurationError(
            f"{images.name}: outer fold {number} is to test, but there are {n_folds} of them",
            f"take one of 1 to {n_folds}.",
        )
    fold_of = cut_folds(
        images.labels[pool], together.units, n_folds, seed=seed, strata=together.strata
    )
    tests = fold_of == number - 1
    return pool[~tests], pool[tests], (f"test: outer fold {number} of {n_folds}", together.rule)


def _n_outer(images: Images, pool: Indices, together: Together) -> int:
    return min(_MANY_FOLDS, units_per_class(images, pool, together.units))


def _training_part(images: Images, pool: Indices) -> Indices:
    given = pool[images.parts[pool] == "train"]
    return given if len(given) else pool


def _first_images(pool: Indices, sizes: SplitSizes) -> tuple[tuple[Fold, ...], Rule]:
    wanted = sizes.train + sizes.validation
    if wanted > len(pool):
        raise ConfigurationError(
            f"split asks for {sizes.train:,} + {sizes.validation:,} images, but the training part"
            f" holds {len(pool):,}",
            "ask for fewer, or leave split out of the search space.",
        )
    rule = (
        f"training: the first {sizes.train:,} images of the training part. Validation: the next"
        f" {sizes.validation:,} (copies are not kept apart)"
    )
    return (Fold(train=pool[: sizes.train], validation=pool[sizes.train : wanted]),), (rule, "")


def _given_validation(
    images: Images, pool: Indices, splits: Splits
) -> tuple[tuple[Fold, ...], Rule]:
    if splits.folds not in (None, 1):
        raise ConfigurationError(
            f"{images.name}: splits.folds is {splits.folds}, but the data give a validation part",
            "take folds, or the validation part, out of splits in the card.",
        )
    validates = images.parts[pool] == "validation"
    return (Fold(train=pool[~validates], validation=pool[validates]),), (
        "validation: the given validation part",
        "",
    )


def _cut(
    images: Images,
    pool: Indices,
    fraction: float,
    *,
    seed: tuple[int, int],
    n_left: int,
    near: Near,
) -> tuple[Indices, Indices, str]:
    """What is left of the pool, what is cut from it, and what stayed together."""
    together = keep_together(images, pool, n_left + 1, near=near)
    held = cut(
        images.labels[pool],
        together.units,
        fraction,
        seed=seed,
        n_left=n_left,
        strata=together.strata,
    )
    return pool[~held], pool[held], together.rule


def _folds(
    images: Images,
    pool: Indices,
    n_folds: int,
    fraction: float,
    *,
    seed: tuple[int, int],
    near: Near,
) -> tuple[tuple[Fold, ...], Rule]:
    """Folds, as many as each class has units at most; a single cut where that is one."""
    together = keep_together(images, pool, 2, near=near)
    n_folds = (
        min(n_folds, units_per_class(images, pool, together.units))
        if together.strata is None
        else 1
    )
    if n_folds == 1:
        train, validation, kept = _cut(images, pool, fraction, seed=seed, n_left=1, near=near)
        rule = f"validation: stratified {100 * fraction:.3g} % of the rest", kept
        return (Fold(train=train, validation=validation),), rule
    fold_of = cut_folds(images.labels[pool], together.units, n_folds, seed=seed)
    rule = f"validation: each of {n_folds} stratified folds of the rest once", together.rule
    return (
        tuple(
            Fold(train=pool[fold_of != i], validation=pool[fold_of == i]) for i in range(n_folds)
        ),
        rule,
    )


def _left_out(dropped: Dropped) -> list[str]:
    named = (
        ("with conflicting labels", dropped.n_conflicting),
        ("copies of test images", dropped.n_copies_of_test),
        ("duplicates", dropped.n_duplicates),
    )
    found = [f"{n:,} {what}" for what, n in named if n]
    return [f"left out: {', '.join(found)}"] if found else []


def _check_classes(images: Images, train: Indices) -> None:
    counts: Sequence[int] = np.bincount(
        images.labels[train], minlength=len(images.class_names)
    ).tolist()
    for name, n in zip(images.class_names, counts, strict=True):
        if n == 0:
            raise DataError(
                f'{images.name}: class "{name}" has no training image',
                "add images of it, or make the training part larger.",
            )
