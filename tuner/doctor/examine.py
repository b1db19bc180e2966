"""All checks of a data set, the worst findings first."""

from __future__ import annotations

import numpy as np

from tuner.data.cards.card import Card
from tuner.data.images import Images
from tuner.doctor import classes, copies, files, pixels, values
from tuner.doctor.findings import SEVERITIES, Examination, PartCounts
from tuner.doctor.subject import Subject

_CHECKS = (
    copies.conflicting,
    copies.across_parts,
    copies.near_across_parts,
    files.unreadable,
    classes.too_few,
    classes.not_in_every_part,
    classes.imbalance,
    copies.near_conflicting,
    copies.near_copies,
    copies.within_parts,
    pixels.constant,
    files.animated,
    files.stretched,
    files.extreme_sizes,
    files.wrong_suffixes,
    files.odd_modes,
    values.value_range,
    values.wide_colours,
    files.rotated,
    pixels.rescaled,
    pixels.streamed,
)


def examine(images: Images, card: Card) -> Examination:
    """Look for everything that would mislead a search.

    Args:
        images: The data set, loaded.
        card: Its card, whose policies decide what an oddity means.

    Returns:
        Numbers, words and examples; nothing is drawn and nothing is written.
    """
    subject = Subject(images=images, card=card)
    found = [finding for check in _CHECKS for finding in check(subject)]
    height, width, channels = images.images.shape[1:]
    return Examination(
        name=images.name,
        title=card.title,
        fingerprint=images.fingerprint,
        shape=(height, width, channels),
        class_names=images.class_names,
        parts=tuple(_counts(subject, role) for role in subject.roles),
        n_unreadable=len(images.unreadable),
        findings=tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))),
        left_out=images.left_out,
    )


def _counts(subject: Subject, role: str) -> PartCounts:
    images, rows = subject.images, subject.rows(role)
    return PartCounts(
        name=subject.part_name(role),
        role=role,
        per_class=tuple(
            np.bincount(images.labels[rows], minlength=len(images.class_names)).tolist()
        ),
        n_distinct=len(np.unique(images.copy_of[rows])),
        use=subject.use(role),
    )
