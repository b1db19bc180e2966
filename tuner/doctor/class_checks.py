"""Checks of how many images each class has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tuner.data.splits.split_rules import Role
from tuner.doctor.examined_data import ExaminedData
from tuner.doctor.findings import Finding, Severity
from tuner.names import first_of
from tuner.report.text import plural

# Distinct images of a class: fewer cannot be split into three parts, or measure nothing.
MIN_DISTINCT = 3
SMALL_CLASS = 10
IMBALANCED = 3.0

_NAMED = 10


def too_few(data: ExaminedData) -> Iterator[Finding]:
    """Classes with hardly any distinct image."""
    images = data.images
    pairs = np.unique(np.stack([images.labels, images.copy_of]), axis=1)
    distinct = np.bincount(pairs[0], minlength=len(images.class_names))
    yield from _few(
        data,
        distinct,
        (distinct < MIN_DISTINCT),
        limit=MIN_DISTINCT,
        severity="error",
        meaning=(
            "There are too few images to train, validate and test such a class on different ones."
        ),
    )
    yield from _few(
        data,
        distinct,
        (distinct >= MIN_DISTINCT) & (distinct < SMALL_CLASS),
        limit=SMALL_CLASS,
        severity="warning",
        meaning="A single image changes the score of such a class by ten points or more.",
    )


def _few(
    data: ExaminedData,
    distinct: NDArray[np.int64],
    is_few: NDArray[np.bool_],
    *,
    limit: int,
    severity: Severity,
    meaning: str,
) -> Iterator[Finding]:
    found = np.flatnonzero(is_few)
    if len(found) == 0:
        return
    images = data.images
    named = [f'"{images.class_names[number]}" ({distinct[number]:,})' for number in found]
    groups = [
        np.flatnonzero(images.labels == number).astype(np.int64)
        for number in found
        if distinct[number]
    ]
    yield Finding(
        code="tiny-classes",
        severity=severity,
        summary=(
            f"{plural(len(found), 'class', 'classes')} with fewer than {limit} distinct images:"
            f" {first_of(named, _NAMED)}."
        ),
        meaning=meaning,
        advice="add images of this class, or leave the class out.",
        counts={"classes": len(found), "limit": limit},
        examples=data.groups(groups),
        n_examples=len(groups),
    )


def not_in_every_part(data: ExaminedData) -> Iterator[Finding]:
    """Classes that a given part lacks."""
    images = data.images
    for role in data.roles if len(data.roles) > 1 else ():
        n = np.bincount(images.labels[data.rows(role)], minlength=len(images.class_names))
        n_all = np.bincount(images.labels, minlength=len(images.class_names))
        missing = [images.class_names[i] for i in np.flatnonzero((n == 0) & (n_all > 0))]
        if not missing:
            continue
        named = first_of([f'"{name}"' for name in missing], _NAMED)
        yield Finding(
            code="class-missing-in-part",
            severity="error" if role == "train" else "warning",
            summary=(
                f"{data.part_name(role)} has no image of"
                f" {plural(len(missing), 'class', 'classes')}: {named}."
            ),
            meaning=(
                "A class that was never trained on is never predicted."
                if role == "train"
                else (
                    "The score of such a class cannot be measured, and a mean over the classes"
                    " does not include it."
                )
            ),
            advice=f"add images of this class to {data.part_name(role)}, or leave the class out.",
            counts={"classes": len(missing)},
        )


def imbalance(data: ExaminedData) -> Iterator[Finding]:
    """A class that has many times the images of another."""
    images = data.images
    role: Role | None = "train" if "train" in data.roles else None
    rows = np.arange(len(images.labels)) if role is None else data.rows(role)
    counts = np.bincount(images.labels[rows], minlength=len(images.class_names))
    present = np.flatnonzero(counts)
    if len(present) == 0:
        return
    least, most = present[np.argmin(counts[present])], int(np.argmax(counts))
    ratio = counts[most] / counts[least]
    if ratio < IMBALANCED:
        return
    where = f"{data.part_name(role)}: " if role and len(data.roles) > 1 else ""
    share = counts[most] / counts.sum()
    yield Finding(
        code="class-imbalance",
        severity="warning",
        summary=(
            f'{where}class "{images.class_names[most]}" has {ratio:.1f} times the images of '
            f'"{images.class_names[least]}" ({counts[most]:,} to {counts[least]:,}).'
        ),
        meaning=(
            "Accuracy hides the rare class: always predicting the most frequent one is correct for "
            f"{100 * share:.0f} % of the images."
        ),
        advice=(
            "use objective: val_macro_f1, and add imbalance: class_weights to the search space."
        ),
        counts={"most": int(counts[most]), "least": int(counts[least])},
    )
