"""Folds cut down to the limits of a run."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.data.images import Images
from tuner.data.splits.cut import sample
from tuner.data.splits.fold import Fold, Indices
from tuner.errors import ConfigurationError
from tuner.space.split_settings import SplitSettings


def within_limits(
    images: Images, folds: Sequence[Fold], settings: SplitSettings
) -> tuple[tuple[Fold, ...], list[str]]:
    """Each fold cut down to the limits, and what to say of it."""
    said: list[str] = []
    limit, seed = settings.limit, settings.seed
    if limit is not None and limit < len(folds[0].train) + len(folds[0].validation):
        folds = [_limited(images, fold, limit, seed) for fold in folds]
        said.append(f"limited to a stratified {limit:,} of training and validation")
    for ceiling, what in (
        (settings.max_train, "training"),
        (settings.max_validation, "validation"),
    ):
        longest = max(len(fold.train if what == "training" else fold.validation) for fold in folds)
        if ceiling is not None and ceiling < longest:
            said.append(f"limited to a stratified {ceiling:,} {what} images")
    train = (_at_most(images, fold.train, settings.max_train, seed) for fold in folds)
    validation = (
        _at_most(images, fold.validation, settings.max_validation, seed) for fold in folds
    )
    return tuple(Fold(train=t, validation=v) for t, v in zip(train, validation, strict=True)), said


def _limited(images: Images, fold: Fold, limit: int, seed: int) -> Fold:
    """A stratified part of both, in the proportion that they have."""
    n_classes, n_seen = len(images.class_names), len(fold.train) + len(fold.validation)
    n_validation = max(round(limit * len(fold.validation) / n_seen), 1)
    if limit - n_validation < n_classes:
        raise ConfigurationError(
            f"the limit of {limit} images leaves fewer than one training image for each of"
            f" {n_classes} classes",
            f"allow at least {2 * n_classes} images.",
        )
    return Fold(
        train=sample(images.labels, fold.train, limit - n_validation, seed=(seed, 2)),
        validation=sample(images.labels, fold.validation, n_validation, seed=(seed, 3)),
    )


def _at_most(images: Images, part: Indices, ceiling: int | None, seed: int) -> Indices:
    if ceiling is None or len(part) <= ceiling:
        return part
    return sample(images.labels, part, ceiling, seed=(seed, 4))
