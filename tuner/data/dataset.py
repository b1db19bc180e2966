"""A data set ready for training: images, their split, and what a model must know of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.cards.card import Card
from tuner.data.corrected_labels import Corrections, corrected
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.images import Images, pixel_sums
from tuner.data.load import load_images
from tuner.data.splits.fold import Indices
from tuner.data.splits.split import Split, make_split
from tuner.errors import DataError
from tuner.records.image import ImageSpec
from tuner.records.results import DataSummary
from tuner.space.split_settings import SplitSettings

# No class; a training that meets it fails.
HIDDEN_LABEL = -1

_SHOWN_UNREADABLE = 20
_NAMED_UNREADABLE = 3
_CHUNK_BYTES = 16_000_000


class SealedLabels:
    """Class numbers of the test images."""

    def __init__(self, labels: NDArray[np.int64]) -> None:
        """Take them, (n,)."""
        self.__labels = labels

    def counts(self, n_classes: int) -> tuple[int, ...]:
        """Test images of each class, which is no secret."""
        return tuple(np.bincount(self.__labels, minlength=n_classes).tolist())

    def break_seal(self) -> NDArray[np.int64]:
        """The class numbers, (n,): for `tuner.evaluation.sealed` alone."""
        return self.__labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set as a run uses it.

    Attributes:
        images: All images; memory-mapped, so a worker had better load the data set again than
            receive a copy.
        split: Which of them train, validate and test.
        spec: Shape, classes, and pixel statistics of the training part; with folds, of the first
            one's.
        card: Where it comes from.
        limit: `--limit`, where it was given.
        test_labels: The sealed labels.
        corrections: What a list of corrected labels has changed; None where there was no list.
    """

    images: Images
    split: Split
    spec: ImageSpec
    card: Card
    limit: int | None
    test_labels: SealedLabels
    corrections: Corrections | None = None

    @property
    def pixels_fingerprint(self) -> str:
        """What changes with the images, whatever labels were corrected."""
        return self.corrections.fingerprint if self.corrections else self.images.fingerprint

    def sealed(self) -> Dataset:
        """The data set without the labels of its test images, but in the seal."""
        labels = self.images.labels.copy()
        labels[self.split.test] = HIDDEN_LABEL
        listed = self.corrections and self.corrections.without(set(self.split.test.tolist()))
        return replace(self, images=replace(self.images, labels=labels), corrections=listed)


def load_dataset(
    card: Card, data_root: Path, settings: SplitSettings, corrections: Path | None = None
) -> Dataset:
    """Load and split; `load_images`, `make_split` and `corrected` say what else they raise.

    Args:
        card: Where the data are.
        data_root: Root of the data.
        settings: How they are split.
        corrections: A list of corrected labels; they move no image into another part.

    Raises:
        DataError: If an image cannot be read, and the card's policy does not skip it.
    """
    images = load_images(card, data_root)
    if images.unreadable and card.policies.unreadable == "fail":
        raise DataError(
            f"{card.name}: {len(images.unreadable):,} of the images cannot be read: "
            + "; ".join(images.unreadable[:_NAMED_UNREADABLE]),
            "replace or delete them, or set policies.unreadable to skip in the card.",
        )
    split = make_split(images, settings, card.splits, card.policies)
    changes = None
    if corrections is not None:
        images, changes = corrected(images, split, corrections)
    mean, std = pixel_statistics(images.images, split.train, images.sums)
    height, width, channels = images.images.shape[1:]
    spec = ImageSpec(
        height=height,
        width=width,
        channels=channels,
        class_names=images.class_names,
        mean=mean,
        std=std,
    )
    return Dataset(
        images=images,
        split=split,
        spec=spec,
        card=card,
        limit=settings.limit,
        test_labels=SealedLabels(images.labels[split.test]),
        corrections=changes,
    )


def pixel_statistics(
    images: NDArray[np.uint8] | StreamedImages,
    indices: Indices,
    sums: NDArray[np.int64] | None = None,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, 0-255, over some images.

    Args:
        images: (n, height, width, channels).
        indices: Which of them.
        sums: (n, 2, channels), as `pixel_sums` gives them, where they are known: then no pixel is
            read.
    """
    if sums is None:
        total, squares = sum(
            map(pixel_sums, _chunks(images, indices)),
            np.zeros((2, images.shape[-1]), dtype=np.int64),
        )
    else:
        total, squares = sums[indices].sum(axis=0)
    n = len(indices) * images.shape[1] * images.shape[2]
    mean = total / n
    std = np.sqrt(np.maximum(squares / n - mean**2, 0.0))
    return tuple(mean.tolist()), tuple(std.tolist())


def _chunks(
    images: NDArray[np.uint8] | StreamedImages, indices: Indices
) -> Iterator[NDArray[np.uint8]]:
    step = max(1, _CHUNK_BYTES // math.prod(images.shape[1:]))
    for start in range(0, len(indices), step):
        yield images[indices[start : start + step]]


def summary(dataset: Dataset) -> DataSummary:
    """What a report says of the data."""
    images, split, spec = dataset.images, dataset.split, dataset.spec

    def counts(indices: Indices) -> tuple[int, ...]:
        return tuple(np.bincount(images.labels[indices], minlength=spec.n_classes).tolist())

    n_copies, n_near = _copies_in_test(images, split)
    return DataSummary(
        name=images.name,
        title=dataset.card.title,
        source=dataset.card.source,
        fingerprint=images.fingerprint,
        height=spec.height,
        width=spec.width,
        channels=spec.channels,
        class_names=spec.class_names,
        train_counts=counts(split.train),
        validation_counts=counts(split.validation),
        test_counts=dataset.test_labels.counts(spec.n_classes),
        split_rule=split.rule,
        limit=dataset.limit,
        n_unreadable=len(images.unreadable),
        unreadable=images.unreadable[:_SHOWN_UNREADABLE],
        n_folds=len(split.folds),
        n_dropped_copies=split.dropped.n_copies_of_test,
        n_dropped_duplicates=split.dropped.n_duplicates,
        n_dropped_conflicting=split.dropped.n_conflicting,
        n_test_distinct=int(np.count_nonzero(split.distinct_test)),
        is_official_split=split.is_official,
        n_test_copies=n_copies,
        n_test_near_copies=n_near,
        n_corrected=dataset.corrections.n if dataset.corrections else 0,
        n_test_corrected=dataset.corrections.n_test if dataset.corrections else 0,
    )


def _copies_in_test(images: Images, split: Split) -> tuple[int, int]:
    """Test images with a copy, and others with a near copy, among those that train or validate."""
    used = np.concatenate([part for fold in split.folds for part in (fold.train, fold.validation)])
    copies = np.isin(images.copy_of[split.test], images.copy_of[used])
    near = np.isin(images.near_group[split.test], images.near_group[used]) & ~copies
    return int(copies.sum()), int(near.sum())


def split_rows(dataset: Dataset) -> Iterator[tuple[str, str, str, str, str, str]]:
    """What a run saves of its split: a row for each image.

    A row is its origin, class name, part, group, reason if dropped, and folds.

    The part is `train`, `validation`, `test`, `dropped`, or `unused` beyond a limit; with several
    folds it is `fold 1`, ... for what validates in it. The group is the card's, or the number of a
    set of near-identical images. The folds are those that the image trains in, such as `1 2 4`,
    since a limit takes other images in each; empty where there is one only.
    """
    images, split = dataset.images, dataset.split
    parts = np.full(len(images.labels), "unused", dtype="<U10")
    for fold in split.folds:
        parts[fold.train] = "train"
    for number, fold in enumerate(split.folds, start=1):
        parts[fold.validation] = f"fold {number}" if len(split.folds) > 1 else "validation"
    parts[split.test] = "test"
    reasons = split.dropped.reasons()
    parts[list(reasons)] = "dropped"
    set_sizes = np.bincount(images.near_group)
    trains = np.zeros((len(split.folds), len(images.labels)), dtype=np.bool_)
    for row, fold in zip(trains, split.folds, strict=True):
        row[fold.train] = len(split.folds) > 1
    for index, origin in enumerate(images.origins):
        near = int(images.near_group[index])
        group = str(images.groups[index]) or (
            f"near-identical {near}" if set_sizes[near] > 1 else ""
        )
        folds = " ".join(str(number) for number in np.flatnonzero(trains[:, index]) + 1)
        yield (
            origin,
            images.class_names[images.labels[index]],
            str(parts[index]),
            group,
            reasons.get(index, ""),
            folds,
        )
